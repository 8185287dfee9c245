"""Multiple choice: one of several answers to a question about a text.

```
rows         [CLS] text [SEP] question choice [SEP]     one for each choice
outputs      logits, probabilities [N, C]
predictions  LabelPrediction("2", [0.1, 0.2, 0.6, 0.1])
```
The label is the number of the right choice. An example with fewer choices than the task's is filled
up with choices that say so; they are never right, and never predicted.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import ChoiceExample
from albert_zh.tasks.features import NO_LABEL, Features
from albert_zh.tasks.kinds import classification
from albert_zh.tasks.row_writer import featurize_texts, room_for_text
from albert_zh.tasks.task import Kind, Outputs
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

FILLING = "无效答案"  # as the published baseline of C3 does
_NEVER = np.float32(-1e4)  # logit of a choice that is none


def featurize(
    examples: Sequence[ChoiceExample],
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """A row of tokens for each choice; the targets are the right one and how many there are.

    Args:
        examples: Questions with up to as many choices as there are labels.
        labels: Numbers of the choices.
        tokenizer: Turns texts into token ids.
        max_seq_length: Longest row in tokens, special tokens included.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for text.
    """
    ids = {None: NO_LABEL, **{label: number for number, label in enumerate(labels)}}
    texts = [
        (_text(example, max_seq_length), f"{example.question}{choice}" if choice else FILLING)
        for example in examples
        for choice in (*example.choices, *[""] * (len(labels) - len(example.choices)))
    ]
    return featurize_texts(
        texts,
        targets={
            "label_ids": np.array([ids[example.label] for example in examples], np.int32),
            "num_choices": np.array([len(example.choices) for example in examples], np.int32),
        },
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
        progress=progress,
        rows_per_unit=len(labels),
    )


def _text(example: ChoiceExample, max_seq_length: int) -> str:
    """The text; where a place of it is to be kept, without what is too far before it.

    Truncation, which takes tokens from the end, would leave a late place out. A token is taken for
    a character, as in Chinese.
    """
    if not example.kept:
        return example.text
    longest = max(map(len, example.choices)) + len(example.question)
    room = room_for_text(max_seq_length, 2) - longest
    return example.text[max(0, min(example.kept - room // 2, len(example.text) - room)) :]


def decode(
    outputs: Outputs, features: Features, examples: Sequence[Any], labels: Sequence[str]
) -> list[classification.LabelPrediction]:
    """The likeliest choice of every example, of those that it has.

    Raises:
        ValueError: The model has another number of choices than there are labels.
    """
    return classification.decode(_of_choices(outputs, features), features, examples, labels)


def score(outputs: Outputs, features: Features, labels: Sequence[str]) -> dict[str, float]:
    """Accuracy, and the mean cross-entropy as `loss`, of the choices that examples have."""
    return classification.score(_of_choices(outputs, features), features, labels)


def _of_choices(outputs: Outputs, features: Features) -> Outputs:
    """The outputs without what fills up examples with fewer choices."""
    num_choices = features.targets["num_choices"][:, None]
    is_choice = np.arange(outputs["logits"].shape[1]) < num_choices
    probabilities = outputs["probabilities"] * is_choice
    total = np.maximum(probabilities.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return {
        "logits": np.where(is_choice, outputs["logits"], _NEVER),
        "probabilities": probabilities / total,
    }


def _example(texts: tuple[str, ...]) -> ChoiceExample:
    if len(texts) < 4:
        raise ValueError(f"{texts!r} is no choice: a text, a question and two or more choices")
    text, question, *choices = texts
    return ChoiceExample(text, question, tuple(choices))


CHOICE = Kind(
    name="choice",
    featurize=featurize,
    targets={"label_ids": (), "num_choices": ()},
    decode=decode,
    score=score,
    submission=classification.submission,
    example=_example,
    row=classification.row,
    mistake=classification.mistake,
    label_pairs=classification.label_pairs,
    num_texts=lambda task: None,
)
