"""Contributions: how much each part of a text speaks for the label that a classifier chose.

A part is hidden behind [MASK], and the loss of probability is what it had contributed (erasure: Li,
Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016, section
3). That takes one computation a part, by any runtime.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from albert_zh.inference.predictor import Predictor, run_batches
from albert_zh.tasks.features import Features
from albert_zh.tasks.kinds.classification import LabelPrediction


class Contribution(NamedTuple):
    """One part of a text: `texts[text][start:end]`."""

    text: int  # place of the text in the example
    start: int
    end: int
    value: float  # the label's probability, minus that without this part


class Explanation(NamedTuple):
    """A label, and all parts of the texts that the model read."""

    prediction: LabelPrediction
    contributions: list[Contribution]


def explain(predictor: Predictor, texts: Sequence[str], *, max_parts: int = 64) -> Explanation:
    """Predict the label of a text, or of a pair of texts, and find the parts that speak for it.

    ```
    explain(predictor, ["我的手机丢了", "手机不见了怎么办"]).contributions[2]
    Contribution(text=0, start=2, end=3, value=0.11)
    ```

    Args:
        predictor: A classifier.
        texts: The texts of one example.
        max_parts: Parts of each text at most. A part is a token, or adjacent ones of a long text.

    Raises:
        ValueError: The model is no classifier, or cannot read these texts.
    """
    if predictor.kind.name != "classification":
        raise ValueError(
            f"contributions are those of a classifier; this model is for {predictor.kind.name}"
        )
    if max_parts < 1:
        raise ValueError(f"max_parts is {max_parts}; it must be at least 1")
    (prediction,) = predictor.predict([texts[0] if len(texts) == 1 else texts])
    features = predictor.kind.featurize(
        [predictor.kind.example(tuple(texts))],
        labels=predictor.labels,
        tokenizer=predictor.tokenizer,
        max_seq_length=predictor.max_seq_length,
    )
    parts = _parts(predictor, texts, features, max_parts)
    if not parts:
        return Explanation(prediction, [])
    outputs = run_batches(
        predictor.run,
        _hidden(features, [tokens for tokens, *_ in parts], predictor.tokenizer.vocab.mask_id),
        batch_size=64,
        buckets=[features.lengths[0]],
    )
    chosen = predictor.labels.index(prediction.label)
    values = prediction.probabilities[chosen] - outputs["probabilities"][:, chosen]
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
        size = max(1, -(-count // max_parts))
        spans = predictor.tokenizer.encode(text).spans[:count]
        for place in range(0, count, size):
            end = min(place + size, count)
            tokens = slice(begin + place, begin + end)
            parts.append((tokens, number, spans[place][0], spans[end - 1][1]))
    return parts


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
