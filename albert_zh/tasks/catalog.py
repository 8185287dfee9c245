"""The known datasets. A new one is a row here."""

import dataclasses
from collections.abc import Mapping

from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.task import Columns, Kind, Task

_TRAIN_DEV_TEST = {
    "train": ("train.txt", "train.tsv", "train.csv"),
    "dev": ("dev.txt", "dev.tsv", "dev.csv"),
    "test": ("test.txt", "test.tsv", "test.csv"),
}

_LCQMC = Task(
    name="lcqmc",
    kind=CLASSIFICATION,
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
    """The task of that name, in upper or lower case as published scripts accept it.

    >>> find_task("LCQMC").labels
    ('0', '1')

    Raises:
        ValueError: There is no such task.
    """
    if name.lower() not in TASKS:
        raise ValueError(f"unknown task {name!r}; known tasks are {', '.join(sorted(TASKS))}")
    return TASKS[name.lower()]


def find_kind(name: str) -> Kind:
    """The kind of that name, among those of the known datasets.

    Raises:
        ValueError: There is no such kind.
    """
    kinds = {task.kind.name: task.kind for task in TASKS.values()}
    if name not in kinds:
        raise ValueError(f"unknown kind of task {name!r}; known kinds are {', '.join(kinds)}")
    return kinds[name]
