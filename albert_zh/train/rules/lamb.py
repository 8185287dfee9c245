"""LAMB (You et al. 2020, Algorithm 2)."""

import tensorflow as tf

from albert_zh.train.rules import adam


def update(
    grad: tf.Tensor,
    param: tf.Tensor,
    m: tf.Tensor,
    v: tf.Tensor,
    *,
    learning_rate: tf.Tensor,
    weight_decay: float,
    adapt: bool = True,
) -> adam.Update:
    """One step of LAMB, without bias correction.

    The length of the step is `learning_rate * |param|`, whatever the size of the gradient. With
    `adapt=False`, or if parameter or direction is all zeros, the step is that of AdamW.
    """
    direction, m, v = adam.direction(grad, param, m, v, weight_decay)
    if adapt:
        param_norm, direction_norm = tf.norm(param), tf.norm(direction)
        ratio = tf.math.divide_no_nan(param_norm, direction_norm)
        learning_rate = learning_rate * tf.where(ratio > 0.0, ratio, 1.0)
    return adam.Update(param - learning_rate * direction, m, v)
