"""Regression: a number for a text or a pair of texts.

```
outputs      values [N]
predictions  NumberPrediction(3.7)
```
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import Example, text_example
from albert_zh.tasks.features import Features
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.tasks.scorers.correlation import correlations
from albert_zh.tasks.task import Kind, Outputs
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress


@dataclasses.dataclass(frozen=True)
class NumberPrediction:
    """The number that the model expects."""

    value: float


def featurize(
    examples: Sequence[Example],
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Token ids of the texts, with the number of the label as target, NaN where none is known.

    Args:
        examples: All single texts, or all pairs.
        labels: None; as of the other kinds.
        tokenizer: Turns texts into token ids.
        max_seq_length: Longest example in tokens, special tokens included.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for a token of each text.
    """
    numbers = [float("nan") if each.label is None else float(each.label) for each in examples]
    return featurize_texts(
        [example.texts for example in examples],
        targets={"numbers": np.array(numbers, np.float32)},
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
        progress=progress,
    )


def decode(
    outputs: Outputs, features: Features, examples: Sequence[Any], labels: Sequence[str]
) -> list[NumberPrediction]:
    """The number of every example."""
    return [NumberPrediction(float(value)) for value in outputs["values"]]


def score(outputs: Outputs, features: Features, labels: Sequence[str]) -> dict[str, float]:
    """Correlations, mean absolute error (`mae`) and mean squared error (`loss`) of known labels."""
    numbers = features.targets["numbers"]
    known = ~np.isnan(numbers)
    values, numbers = outputs["values"][known].astype(np.float64), numbers[known]
    errors = values - numbers
    return {
        **correlations(values, numbers),
        "mae": float(np.mean(np.abs(errors))),
        "loss": float(np.mean(errors**2)),
    }


def row(example: Example, prediction: NumberPrediction, labels: Sequence[str]) -> dict[str, Any]:
    """Texts, label and prediction."""
    return {**example.named_texts, "label": example.label, "prediction": prediction.value}


def mistake(example: Example, prediction: NumberPrediction) -> tuple[float, dict[str, Any]] | None:
    """The distance to the label; no prediction is exact."""
    error = prediction.value - float(example.label)
    return abs(error), {"error": error}


REGRESSION = Kind(
    name="regression",
    has_numbers=True,
    featurize=featurize,
    targets={"numbers": ()},
    decode=decode,
    score=score,
    submission=lambda examples, predictions, labels: {},  # nobody published any
    example=text_example,
    row=row,
    mistake=mistake,
)
