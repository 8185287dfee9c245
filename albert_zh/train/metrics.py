"""Weighted means as sums, which add up over batches and replicas; objectives, which return them."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import tensorflow as tf


class Mean(NamedTuple):
    """A weighted mean as two scalars: the sum of weight times value, and the sum of weights."""

    total: tf.Tensor
    weight: tf.Tensor

    def result(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self.total, self.weight)


class Positions(NamedTuple):
    """N predictions, such as one per example or per token, and their losses before the mean."""

    logits: tf.Tensor  # [N, C] float32, of C classes; of numbers, [N, 1]
    labels: tf.Tensor  # [N] int32, a class each; of numbers, float32
    losses: tf.Tensor  # [N] float32
    weights: tf.Tensor  # [N] float32, in the mean of the losses; 0 where the label is unknown

    @property
    def are_numbers(self) -> bool:
        return self.labels.dtype.is_floating

    def mean_loss(self) -> Mean:
        return mean_of(self.losses, self.weights)


class Outcome(NamedTuple):
    """Result of an objective for one batch."""

    losses: Mapping[str, Mean]  # training minimises the sum of these means
    metrics: Mapping[str, Mean]  # for the history and the display
    positions: Positions | None = None  # of an objective with one loss, which is their mean


Batch = Mapping[str, tf.Tensor]
# Batch and dropout seed ([2] int32; None outside training) -> losses and metrics. The weights of
# the losses depend on the batch alone.
Objective = Callable[[Batch, tf.Tensor | None], Outcome]


def mean_of(values: tf.Tensor, weights: tf.Tensor | None = None) -> Mean:
    """The `Mean` of values `[N]`, each weighted by weights `[N]`, or by 1."""
    values = tf.cast(values, tf.float32)
    weights = tf.ones_like(values) if weights is None else weights
    return Mean(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def add_means(items: Iterable[Mapping[str, Mean]]) -> dict[str, Mean]:
    """Add up means of the same name over several batches."""
    sums: dict[str, Mean] = {}
    for means in items:
        for name, mean in means.items():
            before = sums.get(name)
            sums[name] = (
                mean
                if before is None
                else Mean(before.total + mean.total, before.weight + mean.weight)
            )
    return sums


def results(means: Mapping[str, Mean]) -> dict[str, float]:
    """The means as plain numbers."""
    return {name: float(mean.result()) for name, mean in means.items()}


def correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """`[N, C]` and `[N] int32` -> `[N]` of 1.0 where the largest logit is the label's, else 0.0."""
    guesses = tf.argmax(logits, axis=-1, output_type=labels.dtype)
    return tf.cast(tf.equal(guesses, labels), tf.float32)
