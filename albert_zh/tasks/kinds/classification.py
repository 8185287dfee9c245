"""Classification: one label for a text or a pair of texts.

```
outputs      logits [N, C]  probabilities [N, C]
predictions  LabelPrediction("1", [0.1, 0.9])
submission   test_results.tsv    probabilities of the classes, a row per example, no header
             submit_results.tsv  id or number of the example, label
```
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import Example, text_example
from albert_zh.tasks.features import NO_LABEL, Features
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.tasks.scorers import classes
from albert_zh.tasks.tables import example_id, tabbed
from albert_zh.tasks.task import Kind, LabelPair, Outputs
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress


@dataclasses.dataclass(frozen=True, eq=False)
class LabelPrediction:
    """The likeliest label, and the probability of every label in the order of their ids."""

    label: str
    probabilities: np.ndarray  # [C] float32


def featurize(
    examples: Sequence[Example],
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Token ids of the texts, with the id of the label as target, `NO_LABEL` where none is known.

    Args:
        examples: All single texts, or all pairs.
        labels: Labels of the task; a label's place is its id.
        tokenizer: Turns texts into token ids.
        max_seq_length: Longest example in tokens, special tokens included.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for a token of each text.
    """
    ids = {None: NO_LABEL, **{label: number for number, label in enumerate(labels)}}
    return featurize_texts(
        [example.texts for example in examples],
        targets={"label_ids": np.array([ids[example.label] for example in examples], np.int32)},
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
        progress=progress,
    )


def decode(
    outputs: Outputs, features: Features, examples: Sequence[Any], labels: Sequence[str]
) -> list[LabelPrediction]:
    """The likeliest label of every example.

    Raises:
        ValueError: The model has another number of classes than there are labels.
    """
    probabilities = outputs["probabilities"]
    if probabilities.shape[1] != len(labels):
        raise ValueError(
            f"the model has {probabilities.shape[1]} classes, but there are {len(labels)} labels: "
            f"{', '.join(labels)}"
        )
    return [
        LabelPrediction(labels[best], row)
        for best, row in zip(probabilities.argmax(axis=1), probabilities, strict=True)
    ]


def score(outputs: Outputs, features: Features, labels: Sequence[str]) -> dict[str, float]:
    """Accuracy, and the mean cross-entropy as `loss`, over the examples with a label."""
    label_ids, logits = features.targets["label_ids"], outputs["logits"]
    is_known = label_ids != NO_LABEL
    if not is_known.all():
        label_ids, logits = label_ids[is_known], logits[is_known]
    return {
        "accuracy": classes.accuracy(logits.argmax(axis=1), label_ids),
        "loss": classes.cross_entropy(logits, label_ids),
    }


def submission(
    examples: Sequence[Example], predictions: Sequence[LabelPrediction], labels: Sequence[str]
) -> dict[str, str]:
    """The two files of the published scripts."""
    return {
        "test_results.tsv": tabbed(prediction.probabilities for prediction in predictions),
        "submit_results.tsv": tabbed(
            (example_id(example, number), predictions[number].label)
            for number, example in enumerate(examples)
        ),
    }


def row(example: Any, prediction: LabelPrediction, labels: Sequence[str]) -> dict[str, Any]:
    """Texts, label, prediction and the probabilities of all labels."""
    # Their shortest digits as float32.
    probabilities = (float(str(each)) for each in prediction.probabilities)
    return {
        **example.named_texts,
        "label": example.label,
        "prediction": prediction.label,
        "probabilities": dict(zip(labels, probabilities, strict=True)),
    }


def mistake(example: Any, prediction: LabelPrediction) -> tuple[float, dict[str, Any]] | None:
    """A wrong label, which is the worse the surer the model is."""
    if prediction.label == example.label:
        return None
    probability = float(str(prediction.probabilities.max()))
    return probability, {"probability": probability}


def label_pairs(examples: Sequence[Any], predictions: Sequence[LabelPrediction]) -> list[LabelPair]:
    """One pair for each example."""
    return [(each.label, own.label) for each, own in zip(examples, predictions, strict=True)]


CLASSIFICATION = Kind(
    name="classification",
    featurize=featurize,
    targets={"label_ids": ()},
    decode=decode,
    score=score,
    submission=submission,
    example=text_example,
    row=row,
    mistake=mistake,
    label_pairs=label_pairs,
)
