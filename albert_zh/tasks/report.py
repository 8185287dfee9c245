"""Report on a dataset before training: balance, duplicates, contradictions."""

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from albert_zh.tasks.examples import Example, ReadingExample, Split, TaggingExample
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.task import Task


@dataclasses.dataclass(frozen=True)
class SplitReport:
    """Counts over one split."""

    name: str
    num_examples: int
    # Examples of each label, or parts that are marked with it, in the task's order; none but of
    # classes.
    labels: dict[str, int]
    num_labelled: int
    num_repeated: int  # examples with the same texts as an earlier one of the split
    num_contradicting: int  # those of them whose label differs from the first


@dataclasses.dataclass(frozen=True)
class DataReport:
    """Counts over a task's splits."""

    splits: tuple[SplitReport, ...]
    shared: dict[tuple[str, str], int]  # examples of the second split that are in the first

    def lines(self) -> Iterator[str]:
        """The report as lines for a log."""
        for split in self.splits:
            yield f"{split.name}: {split.num_examples:,} examples; {_balance(split)}"
            if split.num_repeated:
                yield (
                    f"{split.name}: {split.num_repeated:,} examples repeat earlier ones, "
                    f"{split.num_contradicting:,} of them with a different label"
                )
        for (first, second), count in self.shared.items():
            total = self._size(second)
            if count and not (count == total and first == "train"):
                yield f"{count:,} of the {total:,} {second} examples are also in {first}"

    def warnings(self) -> Iterator[str]:
        """Doubts about what scores on the data mean, as lines for a log."""
        for (first, second), count in self.shared.items():
            if count == self._size(second) and first == "train":
                yield (
                    f"all {count:,} {second} examples are also in {first}: scores on them do not "
                    "tell how good the model is on other texts"
                    + ("; --dev_fraction=0.1 parts the training file" if second == "dev" else "")
                )
        for split in self.splits:
            labels = [label for label, count in split.labels.items() if count]
            if split.name == "dev" and len(labels) == 1:
                yield (
                    f"all {split.num_labelled:,} dev examples have the label {labels[0]!r}: scores "
                    "on them do not tell whether the model knows the others"
                )

    def _size(self, name: str) -> int:
        return next(split.num_examples for split in self.splits if split.name == name)


def _balance(split: SplitReport) -> str:
    if not split.num_labelled:
        return "no labels"
    total = sum(split.labels.values())
    balance = ", ".join(
        f"{count:,} of {label!r} ({count / max(total, 1):.1%})"
        for label, count in split.labels.items()
    )
    if split.num_labelled == split.num_examples:
        return balance or "all labelled"
    labelled = f"{split.num_labelled:,} of {split.num_examples:,} labelled"
    return f"{labelled}: {balance}" if balance else labelled


def check_labels_differ(task: Task, train: Split) -> None:
    """
    Raises:
        ValueError: All examples to learn from have one label.
    """
    labels = {example.label for example in train.examples}
    if len(labels) == 1 and (task.kind.has_numbers or task.kind.name == CLASSIFICATION.name):
        raise ValueError(
            f"{train.path}: all {len(train.examples):,} examples have the label {labels.pop()!r}, "
            "so there is nothing to learn; add examples of another one, or check the column"
        )


# For people, of a task whose contexts may lack an answer; its only label is "".
_ANSWERS = ("an answer", "no answer")


def report(splits: Sequence[Split], *, labels: Sequence[str]) -> DataReport:
    """Count labels, duplicates and examples shared between splits.

    Args:
        splits: The splits in use, train first.
        labels: Labels of the task.
    """
    first_labels = [_first_labels(split.examples) for split in splits]
    shared = {
        (splits[i].name, splits[j].name): sum(
            example.texts in first_labels[i] for example in splits[j].examples
        )
        for i in range(len(splits))
        for j in range(i + 1, len(splits))
    }
    counted = (
        _count(split, seen, labels) for split, seen in zip(splits, first_labels, strict=True)
    )
    return DataReport(splits=tuple(counted), shared=shared)


def _count(split: Split, first_labels: dict, labels: Sequence[str]) -> SplitReport:
    counts = collections.Counter(
        label for example in split.examples for label in _labels_of(example)
    )
    labels = _ANSWERS if tuple(labels) == ("",) else labels
    return SplitReport(
        name=split.name,
        num_examples=len(split.examples),
        labels={label: counts[label] for label in labels},
        num_labelled=sum(example.label is not None for example in split.examples),
        num_repeated=len(split.examples) - len(first_labels),
        num_contradicting=sum(
            example.label != first_labels[example.texts] for example in split.examples
        ),
    )


def _labels_of(example: Any) -> list[str | None]:
    if isinstance(example, TaggingExample):
        return [each.type for each in example.entities or ()]
    if isinstance(example, ReadingExample):
        return [] if example.answers is None else [_ANSWERS[not example.answers]]
    return [example.label]


def _first_labels(examples: Sequence[Example]) -> dict[tuple[str, ...], str | None]:
    """Each distinct text or pair -> label of its first example."""
    seen: dict[tuple[str, ...], str | None] = {}
    for example in examples:
        seen.setdefault(example.texts, example.label)
    return seen
