"""Adam with decoupled weight decay (Loshchilov and Hutter 2019, Algorithm 2)."""

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
) -> adam.Update:
    """One step of AdamW, as BERT uses it: without bias correction."""
    direction, m, v = adam.direction(grad, param, m, v, weight_decay)
    return adam.Update(param - learning_rate * direction, m, v)
