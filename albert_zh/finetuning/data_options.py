"""Flags of the data of a fine-tuning: the task and its files."""

import dataclasses

from albert_zh.finetuning.task import task_of_flags
from albert_zh.flags import option
from albert_zh.tasks.custom_forms import FORMS
from albert_zh.tasks.task import Task

OF_RUN = "Default: as the run in --output_dir"


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Flags of the task and its files."""

    data_dir: str | None = option(
        None, "Directory with the files of the task, called train, dev and test."
    )
    train_file: str | None = option(
        None, "Training file, instead of the one in --data_dir.", is_file=True
    )
    dev_file: str | None = option(
        None, "Validation file, instead of the one in --data_dir.", is_file=True
    )
    input_file: str | None = option(
        None, "File to predict, instead of the test file in --data_dir.", is_file=True
    )
    dev_fraction: float | None = option(
        None,
        "Share of the training file that becomes the validation set, the same in every run: each "
        f"label with its share, equal texts together, and all questions about a text. {OF_RUN}.",
        above=0,
        below=1,
    )
    task_name: str | None = option(
        None,
        "Name of the task, such as lcqmc; custom for files of your own; or a task.json that a run "
        f"wrote. {OF_RUN}, else required.",
    )
    text_columns: str | None = option(
        None,
        "Column of the text, or of the two texts as A,B, for --task_name=custom. Default: those "
        "whose names tell, such as text or sentence1.",
    )
    label_column: str | None = option(
        None, "Column of the labels, for --task_name=custom. Default: the one called label or so."
    )
    kind: str | None = option(
        None,
        "Kind of --task_name=custom: classification (the default); regression, whose labels are "
        "numbers; tagging, columns of characters and tags such as B-PER, or JSON lines; reading, "
        "JSON as of SQuAD, or JSON lines; choice, JSON lines with text, question, choices, label.",
        choices=list(FORMS),
    )

    def __post_init__(self):
        if self.dev_file and self.dev_fraction is not None:
            raise ValueError("--dev_file and --dev_fraction both name a validation set; give one")

    def task(self) -> Task:
        """The task of complete options; see `task_of_flags`."""
        return task_of_flags(
            self.task_name,
            output_dir=self.output_dir,
            data_dir=self.data_dir,
            files={"train": self.train_file, "dev": self.dev_file, "test": self.input_file},
            text_columns=self.text_columns,
            label_column=self.label_column,
            kind=self.kind,
        )
