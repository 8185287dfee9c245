"""Rows of CLUE (Xu et al. 2020, arXiv:2004.05986) and CLUENER.

The settings are those with which brightmart's ALBERT-tiny was measured
(https://github.com/CLUEbenchmark/CLUE).
"""

import dataclasses
from collections.abc import Sequence

from albert_zh.tasks.dataset import Dataset, Settings, Submission
from albert_zh.tasks.datasets.files import JSON, PAIR, SENTENCE, SINGLE, SPLITS
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
from albert_zh.tasks.submissions import answer_object, entity_lines, label_lines
from albert_zh.tasks.task import Task

_NOT_STATED = "not stated"


def _address(name: str) -> str:
    return f"https://storage.googleapis.com/cluebenchmark/tasks/{name}_public.zip"


def _sizes(train: int, dev: int, test: int, **others: int) -> dict[str, int]:
    return {"train": train, "dev": dev, "test": test, **others}


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


AFQMC = Task(
    name="afqmc",
    kind=CLASSIFICATION,
    read=read_texts,
    files=JSON,
    columns=PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
    submission=Submission("afqmc_predict.json", label_lines),
    dataset=Dataset(
        source=_address("afqmc"),
        licence=_NOT_STATED,
        sizes=_sizes(34_334, 4_316, 3_861),
        settings=Settings(16, 128, 3, 2e-5),
    ),
)
TNEWS = Task(
    name="tnews",
    kind=CLASSIFICATION,
    read=read_texts,
    # test.json is CLUE 1.1's.
    files={**JSON, "test": ("test.json", "test1.1.json", *JSON["test"][1:])},
    columns=SINGLE,
    keys=SENTENCE,
    labels=tuple(str(number) for number in range(100, 117) if number not in (105, 111)),
    submission=Submission(
        "tnews11_predict.json", label_lines, {"test1.0.json": "tnews10_predict.json"}
    ),
    dataset=Dataset(
        source=_address("tnews"),
        licence=_NOT_STATED,
        sizes={**_sizes(53_360, 10_000, 10_000), "test1.0": 10_000},
        settings=Settings(16, 128, 3, 2e-5),
    ),
)
IFLYTEK = Task(
    name="iflytek",
    kind=CLASSIFICATION,
    read=read_texts,
    files=JSON,
    columns=SINGLE,
    keys=SENTENCE,
    labels=tuple(str(number) for number in range(119)),
    submission=Submission("iflytek_predict.json", label_lines),
    dataset=Dataset(
        source=_address("iflytek"),
        licence=_NOT_STATED,
        sizes=_sizes(12_133, 2_599, 2_600),
        settings=Settings(32, 128, 10, 2e-5),
    ),
)
OCNLI = Task(
    name="ocnli",
    kind=CLASSIFICATION,
    read=read_texts,
    files=JSON,
    columns=PAIR,
    labels=("entailment", "neutral", "contradiction"),
    unlabelled=("-",),
    submission=Submission("ocnli_50k_predict.json", label_lines),
    dataset=Dataset(
        source=_address("ocnli"),
        licence="CC BY-NC 2.0",
        sizes=_sizes(50_437, 2_950, 3_000),
        settings=Settings(64, 128, 3, 3e-5, is_published=False),
    ),
)
CMNLI = dataclasses.replace(
    OCNLI,
    name="cmnli",
    submission=Submission("cmnli_predict.json", label_lines),
    dataset=Dataset(
        source=_address("cmnli"),
        licence=_NOT_STATED,
        sizes=_sizes(391_783, 12_241, 13_880),
        settings=Settings(64, 128, 2, 3e-5),
    ),
)
CMRC2018 = Task(
    name="cmrc2018",
    kind=READING,
    read=read_squad,
    files={split: (f"{split}.json", f"cmrc2018_{split}.json") for split in SPLITS},
    labels=(),
    metric="average",
    measure=_clue_reading,
    measure_needs=clue_reading.NEEDS,
    submission=Submission("cmrc2018_predict.json", answer_object),
    dataset=Dataset(
        source=_address("cmrc2018"),
        licence="CC BY-SA 4.0",
        sizes=_sizes(10_142, 3_219, 2_000),
        settings=Settings(32, 512, 3, 2e-4),
        metric="exact match",
    ),
)
DRCD = dataclasses.replace(
    CMRC2018,
    name="drcd",
    files={
        split: (f"DRCD_{own}.json", f"{split}.json")
        for split, own in (("train", "training"), ("dev", "dev"), ("test", "test"))
    },
    submission=None,  # Its test file has answers.
    dataset=Dataset(
        source=_address("drcd"),
        licence="CC BY-SA 3.0",
        sizes=_sizes(26_936, 3_524, 3_493),
        settings=Settings(32, 512, 3, 2e-4),
        metric="exact match",
    ),
)
_C3_FILES = {
    split: (
        (f"c3-d-{split}.json", f"c3-m-{split}.json"),
        (f"d-{split}.json", f"m-{split}.json"),
    )
    for split in SPLITS
}
C3 = Task(
    name="c3",
    kind=CHOICE,
    read=read_c3,
    files={**_C3_FILES, "test": ("test1.1.json", *_C3_FILES["test"], "test1.0.json")},
    labels=("0", "1", "2", "3"),
    submission=Submission("c311_predict.json", label_lines, {"test1.0.json": "c310_predict.json"}),
    dataset=Dataset(
        source=_address("c3"),
        licence="for research, not commercial",
        sizes={**_sizes(11_869, 3_816, 1_625), "test1.0": 3_892},
        settings=Settings(32, 512, 8, 5e-5),
    ),
)
CLUENER = Task(
    name="cluener",
    kind=TAGGING,
    read=read_entities,
    files={split: (f"{split}.json",) for split in SPLITS},
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
    submission=Submission("cluener_predict.json", entity_lines),
    dataset=Dataset(
        source=_address("cluener"),
        licence=_NOT_STATED,
        sizes=_sizes(10_748, 1_343, 1_345),
        settings=Settings(32, 128, 4, 1e-4, is_published=False),
        metric="mean F1 of the labels",
    ),
)
