"""Scores of predicted classes, over all examples, in float64."""

import numpy as np


def accuracy(predicted: np.ndarray, expected: np.ndarray) -> float:
    """Share of equal ids in `[N]` and `[N]`.

    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1]))
    0.75
    """
    return float(np.mean(predicted == expected))


def cross_entropy(logits: np.ndarray, label_ids: np.ndarray) -> float:
    """Mean negative log-probability of labels `[N]` under logits `[N, C]`.

    >>> round(cross_entropy(np.array([[0.0, 0.0]]), np.array([1])), 4)
    0.6931
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_sums - shifted[np.arange(len(label_ids)), label_ids]))
