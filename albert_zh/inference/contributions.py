"""Contributions: how much each part of a text speaks for the label that a classifier chose.

A part is hidden behind [MASK], and the loss of probability is what it had contributed (erasure: Li,
Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016, section
3). That takes one computation a part, by any runtime. Of an ONNX file in 8 bits, values depend a
little on the parts that are computed together, as its rounding does.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from albert_zh.inference.predictor import Predictor, run_batches
from albert_zh.tasks.features import Features
from albert_zh.tasks.kinds.classification import LabelPrediction

_CHUNK = 16  # parts computed together


class Contribution(NamedTuple):
    """One part of a text: `texts[text][start:end]`, a character or more."""

    text: int  # place of the text in the example
    start: int
    end: int
    value: float  # the label's probability, minus that without this part


class Explanation(NamedTuple):
    """A label, and all parts of the texts that the model read."""

    prediction: LabelPrediction
    contributions: list[Contribution]


def explain(
    predictor: Predictor,
    texts: Sequence[str],
    *,
    max_parts: int = 64,
    go_on: Callable[[], bool] = lambda: True,
) -> Explanation:
    """Predict the label of a text, or of a pair of texts, and find the parts that speak for it.

    ```
    explain(predictor, ["我的手机丢了", "手机不见了怎么办"]).contributions[2]
    Contribution(text=0, start=2, end=3, value=0.11)
    ```

    Args:
        predictor: A classifier.
        texts: The texts of one example.
        max_parts: Parts of each text at most. A part is a token, or adjacent ones of a long text
            or of one character.
        go_on: Asked after every 16 parts whether the answer is still wanted.

    Raises:
        ValueError: The model is no classifier, or cannot read these texts.
        TimeoutError: The answer is not wanted any more.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise ValueError("explain takes one text or two: explain(text), explain(text, second)")
    if predictor.kind.name != "classification":
        raise ValueError(
            f"contributions are those of a classifier; this model is for {predictor.kind.name}"
        )
    if max_parts < 1:
        raise ValueError(f"max_parts is {max_parts}; it must be at least 1")
    example = predictor.kind.example(tuple(texts))
    (prediction,) = predictor.predict_examples([example])
    features = predictor.features([example])
    parts = _parts(predictor, texts, features, max_parts)
    if not parts:
        return Explanation(prediction, [])
    chosen = predictor.labels.index(prediction.label)
    left = []  # probabilities of the label without each part
    for first in range(0, len(parts), _CHUNK):
        if not go_on():
            raise TimeoutError("the contributions of these texts take too long")
        hidden = [tokens for tokens, *_ in parts[first : first + _CHUNK]]
        outputs = run_batches(
            predictor.run,
            _hidden(features, hidden, predictor.tokenizer.vocab.mask_id),
            batch_size=_CHUNK,
            buckets=[features.lengths[0]],
        )
        left.extend(outputs["probabilities"][:, chosen])
    values = prediction.probabilities[chosen] - np.array(left)
    found = [
        Contribution(text, start, end, float(str(value)))
        for (_, text, start, end), value in zip(parts, values, strict=True)
    ]
    return Explanation(prediction, found)


def _parts(
    predictor: Predictor, texts: Sequence[str], features: Features, max_parts: int
) -> list[tuple[slice, int, int, int]]:
    """Tokens of the row, text, start and end of every part."""
    first, total = int(features.first_lengths[0]), int(features.lengths[0])
    counts = [first - 2, total - first - 1][: len(texts)]  # tokens of each text that were kept
    parts = []
    for number, (text, count, begin) in enumerate(zip(texts, counts, (1, first), strict=False)):
        units = _units(predictor.tokenizer.encode(text).spans[:count])
        size = max(1, -(-len(units) // max_parts))
        for place in range(0, len(units), size):
            head, tail = units[place], units[min(place + size, len(units)) - 1]
            tokens = slice(begin + head[0], begin + tail[1])
            parts.append((tokens, number, head[2], tail[3]))
    return parts


def _units(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """First token, token after the last, start and end of what can be told apart in a text.

    Tokens of one character are one unit; one that stands for no character, as the mark of a word's
    begin does, belongs to the next.

    >>> _units([(0, 0), (0, 1), (1, 2), (1, 2), (2, 4)])
    [(0, 2, 0, 1), (2, 4, 1, 2), (4, 5, 2, 4)]
    """
    units: list[tuple[int, int, int, int]] = []
    pending = None  # the first of tokens that stand for no character
    for token, (start, end) in enumerate(spans):
        if units and start < units[-1][3]:
            units[-1] = (units[-1][0], token + 1, units[-1][2], max(end, units[-1][3]))
        elif start == end:
            pending = token if pending is None else pending
        else:
            units.append((token if pending is None else pending, token + 1, start, end))
            pending = None
    return units


def _hidden(features: Features, parts: Sequence[slice], mask_id: int) -> Features:
    """A copy of the one row for each part, with [MASK] for its tokens."""
    rows = np.tile(features.token_ids, (len(parts), 1))
    for row, tokens in zip(rows, parts, strict=True):
        row[tokens] = mask_id
    count, length = rows.shape
    return dataclasses.replace(
        features,
        token_ids=rows.reshape(-1),
        offsets=np.arange(count + 1) * length,
        first_lengths=np.repeat(features.first_lengths, count),
        targets={},
        example_ids=np.arange(count),
    )
