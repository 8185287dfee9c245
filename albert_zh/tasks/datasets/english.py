"""Rows of English datasets: GLUE (Wang et al. 2018, arXiv:1804.07461), SQuAD and RACE.

Models of English text come with a SentencePiece model: --spm_model_file.
"""

import dataclasses

from albert_zh.tasks.dataset import Dataset
from albert_zh.tasks.datasets.files import SPLITS
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.regression import REGRESSION
from albert_zh.tasks.readers.cola import read_cola
from albert_zh.tasks.readers.named import read_named
from albert_zh.tasks.readers.race import read_race
from albert_zh.tasks.readers.squad import read_squad
from albert_zh.tasks.scorers import measures
from albert_zh.tasks.task import Keys, Kind, Task

_TSV = {split: (f"{split}.tsv",) for split in SPLITS}
_GLUE = "https://dl.fbaipublicfiles.com/glue/data"
_PAIR = ("sentence1", "sentence2")


def _glue(
    name: str,
    *,
    texts: tuple[str, ...],
    sizes: tuple[int, int, int],
    file: str | None = None,
    label: str = "label",
    labels: tuple[str, ...] = ("0", "1"),
    kind: Kind = CLASSIFICATION,
    shown: str = "accuracy",
    **settings,
) -> Task:
    """A row of GLUE; `file` is the name of its archive, if any, `shown` its metric for people."""
    row = {"read": read_named, "files": _TSV, **settings}
    return Task(
        name=name,
        kind=kind,
        keys=Keys(texts, label, "index"),
        labels=labels,
        dataset=Dataset(
            source=f"{_GLUE}/{file}.zip" if file else "https://gluebenchmark.com/tasks",
            licence="see https://gluebenchmark.com",
            sizes=dict(zip(SPLITS, sizes, strict=True)),
            metric=shown,
        ),
        **row,
    )


COLA = _glue(
    "cola",
    file="CoLA",
    texts=("sentence",),
    sizes=(8_551, 1_043, 1_063),
    read=read_cola,
    metric="matthews",
    measure=measures.matthews,
    shown="Matthews correlation",
)
SST2 = _glue("sst-2", file="SST-2", texts=("sentence",), sizes=(67_349, 872, 1_821))
MRPC = _glue(
    "mrpc",
    texts=("#1 String", "#2 String"),
    label="Quality",
    sizes=(3_668, 408, 1_725),
    metric="f1",
    measure=measures.f1_of_second,
    shown="F1, accuracy",
)
STSB = _glue(
    "sts-b",
    file="STS-B",
    texts=_PAIR,
    label="score",
    labels=(),
    sizes=(5_749, 1_500, 1_379),
    kind=REGRESSION,
    metric="corr",
    shown="Pearson, Spearman",
)
QQP = _glue(
    "qqp",
    file="QQP-clean",
    texts=("question1", "question2"),
    label="is_duplicate",
    sizes=(363_846, 40_430, 390_965),
    metric="f1",
    measure=measures.f1_of_second,
    has_malformed_rows=True,  # Some questions have line ends.
    shown="F1, accuracy",
)
MNLI = _glue(
    "mnli",
    file="MNLI",
    texts=_PAIR,
    label="gold_label",
    labels=("contradiction", "entailment", "neutral"),
    sizes=(392_702, 9_815, 9_796),
    files={"train": _TSV["train"], "dev": ("dev_matched.tsv",), "test": ("test_matched.tsv",)},
)
# The other dev and test set of the same training set.
MNLI_MISMATCHED = dataclasses.replace(
    MNLI,
    name="mnli-mm",
    files={
        "train": _TSV["train"],
        "dev": ("dev_mismatched.tsv",),
        "test": ("test_mismatched.tsv",),
    },
    dataset=dataclasses.replace(
        MNLI.dataset, sizes={"train": 392_702, "dev": 9_832, "test": 9_847}
    ),
)
QNLI = _glue(
    "qnli",
    file="QNLIv2",
    texts=("question", "sentence"),
    labels=("entailment", "not_entailment"),
    sizes=(104_743, 5_463, 5_463),
)
RTE = _glue(
    "rte",
    file="RTE",
    texts=_PAIR,
    labels=("entailment", "not_entailment"),
    sizes=(2_490, 277, 3_000),
)


def _squad(version: str, *, train: int, dev: int, labels: tuple[str, ...]) -> Task:
    return Task(
        name=f"squad{version}",
        kind=READING,
        read=read_squad,
        files={split: (f"{split}-v{version}.json", f"{split}.json") for split in SPLITS},
        labels=labels,
        metric="f1",
        measure=measures.squad_answers,
        dataset=Dataset(
            source=f"https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v{version}.json",
            licence="CC BY-SA 4.0",
            sizes={"train": train, "dev": dev},
            metric="exact match, F1",
        ),
    )


SQUAD1 = _squad("1.1", train=87_599, dev=10_570, labels=())
SQUAD2 = _squad("2.0", train=130_319, dev=11_873, labels=("",))  # "": no answer
RACE = Task(
    name="race",
    kind=CHOICE,
    read=read_race,
    files={
        split: ((f"{split}/middle/", f"{split}/high/"), f"{split}/high/", f"{split}/middle/")
        for split in SPLITS
    },
    labels=("A", "B", "C", "D"),
    dataset=Dataset(
        source="http://www.cs.cmu.edu/~glai1/data/race/RACE.tar.gz",
        licence="for research, not commercial",
        sizes={"train": 87_866, "dev": 4_887, "test": 4_934},
    ),
)
