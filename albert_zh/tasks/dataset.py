"""Facts of a dataset that somebody published, and the file that its benchmark accepts."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a fine-tuning of ALBERT-tiny; the names are those of the flags."""

    train_batch_size: int
    max_seq_length: int
    num_train_epochs: float
    learning_rate: float
    warmup_proportion: float = 0.1
    is_published: bool = True  # False: our choice, where nobody published any


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Origin of a dataset. Training uses nothing of it; scripts and people read it."""

    source: str  # address of the files, or of the page that tells how to get them
    licence: str  # as its authors state it
    # Split -> examples, without those that are left out; further test files by their names.
    sizes: Mapping[str, int]
    settings: Settings | None = None
    metric: str = "accuracy"  # as its benchmark calls what it ranks by, for people


# The content of a file to submit, out of examples in their order, their predictions and the labels.
Content = Callable[[Sequence[Any], Sequence[Any], Sequence[str]], str]


@dataclasses.dataclass(frozen=True)
class Submission:
    """The file of predictions for the test split that the site of a benchmark accepts."""

    name: str
    content: Content
    # Name for the predictions of another version of the test split: file of it, or its examples
    # where only that version has as many -> name.
    other_names: Mapping[str | int, str] = dataclasses.field(default_factory=dict)

    def name_for(self, path: str, *, num_examples: int | None = None) -> str:
        """Name of the file with the predictions for a test file.

        >>> c3 = Submission("c311_predict.json", str, {"test1.0.json": "c310_predict.json"})
        >>> c3.name_for("c3/test1.0.json"), c3.name_for("c3/test1.1.json")
        ('c310_predict.json', 'c311_predict.json')
        """
        by_size = self.other_names.get(num_examples, self.name)
        return self.other_names.get(os.path.basename(path), by_size)
