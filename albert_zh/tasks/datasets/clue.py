"""Rows of CLUE (Xu et al. 2020, arXiv:2004.05986) and CLUENER.

The settings are those with which brightmart's ALBERT-tiny was measured
(https://github.com/CLUEbenchmark/CLUE).
"""

import dataclasses

from albert_zh.tasks.dataset import Dataset, Settings, Submission
from albert_zh.tasks.datasets.files import JSON, PAIR, SENTENCE, SINGLE, SPLITS
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.readers.c3 import read_c3
from albert_zh.tasks.readers.chid import read_chid
from albert_zh.tasks.readers.cluewsc import read_cluewsc
from albert_zh.tasks.readers.entities import read_entities
from albert_zh.tasks.readers.squad import read_squad
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.scorers import clue_reading, measures
from albert_zh.tasks.submissions import answer_object, blank_object, entity_lines, label_lines
from albert_zh.tasks.task import Keys, Task

_NOT_STATED = "not stated"


def _address(name: str) -> str:
    return f"https://storage.googleapis.com/cluebenchmark/tasks/{name}_public.zip"


def _sizes(train: int, dev: int, test: int) -> dict[str, int]:
    return {"train": train, "dev": dev, "test": test}


# Names of FewCLUE's files, for the tasks that it has, too.
_FEW = {"train": "train_few_all.json", "dev": "dev_few_all.json", "test": "test_public.json"}


def _files(**tests: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Files of a task that is in FewCLUE, too."""
    return {split: (*JSON[split], few) for split, few in _FEW.items()} | tests


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
    files=_files(),
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
    # OCNLI also has subsets of its training set, such as train.3k.json.
    files={**JSON, "train": ("train.json", "train.50k.json", *JSON["train"][1:])},
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
CLUEWSC = Task(
    name="cluewsc2020",
    kind=CLASSIFICATION,
    read=read_cluewsc,
    files=_files(test=("test1.1.json", "test.json", "test1.0.json", _FEW["test"])),
    columns=SINGLE,
    keys=SENTENCE,
    labels=("true", "false"),  # true: the pronoun stands for the noun
    submission=Submission(
        "cluewsc11_predict.json",
        label_lines,
        {"test1.0.json": "cluewsc10_predict.json", 290: "cluewsc10_predict.json"},
    ),
    dataset=Dataset(
        source=_address("cluewsc2020"),
        licence=_NOT_STATED,
        sizes={**_sizes(1_244, 304, 2_574), "test1.0": 290},
        settings=Settings(8, 128, 50, 1e-4),
    ),
)
CSL = Task(
    name="csl",
    kind=CLASSIFICATION,
    read=read_texts,
    files=_files(),
    columns=PAIR,
    keys=Keys(("keyword", "abst")),
    labels=("0", "1"),  # 1: all keywords are those of the abstract
    submission=Submission("csl_predict.json", label_lines),
    dataset=Dataset(
        source=_address("csl"),
        licence=_NOT_STATED,
        sizes=_sizes(20_000, 3_000, 3_000),
        settings=Settings(4, 256, 5, 1e-5),
    ),
)
CMRC2018 = Task(
    name="cmrc2018",
    kind=READING,
    read=read_squad,
    files={split: (f"{split}.json", f"cmrc2018_{split}.json") for split in SPLITS},
    labels=(),
    metric="average",
    measure=measures.clue_answers,
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
    submission=Submission(
        "c311_predict.json",
        label_lines,
        {"test1.0.json": "c310_predict.json", 3_892: "c310_predict.json"},
    ),
    dataset=Dataset(
        source=_address("c3"),
        licence="for research, not commercial",
        sizes={**_sizes(11_869, 3_816, 1_625), "test1.0": 3_892},
        settings=Settings(32, 512, 8, 5e-5),
    ),
)
CHID = Task(
    name="chid",
    kind=CHOICE,
    read=read_chid,
    files={
        "train": ("train.json", _FEW["train"]),
        "dev": ("dev.json", _FEW["dev"]),
        "test": ("test1.1.json", "test.json", "test1.0.json", _FEW["test"]),
    },
    labels=tuple(str(number) for number in range(10)),
    metric="accuracy_one_to_one",
    measure=measures.blanks_one_to_one,
    submission=Submission(
        "chid11_predict.json", blank_object, {"test1.0.json": "chid10_predict.json"}
    ),
    dataset=Dataset(
        source=_address("chid"),
        licence=_NOT_STATED,
        # Rows; each has passages with blanks.
        sizes={**_sizes(84_709, 3_218, 3_447), "test1.0": 3_231},
        settings=Settings(24, 64, 3, 2e-5),
        metric="accuracy of the blanks",
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
    measure=measures.cluener_entities,
    submission=Submission("cluener_predict.json", entity_lines),
    dataset=Dataset(
        source=_address("cluener"),
        licence=_NOT_STATED,
        sizes=_sizes(10_748, 1_343, 1_345),
        settings=Settings(32, 128, 4, 1e-4, is_published=False),
        metric="mean F1 of the labels",
    ),
)
