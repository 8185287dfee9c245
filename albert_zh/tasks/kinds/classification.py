"""Classification: one label for a text or a pair of texts.

```
outputs      logits [N, C]  probabilities [N, C]
predictions  LabelPrediction("1", [0.1, 0.9])
submission   test_results.tsv    probabilities of the classes, a row per example
             submit_results.tsv  number of the example, label
```
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from albert_zh.tasks import scorers
from albert_zh.tasks.examples import Example
from albert_zh.tasks.features import NO_LABEL, Features, featurize_texts
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.task import Kind, Outputs
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


def decode(outputs: Outputs, features: Features, labels: Sequence[str]) -> list[LabelPrediction]:
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
    """Accuracy, and the mean cross-entropy as `loss`."""
    label_ids = features.targets["label_ids"]
    return {
        "accuracy": scorers.accuracy(outputs["logits"].argmax(axis=1), label_ids),
        "loss": scorers.cross_entropy(outputs["logits"], label_ids),
    }


def submission(predictions: Sequence[LabelPrediction], labels: Sequence[str]) -> dict[str, str]:
    """The two files of the published scripts."""
    rows = ("\t".join(map(str, prediction.probabilities)) for prediction in predictions)
    chosen = (f"{number}\t{prediction.label}" for number, prediction in enumerate(predictions))
    return {
        "test_results.tsv": "".join(f"{row}\n" for row in rows),
        "submit_results.tsv": "".join(f"{row}\n" for row in chosen),
    }


CLASSIFICATION = Kind(
    name="classification",
    read=read_texts,
    featurize=featurize,
    targets={"label_ids": ()},
    decode=decode,
    score=score,
    submission=submission,
)
