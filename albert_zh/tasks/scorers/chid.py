"""Blanks of ChID: each candidate of a row fills one blank at most.

```
candidates    百尺竿头  随波逐流        likeliest first: 0.9 fills the first blank with 0,
first blank        0.9       0.1        so that the second one has 1, although it is less likely
second blank       0.7       0.3
```
CLUE's baseline fills them like this. (https://github.com/CLUEbenchmark/CLUE)
"""

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import ChoiceExample


def one_to_one(examples: Sequence[ChoiceExample], predictions: Sequence[Any]) -> list[str]:
    """Number of the choice for each blank; blanks with the same candidates share them.

    Args:
        examples: Blanks.
        predictions: Likeliest choice and probabilities of each.
    """
    labels = [prediction.label for prediction in predictions]
    rows: dict[tuple[str, ...], list[int]] = collections.defaultdict(list)
    for place, example in enumerate(examples):
        rows[example.choices].append(place)
    for choices, places in rows.items():
        if not 1 < len(places) <= len(choices):
            continue
        scores = np.array([predictions[place].probabilities[: len(choices)] for place in places])
        for _ in places:
            blank, choice = np.unravel_index(scores.argmax(), scores.shape)
            labels[places[blank]] = str(choice)
            scores[blank, :] = scores[:, choice] = -1
    return labels
