"""The known datasets. A new one is a row in a file of `tasks.datasets`."""

import dataclasses
from collections.abc import Mapping

from albert_zh.tasks.datasets import chinese, clue, clue_reading, english
from albert_zh.tasks.task import Task

_ROWS = (
    chinese.LCQMC,
    clue.AFQMC,
    clue.TNEWS,
    clue.IFLYTEK,
    clue.CMNLI,
    clue.OCNLI,
    clue.CLUEWSC,
    clue.CSL,
    clue_reading.CMRC2018,
    clue_reading.DRCD,
    clue_reading.CHID,
    clue_reading.C3,
    clue_reading.CLUENER,
    chinese.BQ,
    chinese.CHNSENTICORP,
    chinese.PAWSX,
    chinese.XNLI,
    chinese.COPA,
    chinese.PEOPLES_DAILY,
    chinese.MSRA_NER,
    chinese.SENTENCE_PAIR,
    english.COLA,
    english.SST2,
    english.MRPC,
    english.STSB,
    english.QQP,
    english.MNLI,
    english.MNLI_MISMATCHED,
    english.QNLI,
    english.RTE,
    english.SQUAD1,
    english.SQUAD2,
    english.RACE,
)
# Further names by which published scripts call datasets.
ALIASES = {"lcqmc_pair": "lcqmc", "wsc": "cluewsc2020", "cluewsc": "cluewsc2020"}

TASKS: Mapping[str, Task] = {task.name: task for task in _ROWS}
TASKS |= {alias: dataclasses.replace(TASKS[name], name=alias) for alias, name in ALIASES.items()}


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
