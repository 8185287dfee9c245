"""Weights of classes in the loss, for labels of which some are rare.

(King and Zeng 2001, "Logistic Regression in Rare Events Data", section 4.) The loss of N positions
with labels y is the mean

    sum of w(y) * -log p(y) / sum of w(y)

By inverse frequency, `w(c) = N / (C n(c))` where n(c) of the N labels are c: each of the C classes
has the same part in the loss, and the mean weight of a label is 1.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from albert_zh.aids.outcomes import with_positions
from albert_zh.train.metrics import Batch, Objective, Outcome


def inverse_frequency(labels: np.ndarray, num_classes: int) -> list[float]:
    """Weights `[C]` of classes by their number among labels; those that never occur have 1.

    >>> inverse_frequency(np.array([0, 0, 0, 1]), 2)
    [0.6666666666666666, 2.0]
    """
    counts = np.bincount(labels, minlength=num_classes)
    num_present = int(np.count_nonzero(counts))
    return [len(labels) / (num_present * count) if count else 1.0 for count in map(int, counts)]


def weighted(objective: Objective, weights: Sequence[float]) -> Objective:
    """The objective with weights `[C]` of the classes."""

    def weigh(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        outcome = objective(batch, seed)
        of_labels = tf.gather(tf.constant(weights, tf.float32), outcome.positions.labels)
        return with_positions(outcome, weights=outcome.positions.weights * of_labels)

    return weigh
