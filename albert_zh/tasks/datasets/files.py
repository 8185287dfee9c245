"""Names that the files of many datasets have, and the columns and keys in them."""

from albert_zh.tasks.task import Columns, Keys

SPLITS = ("train", "dev", "test")
TABLES = {split: tuple(f"{split}.{ending}" for ending in ("txt", "tsv", "csv")) for split in SPLITS}
JSON = {split: (f"{split}.json", *TABLES[split]) for split in SPLITS}
PAIR, SINGLE = Columns(text_a=0, text_b=1, label=2), Columns(text_a=0, text_b=None, label=1)
SENTENCE = Keys(("sentence",))
