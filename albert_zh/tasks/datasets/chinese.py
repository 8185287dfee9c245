"""Rows of Chinese datasets outside of CLUE."""

import dataclasses

from albert_zh.tasks.dataset import Dataset, Settings
from albert_zh.tasks.datasets.files import PAIR, SPLITS, TABLES
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.readers.copa import read_copa
from albert_zh.tasks.readers.entities import read_entities
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.readers.xnli import read_xnli
from albert_zh.tasks.scorers.measures import placed_entities
from albert_zh.tasks.task import Columns, Keys, Task

LCQMC = Task(
    name="lcqmc",
    kind=CLASSIFICATION,
    read=read_texts,
    files=TABLES,
    columns=PAIR,
    labels=("0", "1"),  # 1: the two questions ask the same
    dataset=Dataset(
        source="http://icrc.hitsz.edu.cn/info/1037/1146.htm",
        licence="for research, on application",
        sizes={"train": 238_766, "dev": 8_802, "test": 12_500},
        settings=Settings(64, 128, 5, 1e-4),
    ),
)
BQ = dataclasses.replace(
    LCQMC,
    name="bq",
    dataset=Dataset(
        source="http://icrc.hitsz.edu.cn/info/1037/1162.htm",
        licence="for research, on application",
        sizes={"train": 100_000, "dev": 10_000, "test": 10_000},
    ),
)
# The published code's task for files of the user's own.
SENTENCE_PAIR = Task(
    name="sentence_pair",
    kind=CLASSIFICATION,
    read=read_texts,
    files={split: (f"{split}_0827.tsv", *TABLES[split]) for split in SPLITS},
    columns=Columns(text_a=1, text_b=2, label=0),
    labels=("0", "1"),
)
CHNSENTICORP = Task(
    name="chnsenticorp",
    kind=CLASSIFICATION,
    read=read_texts,
    files=TABLES,
    columns=Columns(text_a=1, text_b=None, label=0),
    labels=("0", "1"),  # 1: a good review
    dataset=Dataset(
        source="https://bj.bcebos.com/paddlehub-dataset/chnsenticorp.tar.gz",
        licence="not stated",
        sizes={"train": 9_600, "dev": 1_200, "test": 1_200},
    ),
)
PAWSX = Task(
    name="paws-x",
    kind=CLASSIFICATION,
    read=read_texts,
    files={
        "train": ("translated_train.tsv", "zh/translated_train.tsv", *TABLES["train"]),
        "dev": ("dev_2k.tsv", "zh/dev_2k.tsv", *TABLES["dev"]),
        "test": ("test_2k.tsv", "zh/test_2k.tsv", *TABLES["test"]),
    },
    columns=PAIR,
    labels=("0", "1"),  # 1: a paraphrase
    has_malformed_rows=True,  # Some sentences were not translated.
    dataset=Dataset(
        source="https://storage.googleapis.com/paws/pawsx/x-final.tar.gz",
        licence="free for any purpose, with acknowledgement",
        sizes={"train": 49_401, "dev": 2_000, "test": 2_000},
    ),
)
XNLI = Task(
    name="xnli",
    kind=CLASSIFICATION,
    read=read_xnli,
    files={
        "train": ("train.json", "multinli/multinli.train.zh.tsv", "multinli.train.zh.tsv"),
        "dev": ("dev.json", "xnli.dev.tsv"),
        "test": ("test.json", "xnli.test.tsv"),
    },
    keys=Keys(("premise", "hypo")),
    labels=("contradiction", "entailment", "neutral"),
    dataset=Dataset(
        source="https://github.com/facebookresearch/XNLI",
        licence="CC BY-NC 4.0",
        sizes={"train": 392_702, "dev": 2_490, "test": 5_010},
    ),
)
COPA = Task(
    name="copa",
    kind=CHOICE,
    read=read_copa,
    files={
        "train": ("train.json", "train.jsonl"),
        "dev": ("dev.json", "val.jsonl"),
        "test": ("test.json", "test.jsonl"),
    },
    labels=("0", "1"),
    dataset=Dataset(
        source="https://storage.googleapis.com/cluebenchmark/tasks/copa_public.zip",
        licence="not stated",
        sizes={"train": 400, "dev": 100, "test": 500},
    ),
)
PEOPLES_DAILY = Task(
    name="peoples_daily",
    kind=TAGGING,
    read=read_entities,
    files={split: (f"example.{split}", f"{split}.txt", f"{split}.tsv") for split in SPLITS},
    labels=("LOC", "ORG", "PER"),
    metric="f1",
    measure=placed_entities,
    dataset=Dataset(
        source="http://s3.bmio.net/kashgari/china-people-daily-ner-corpus.tar.gz",
        licence="not stated",
        sizes={"train": 20_864, "dev": 2_318, "test": 4_636},
        metric="F1 of entities",
    ),
)
MSRA_NER = dataclasses.replace(
    PEOPLES_DAILY,
    name="msra_ner",
    files={
        "train": ("msra_train_bio.txt", "train.tsv", "train.txt"),
        # Some publishers have no dev set.
        "dev": ("dev.tsv", "dev.txt", "msra_test_bio.txt", "test.tsv", "test.txt"),
        "test": ("msra_test_bio.txt", "test.tsv", "test.txt"),
    },
    dataset=Dataset(
        source="https://bj.bcebos.com/paddlenlp/datasets/msra_ner.tar.gz",
        licence="for research",
        sizes={"train": 45_000, "test": 3_442},
        metric="F1 of entities",
    ),
)
