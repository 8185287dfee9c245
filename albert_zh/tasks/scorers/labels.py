"""Right and predicted labels counted against each other, label by label.

```
pairs      (a, a) (a, b) (b, b) (None, b)      None: marked on one side only
confusion          a  b  none   predicted
           a       1  1  0
           b       0  1  0
           none    0  1  0
table      a  precision 1.0   recall 0.5  f1 0.667  support 2
           b  precision 0.333 recall 1.0  f1 0.5    support 1
```
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np


class LabelScores(NamedTuple):
    """Scores of a label; 0 where there is nothing to divide by."""

    label: str
    precision: float  # share of the predictions of the label that are right
    recall: float  # share of the examples of the label that are found
    f1: float
    support: int  # examples of the label
    predicted: int


def confusion(pairs: Iterable[tuple[str | None, str | None]], labels: Sequence[str]) -> np.ndarray:
    """Counts `[C + 1, C + 1]`, right by predicted label; the last of both is none."""
    places: dict[str | None, int] = {label: place for place, label in enumerate(labels)}
    places[None] = len(labels)
    counts = np.zeros([len(labels) + 1] * 2, np.int64)
    for right, predicted in pairs:
        counts[places[right], places[predicted]] += 1
    return counts


def label_scores(counts: np.ndarray, labels: Sequence[str]) -> list[LabelScores]:
    """Scores of every label.

    Args:
        counts: As of `confusion`.
        labels: The labels.
    """
    rows = []
    for place, label in enumerate(labels):
        hits, support, predicted = (
            int(each)
            for each in (counts[place, place], counts[place].sum(), counts[:, place].sum())
        )
        precision, recall = (hits / total if total else 0.0 for total in (predicted, support))
        f1 = 2 * hits / (support + predicted) if support + predicted else 0.0
        rows.append(LabelScores(label, precision, recall, f1, support, predicted))
    return rows
