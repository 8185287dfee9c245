"""Rows of Chinese datasets outside of CLUE."""

from albert_zh.tasks.dataset import Dataset, Settings
from albert_zh.tasks.datasets.files import PAIR, TABLES
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.readers.texts import read_texts
from albert_zh.tasks.task import Task

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
