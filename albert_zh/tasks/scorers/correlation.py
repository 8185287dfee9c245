"""Correlations of predicted and right numbers, as GLUE reports them for STS-B."""

import numpy as np


def correlations(predicted: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """`pearson`, `spearman` and `corr`, the mean of both; 0 where one side is constant.

    Args:
        predicted: `[N]`.
        right: `[N]`.
    """
    linear, ranked = pearson(predicted, right), pearson(ranks(predicted), ranks(right))
    return {"pearson": linear, "spearman": ranked, "corr": (linear + ranked) / 2}


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of theirs.

    >>> ranks(np.array([5.0, 1.0, 5.0, 3.0])).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of `[N]` and `[N]`; 0 where one side is constant."""
    first, second = (np.float64(each) - np.mean(each, dtype=np.float64) for each in (first, second))
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size else 0.0
