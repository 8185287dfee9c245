"""LossScale: keeps the gradients of float16 layers in range."""

import tensorflow as tf


class LossScale(tf.Module):
    """Power of two that keeps float16 gradients in range (Micikevicius et al. 2018, section 3.2).

    The loss is multiplied by the scale before the backward pass, and the gradients are divided by
    it afterwards. If they overflow, the step changes nothing and the scale is halved. After
    STEPS_TO_DOUBLE good steps in a row the scale is doubled.
    """

    START = 2.0**15
    STEPS_TO_DOUBLE = 2000

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(self.START, trainable=False, name="loss_scale")
        self.good_steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="good_steps")

    def can_shrink(self) -> tf.Tensor:
        """True if the scale is above 1, so that a smaller one may end an overflow."""
        return self.scale.read_value() > 1.0

    def update(self, is_finite: tf.Tensor, *, accept: tf.Tensor | bool = True) -> None:
        """Adapt the scale to the gradients of a step. Call it outside of replicas.

        Args:
            is_finite: Whether the gradients were.
            accept: False after a step that was dropped: then nothing changes.
        """
        scale, good_steps = self.scale.read_value(), self.good_steps.read_value()
        doubles = is_finite & (good_steps + 1 >= self.STEPS_TO_DOUBLE)
        grown = tf.where(doubles, 2.0 * scale, scale)
        new_scale = tf.where(is_finite, grown, tf.maximum(scale / 2.0, 1.0))
        keeps_counting = is_finite & ~doubles
        new_steps = tf.where(keeps_counting, good_steps + 1, tf.zeros_like(good_steps))
        self.scale.assign(tf.where(accept, new_scale, scale))
        self.good_steps.assign(tf.where(accept, new_steps, good_steps))
