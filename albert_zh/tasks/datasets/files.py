"""Facts that many datasets share: names of files, columns and keys in them, addresses."""

from albert_zh.tasks.task import Columns, Keys

SPLITS = ("train", "dev", "test")
TABLES = {split: tuple(f"{split}.{ending}" for ending in ("txt", "tsv", "csv")) for split in SPLITS}
JSON = {split: (f"{split}.json", *TABLES[split]) for split in SPLITS}
PAIR, SINGLE = Columns(text_a=0, text_b=1, label=2), Columns(text_a=0, text_b=None, label=1)
SENTENCE = Keys(("sentence",))

NOT_STATED = "not stated"


def clue_address(name: str) -> str:
    """Published address of a dataset of CLUE."""
    return f"https://storage.googleapis.com/cluebenchmark/tasks/{name}_public.zip"


def clue_sizes(train: int, dev: int, test: int) -> dict[str, int]:
    """Examples of each split; of the test split, those of CLUE 1.1."""
    return {"train": train, "dev": dev, "test": test}


# Names of FewCLUE's files, for the tasks that it has, too.
FEW = {"train": "train_few_all.json", "dev": "dev_few_all.json", "test": "test_public.json"}


def clue_files(**tests: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Files of a task that is in FewCLUE, too."""
    return {split: (*JSON[split], few) for split, few in FEW.items()} | tests
