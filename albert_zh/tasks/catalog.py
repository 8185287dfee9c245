"""The known datasets. A new one is a row in a file of `tasks.datasets`."""

import dataclasses
from collections.abc import Mapping

from albert_zh.tasks.datasets import chinese, clue
from albert_zh.tasks.task import Task

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        chinese.LCQMC,
        # One dataset, two published names; both are evaluated on dev.
        dataclasses.replace(chinese.LCQMC, name="lcqmc_pair"),
        clue.AFQMC,
        clue.TNEWS,
        clue.IFLYTEK,
        clue.CMNLI,
        clue.OCNLI,
        clue.CMRC2018,
        clue.DRCD,
        clue.C3,
        clue.CLUENER,
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
