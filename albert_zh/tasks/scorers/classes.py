"""Scores of predicted classes, over all examples, in float64."""

import numpy as np

from albert_zh.tasks.scorers.correlation import pearson


def accuracy(predicted: np.ndarray, expected: np.ndarray) -> float:
    """Share of equal ids in `[N]` and `[N]`.

    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1]))
    0.75
    """
    return float(np.mean(predicted == expected))


def f1(predicted: np.ndarray, expected: np.ndarray) -> float:
    """F1 of the examples that are predicted, `[N] bool`, for those that are, `[N] bool`.

    >>> f1(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    hits = int(np.sum(predicted & expected))
    return 2 * hits / int(np.sum(predicted) + np.sum(expected)) if hits else 0.0


def matthews(predicted: np.ndarray, expected: np.ndarray) -> float:
    """Matthews correlation of `[N] bool` and `[N] bool`; 0 where one side is constant.

    >>> matthews(np.array([True, True, False, False]), np.array([True, False, False, False]))
    0.5773502691896258
    """
    return pearson(predicted, expected)


def cross_entropy(logits: np.ndarray, label_ids: np.ndarray) -> float:
    """Mean negative log-probability of labels `[N]` under logits `[N, C]`.

    >>> round(cross_entropy(np.array([[0.0, 0.0]]), np.array([1])), 4)
    0.6931
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_sums - shifted[np.arange(len(label_ids)), label_ids]))
