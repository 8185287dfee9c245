"""Rows of CLUE (Xu et al. 2020, arXiv:2004.05986) for one text and for pairs.

The settings are those with which brightmart's ALBERT-tiny was measured
(https://github.com/CLUEbenchmark/CLUE).
"""

import dataclasses

from albert_zh.tasks.dataset import Dataset, Settings, Submission
from albert_zh.tasks.datasets.files import (
    FEW,
    JSON,
    NOT_STATED,
    PAIR,
    SENTENCE,
    SINGLE,
    clue_address,
    clue_files,
    clue_sizes,
)
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.readers.cluewsc import read_cluewsc
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.submissions import label_lines
from albert_zh.tasks.task import Keys, Task

AFQMC = Task(
    name="afqmc",
    kind=CLASSIFICATION,
    read=read_texts,
    files=JSON,
    columns=PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
    submission=Submission("afqmc_predict.json", label_lines),
    dataset=Dataset(
        source=clue_address("afqmc"),
        licence=NOT_STATED,
        sizes=clue_sizes(34_334, 4_316, 3_861),
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
        source=clue_address("tnews"),
        licence=NOT_STATED,
        sizes={**clue_sizes(53_360, 10_000, 10_000), "test1.0": 10_000},
        settings=Settings(16, 128, 3, 2e-5),
    ),
)
IFLYTEK = Task(
    name="iflytek",
    kind=CLASSIFICATION,
    read=read_texts,
    files=clue_files(),
    columns=SINGLE,
    keys=SENTENCE,
    labels=tuple(str(number) for number in range(119)),
    submission=Submission("iflytek_predict.json", label_lines),
    dataset=Dataset(
        source=clue_address("iflytek"),
        licence=NOT_STATED,
        sizes=clue_sizes(12_133, 2_599, 2_600),
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
        source=clue_address("ocnli"),
        licence="CC BY-NC 2.0",
        sizes=clue_sizes(50_437, 2_950, 3_000),
        settings=Settings(64, 128, 3, 3e-5, is_published=False),
    ),
)
CMNLI = dataclasses.replace(
    OCNLI,
    name="cmnli",
    labels=("contradiction", "entailment", "neutral"),  # in the published order
    submission=Submission("cmnli_predict.json", label_lines),
    dataset=Dataset(
        source=clue_address("cmnli"),
        licence=NOT_STATED,
        sizes=clue_sizes(391_783, 12_241, 13_880),
        settings=Settings(64, 128, 2, 3e-5),
    ),
)
CLUEWSC = Task(
    name="cluewsc2020",
    kind=CLASSIFICATION,
    read=read_cluewsc,
    files=clue_files(test=("test1.1.json", "test.json", "test1.0.json", FEW["test"])),
    columns=SINGLE,
    keys=SENTENCE,
    labels=("true", "false"),  # true: the pronoun stands for the noun
    submission=Submission(
        "cluewsc11_predict.json",
        label_lines,
        {"test1.0.json": "cluewsc10_predict.json", 290: "cluewsc10_predict.json"},
    ),
    dataset=Dataset(
        source=clue_address("cluewsc2020"),
        licence=NOT_STATED,
        sizes={**clue_sizes(1_244, 304, 2_574), "test1.0": 290},
        settings=Settings(8, 128, 50, 1e-4),
    ),
)
CSL = Task(
    name="csl",
    kind=CLASSIFICATION,
    read=read_texts,
    files=clue_files(),
    columns=PAIR,
    keys=Keys(("keyword", "abst")),
    labels=("0", "1"),  # 1: all keywords are those of the abstract
    submission=Submission("csl_predict.json", label_lines),
    dataset=Dataset(
        source=clue_address("csl"),
        licence=NOT_STATED,
        sizes=clue_sizes(20_000, 3_000, 3_000),
        settings=Settings(4, 256, 5, 1e-5),
    ),
)
