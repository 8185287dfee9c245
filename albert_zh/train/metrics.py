"""Weighted means as sums, which add up over batches and replicas."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import tensorflow as tf


class Mean(NamedTuple):
    """A weighted mean as two scalars: the sum of weight times value, and the sum of weights."""

    total: tf.Tensor
    weight: tf.Tensor

    def result(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self.total, self.weight)


class Outcome(NamedTuple):
    """Result of an objective for one batch."""

    losses: Mapping[str, Mean]  # training minimises the sum of these means
    metrics: Mapping[str, Mean]  # for the history and the display


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
