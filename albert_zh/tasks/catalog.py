"""The known datasets. A new one is a row here."""

import dataclasses
from collections.abc import Mapping, Sequence

from albert_zh.tasks.examples import ReadingExample, TaggingExample
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING, TextPrediction
from albert_zh.tasks.kinds.tagging import TAGGING, TagPrediction
from albert_zh.tasks.readers.c3 import read_c3
from albert_zh.tasks.readers.entities import read_entities
from albert_zh.tasks.readers.squad import read_squad
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.scorers import clue_reading, entities
from albert_zh.tasks.task import Columns, Keys, Task

_SPLITS = ("train", "dev", "test")
_TABLES = {
    split: tuple(f"{split}.{ending}" for ending in ("txt", "tsv", "csv")) for split in _SPLITS
}
_JSON = {split: (f"{split}.json", *_TABLES[split]) for split in _SPLITS}
_PAIR, _SINGLE = Columns(text_a=0, text_b=1, label=2), Columns(text_a=0, text_b=None, label=1)
_SENTENCE = Keys(("sentence",))

_DRCD = {"train": "training", "dev": "dev", "test": "test"}


def _clue_reading(
    examples: Sequence[ReadingExample], predictions: Sequence[TextPrediction], labels: Sequence[str]
) -> dict[str, float]:
    predicted = {str(number): each.text for number, each in enumerate(predictions)}
    answers = {
        str(number): [answer.text for answer in each.answers or ()]
        for number, each in enumerate(examples)
    }
    return clue_reading.scores(predicted, answers)


def _cluener(
    examples: Sequence[TaggingExample], predictions: Sequence[TagPrediction], labels: Sequence[str]
) -> dict[str, float]:
    return entities.cluener_f1(examples, [each.entities for each in predictions], labels)


_LCQMC = Task(
    name="lcqmc",
    kind=CLASSIFICATION,
    read=read_texts,
    files=_TABLES,
    columns=_PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
)

_AFQMC = Task(
    name="afqmc",
    kind=CLASSIFICATION,
    read=read_texts,
    files=_JSON,
    columns=_PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
)
_TNEWS = Task(
    name="tnews",
    kind=CLASSIFICATION,
    read=read_texts,
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
    read=read_texts,
    files=_JSON,
    columns=_PAIR,
    labels=("entailment", "neutral", "contradiction"),
    unlabelled=("-",),
)

_CMRC2018 = Task(
    name="cmrc2018",
    kind=READING,
    read=read_squad,
    files={split: (f"{split}.json", f"cmrc2018_{split}.json") for split in _SPLITS},
    labels=(),
    metric="average",
    measure=_clue_reading,
    measure_needs=clue_reading.NEEDS,
)
_C3 = Task(
    name="c3",
    kind=CHOICE,
    read=read_c3,
    files={
        split: (
            (f"c3-d-{split}.json", f"c3-m-{split}.json"),
            (f"d-{split}.json", f"m-{split}.json"),
        )
        for split in _SPLITS
    },
    labels=("0", "1", "2", "3"),
)
_CLUENER = Task(
    name="cluener",
    kind=TAGGING,
    read=read_entities,
    files={split: (f"{split}.json",) for split in _SPLITS},
    labels=(
        "address",
        "book",
        "company",
        "game",
        "government",
        "movie",
        "name",
        "organization",
        "position",
        "scene",
    ),
    metric="f1",
    measure=_cluener,
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
        _CMRC2018,
        dataclasses.replace(
            _CMRC2018,
            name="drcd",
            files={split: (f"DRCD_{_DRCD[split]}.json", f"{split}.json") for split in _SPLITS},
        ),
        _C3,
        _CLUENER,
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
