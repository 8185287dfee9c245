"""The moments of Adam and their direction, for rules that differ in the length of a step.

(Kingma and Ba 2015, Algorithm 1, without bias correction, as BERT uses it.)
"""

from typing import NamedTuple

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-6


class Update(NamedTuple):
    """New values of a parameter and its two moments."""

    param: tf.Tensor
    m: tf.Tensor
    v: tf.Tensor


def direction(
    grad: tf.Tensor, param: tf.Tensor, m: tf.Tensor, v: tf.Tensor, weight_decay: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The direction to subtract from a parameter, weight decay included, and the new moments."""
    m = BETA_1 * m + (1.0 - BETA_1) * grad
    v = BETA_2 * v + (1.0 - BETA_2) * tf.square(grad)
    return m / (tf.sqrt(v) + EPSILON) + weight_decay * param, m, v
