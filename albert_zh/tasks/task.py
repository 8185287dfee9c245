"""Task and Kind: a dataset is a row, and so is what all datasets of its kind have in common.

```
Task   lcqmc: files, columns, labels, metric        a row of `tasks.catalog`
Kind   classification: read, featurize, score, ...  a file of `tasks.kinds`
```
The model of a kind (head, objective, named outputs) is a row of `inference.kinds`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.features import Features

Outputs = Mapping[str, np.ndarray]  # name -> one row per row of the features


@dataclasses.dataclass(frozen=True)
class Columns:
    """Columns of a tab-separated row, counted from 0."""

    text_a: int
    text_b: int | None  # None: the task has one text
    label: int

    @property
    def texts(self) -> tuple[int, ...]:
        """Columns of the texts."""
        return (self.text_a,) if self.text_b is None else (self.text_a, self.text_b)


@dataclasses.dataclass(frozen=True)
class Keys:
    """Keys of an object in a file of JSON lines."""

    texts: tuple[str, ...]
    label: str = "label"
    id: str = "id"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of task: how its files are read, featurized, decoded, scored and submitted."""

    name: str  # stored with checkpoints; the key of the model's row
    # Reads a split: task, path of the file, name of the split -> examples. Raises ValueError with
    # file and line where a row is malformed.
    read: Callable[["Task", str, str], Split]
    # Turns examples into token ids and targets: examples, `labels=`, `tokenizer=`,
    # `max_seq_length=`, `progress=`. One example may become several rows.
    featurize: Callable[..., Features]
    # Batch contract: the targets of a row beside its tokens, name -> shape; all int32.
    targets: Mapping[str, tuple[int, ...]]
    # Predictions, one per example, out of the model's outputs, the features and the labels.
    decode: Callable[[Outputs, Features, Sequence[str]], list[Any]]
    # Metrics out of outputs, features and labels, over the examples that have a label; `loss` is
    # among them.
    score: Callable[[Outputs, Features, Sequence[str]], dict[str, float]]
    # Files to publish: name -> content, out of examples, predictions and labels.
    submission: Callable[[Sequence[Example], Sequence[Any], Sequence[str]], dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Task:
    """One dataset."""

    name: str  # value of --task_name
    kind: Kind
    files: Mapping[str, tuple[str, ...]]  # split -> file names; the first one present is read
    columns: Columns  # of a table without a header
    labels: tuple[str, ...]  # a label's place is its id in the model
    keys: Keys = Keys(("sentence1", "sentence2"))  # of JSON lines
    unlabelled: tuple[str, ...] = ()  # labels of rows on which nobody agreed: left out
    metric: str = "accuracy"  # chooses the best checkpoint
