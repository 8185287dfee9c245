"""Rows of CLUE for reading, choice and tagging; see `clue`."""

import dataclasses

from albert_zh.tasks.dataset import Dataset, Settings, Submission
from albert_zh.tasks.datasets.files import FEW, NOT_STATED, SPLITS, clue_address, clue_sizes
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.readers.c3 import read_c3
from albert_zh.tasks.readers.chid import read_chid
from albert_zh.tasks.readers.entities import read_entities
from albert_zh.tasks.readers.squad import read_squad
from albert_zh.tasks.scorers import clue_reading, measures
from albert_zh.tasks.submissions import answer_object, blank_object, entity_lines, label_lines
from albert_zh.tasks.task import Task

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
        source=clue_address("cmrc2018"),
        licence="CC BY-SA 4.0",
        sizes=clue_sizes(10_142, 3_219, 2_000),
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
        source=clue_address("drcd"),
        licence="CC BY-SA 3.0",
        sizes=clue_sizes(26_936, 3_524, 3_493),
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
        source=clue_address("c3"),
        licence="for research, not commercial",
        sizes={**clue_sizes(11_869, 3_816, 1_625), "test1.0": 3_892},
        settings=Settings(32, 512, 8, 5e-5),
    ),
)
CHID = Task(
    name="chid",
    kind=CHOICE,
    read=read_chid,
    files={
        "train": ("train.json", FEW["train"]),
        "dev": ("dev.json", FEW["dev"]),
        "test": ("test1.1.json", "test.json", "test1.0.json", FEW["test"]),
    },
    labels=tuple(str(number) for number in range(10)),
    metric="accuracy_one_to_one",
    measure=measures.blanks_one_to_one,
    submission=Submission(
        "chid11_predict.json", blank_object, {"test1.0.json": "chid10_predict.json"}
    ),
    dataset=Dataset(
        source=clue_address("chid"),
        licence=NOT_STATED,
        # Rows; each has passages with blanks.
        sizes={**clue_sizes(84_709, 3_218, 3_447), "test1.0": 3_231},
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
        source=clue_address("cluener"),
        licence=NOT_STATED,
        sizes=clue_sizes(10_748, 1_343, 1_345),
        settings=Settings(32, 128, 4, 1e-4, is_published=False),
        metric="mean F1 of the labels",
    ),
)
