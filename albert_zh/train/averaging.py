"""Moving averages of the weights (Polyak and Juditsky 1992).

After step t, counted from 0, the average a of a weight w is (TensorFlow's
`ExponentialMovingAverage`, with `num_updates`):

    d = min(decay, (1 + t) / (10 + t))         a = d * a + (1 - d) * w

so that the random head and the first steps are soon forgotten.
"""

import contextlib
from collections.abc import Iterator, Sequence

import tensorflow as tf

from albert_zh.train.optimizers import Optimizer


class AveragingOptimizer(tf.Module):
    """An optimizer that keeps averages of the weights that it updates."""

    def __init__(self, optimizer: Optimizer, decay: float):
        super().__init__()
        self.parameters = optimizer.parameters
        self.averages = [
            tf.Variable(each.read_value(), trainable=False, name="average")
            for each in self.parameters
        ]
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="averaged_steps")
        self._optimizer, self._decay = optimizer, decay

    def apply(
        self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, *, accept: tf.Tensor
    ) -> None:
        """Update weights and averages; see `Optimizer.apply`."""
        self._optimizer.apply(gradients, learning_rate, accept=accept)
        update = tf.distribute.get_strategy().extended.update
        for average, weight in zip(self.averages, self.parameters, strict=True):
            update(average, self._move, args=(weight, self.steps, accept), group=False)
        update(self.steps, _count, args=(accept,), group=False)

    def _move(self, average: tf.Variable, weight, steps, accept) -> None:
        old = average.read_value()
        moved = old + (1.0 - decay_at(steps, self._decay)) * (weight - old)
        average.assign(tf.where(accept, moved, old))

    @contextlib.contextmanager
    def averages_in_use(self) -> Iterator[None]:
        """Within it, the weights have the values of their averages."""
        weights = [each.read_value() for each in self.parameters]
        for weight, average in zip(self.parameters, self.averages, strict=True):
            weight.assign(average.read_value())
        try:
            yield
        finally:
            for weight, value in zip(self.parameters, weights, strict=True):
                weight.assign(value)


def decay_at(step: tf.Tensor, decay: float) -> tf.Tensor:
    """Share of the average that is kept after a step, counted from 0.

    >>> [round(float(decay_at(step, 0.9)), 3) for step in (0, 8, 1000)]
    [0.1, 0.5, 0.9]
    """
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def _count(steps: tf.Variable, accept: tf.Tensor) -> None:
    steps.assign_add(tf.cast(accept, tf.int64))
