"""A dataset is a row: which files, which columns, which labels. A new one goes into `TASKS`."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where a tab-separated row keeps what, counted from 0."""

    text_a: int
    text_b: int | None  # None: the task has one text
    label: int

    @property
    def texts(self) -> tuple[int, ...]:
        """The columns of a row's texts."""
        return (self.text_a,) if self.text_b is None else (self.text_a, self.text_b)


@dataclasses.dataclass(frozen=True)
class Task:
    """One dataset of labelled texts or text pairs."""

    name: str  # value of --task_name
    files: Mapping[str, tuple[str, ...]]  # split -> file names; the first one present is read
    columns: Columns
    labels: tuple[str, ...]  # a label's place is its id in the model
    metric: str = "accuracy"  # what the best checkpoint is chosen by


_TRAIN_DEV_TEST = {
    "train": ("train.txt", "train.tsv"),
    "dev": ("dev.txt", "dev.tsv"),
    "test": ("test.txt", "test.tsv"),
}

_LCQMC = Task(
    name="lcqmc",
    files=_TRAIN_DEV_TEST,
    columns=Columns(text_a=0, text_b=1, label=2),
    labels=("0", "1"),  # 1: the two questions ask the same
)

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _LCQMC,
        # One dataset, two published names; both are evaluated on dev.
        dataclasses.replace(_LCQMC, name="lcqmc_pair"),
    )
}


def find_task(name: str) -> Task:
    """The task of that name; published scripts accept it in any case, and so do we.

    >>> find_task("LCQMC").labels
    ('0', '1')

    Raises:
        ValueError: There is no such task.
    """
    if name.lower() not in TASKS:
        raise ValueError(f"unknown task {name!r}; known tasks are {', '.join(sorted(TASKS))}")
    return TASKS[name.lower()]
