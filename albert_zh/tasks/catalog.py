"""The known datasets. A new one is a row here."""

import dataclasses
from collections.abc import Mapping

from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.task import Columns, Keys, Kind, Task

_SPLITS = ("train", "dev", "test")
_TABLES = {
    split: tuple(f"{split}.{ending}" for ending in ("txt", "tsv", "csv")) for split in _SPLITS
}
_JSON = {split: (f"{split}.json", *_TABLES[split]) for split in _SPLITS}
_PAIR, _SINGLE = Columns(text_a=0, text_b=1, label=2), Columns(text_a=0, text_b=None, label=1)
_SENTENCE = Keys(("sentence",))

_LCQMC = Task(
    name="lcqmc",
    kind=CLASSIFICATION,
    files=_TABLES,
    columns=_PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
)

_AFQMC = Task(
    name="afqmc",
    kind=CLASSIFICATION,
    files=_JSON,
    columns=_PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
)
_TNEWS = Task(
    name="tnews",
    kind=CLASSIFICATION,
    files=_JSON,
    columns=_SINGLE,
    keys=_SENTENCE,
    labels=tuple(str(number) for number in range(100, 117) if number not in (105, 111)),
)
_IFLYTEK = dataclasses.replace(
    _TNEWS, name="iflytek", labels=tuple(str(number) for number in range(119))
)
_OCNLI = Task(
    name="ocnli",
    kind=CLASSIFICATION,
    files=_JSON,
    columns=_PAIR,
    labels=("entailment", "neutral", "contradiction"),
    unlabelled=("-",),
)

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _LCQMC,
        # One dataset, two published names; both are evaluated on dev.
        dataclasses.replace(_LCQMC, name="lcqmc_pair"),
        # CLUE (Xu et al. 2020, arXiv:2004.05986).
        _AFQMC,
        _TNEWS,
        _IFLYTEK,
        _OCNLI,
        dataclasses.replace(_OCNLI, name="cmnli"),
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
