"""Task and Kind: a dataset is a row, and so is what all datasets of its kind have in common.

```
Task   lcqmc: files, columns, labels, metric        a row of `tasks.catalog`
Kind   classification: featurize, decode, score     a file of `tasks.kinds`
```
The model of a kind (head, objective, named outputs) is a row of `inference.kinds`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.dataset import Dataset, Submission
from albert_zh.tasks.examples import Split
from albert_zh.tasks.features import Features

Outputs = Mapping[str, np.ndarray]  # name -> one row per row of the features
LabelPair = tuple[str | None, str | None]


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
    """Keys of an object in a file of JSON lines, or names of columns."""

    texts: tuple[str, ...]
    label: str = "label"
    id: str | None = "id"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of task: how its examples are featurized, decoded, scored and submitted."""

    name: str  # stored with checkpoints; the key of the model's row
    # Turns examples into token ids and targets: examples, `labels=`, `tokenizer=`,
    # `max_seq_length=`, `progress=`. One example may become several rows.
    featurize: Callable[..., Features]
    # Batch contract: the targets of an example beside its tokens, name -> shape; None: a token.
    targets: Mapping[str, tuple[int | None, ...]]
    # Predictions, one per example, out of the model's outputs, features, examples and labels.
    decode: Callable[[Outputs, Features, Sequence[Any], Sequence[str]], list[Any]]
    # Metrics that all tasks of the kind have, `loss` among them, out of outputs, features and
    # labels, over the examples with a label.
    score: Callable[[Outputs, Features, Sequence[str]], dict[str, float]]
    # Files to publish: name -> content, out of examples, predictions and labels.
    submission: Callable[[Sequence[Any], Sequence[Any], Sequence[str]], dict[str, str]]
    # Makes an example of texts that somebody wants a prediction for; raises ValueError where they
    # are too few or too many.
    example: Callable[[tuple[str, ...]], Any]
    # Cells of an example and its prediction, for people: example, prediction, labels -> name ->
    # value. `label` is None where it is not known.
    row: Callable[[Any, Any, Sequence[str]], dict[str, Any]]
    # None where a prediction is right, else its weight, the most for the worst, and cells that tell
    # it: example, prediction.
    mistake: Callable[[Any, Any], tuple[float, dict[str, Any]] | None]
    # Right and predicted label of every decision, None where one side has none: examples,
    # predictions. None: the kind has no labels.
    label_pairs: Callable[[Sequence[Any], Sequence[Any]], list[LabelPair]] | None = None
    has_numbers: bool = False  # labels are any numbers instead of classes
    # Texts of an example of a task, where all have as many; stored with the model.
    num_texts: Callable[["Task"], int | None] = lambda task: len(task.keys.texts)


@dataclasses.dataclass(frozen=True)
class Task:
    """One dataset."""

    name: str  # value of --task_name
    kind: Kind
    # Reads a file of a split: task, path, name of the split -> examples. Raises ValueError with
    # file and line where a row is malformed.
    read: Callable[["Task", str, str], Split]
    # Split -> file names, of which the first one present is read; those of a tuple are read one
    # after the other.
    files: Mapping[str, tuple[str | tuple[str, ...], ...]]
    labels: tuple[str, ...]  # a label's place is its id in the model
    columns: Columns = Columns(text_a=0, text_b=1, label=2)  # of a table without a header
    keys: Keys = Keys(("sentence1", "sentence2"))  # of JSON lines
    unlabelled: tuple[str, ...] = ()  # labels of rows on which nobody agreed: left out
    has_malformed_rows: bool = False  # published files have a few: left out, and counted
    metric: str = "accuracy"  # chooses the best checkpoint
    # Further metrics, those of the dataset's own evaluation, out of labelled examples, their
    # predictions and the labels.
    measure: Callable[[Sequence[Any], Sequence[Any], Sequence[str]], dict[str, float]] | None = None
    measure_needs: str | None = None  # module of an optional package that `measure` uses
    submission: Submission | None = None  # beside the files of the kind
    dataset: Dataset | None = None  # None: files of the user's own

    def scores(
        self, outputs: Outputs, features: Features, examples: Sequence[Any]
    ) -> dict[str, float]:
        """Metrics over the examples with a label."""
        scores = self.kind.score(outputs, features, self.labels)
        if self.measure is None:
            return scores
        predictions = self.kind.decode(outputs, features, examples, self.labels)
        labelled = [number for number, each in enumerate(examples) if each.label is not None]
        chosen = [examples[number] for number in labelled]
        return scores | self.measure(chosen, [predictions[n] for n in labelled], self.labels)

    def prediction_files(self, split: Split, predictions: Sequence[Any]) -> dict[str, str]:
        """Files to publish: name -> content; those of the kind, and that of the benchmark."""
        files = self.kind.submission(split.examples, predictions, self.labels)
        if self.submission is not None:
            name = self.submission.name_for(split.path, num_examples=len(split.examples))
            files[name] = self.submission.content(split.examples, predictions, self.labels)
        return files
