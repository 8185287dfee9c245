"""Flags of the programs that write a model for other programs."""

import dataclasses
import shutil

from albert_zh.flags import REQUIRED, option
from albert_zh.inference.options import ModelOptions
from albert_zh.util.files import check_is_local
from albert_zh.util.new_directory import check_is_new
from albert_zh.util.process_pool import available_cores


@dataclasses.dataclass(frozen=True)
class SourceOptions(ModelOptions):
    """The model, of any kind, and what a checkpoint of other toolkits does not tell."""

    head: str = option(
        "own",
        "own: what the model was trained for; encoder: vectors of texts and tokens alone.",
        choices=("own", "encoder"),
    )
    labels: str | None = option(
        None,
        "Comma-separated names of the classes, for checkpoints without a meta.json. Default: "
        "0,1,...",
    )
    do_lower_case: bool | None = option(
        None,
        "Texts were lower-cased in the training. Default: as noted with the model, or else True.",
    )

    @property
    def label_names(self) -> list[str] | None:
        return [label.strip() for label in self.labels.split(",")] if self.labels else None


@dataclasses.dataclass(frozen=True)
class ToTransformersOptions(SourceOptions):
    """The model, and where it goes."""

    output_dir: str = option(REQUIRED, "New folder, which transformers can read.")

    def check(self) -> None:
        check_is_local(self.output_dir)
        check_is_new(self.output_dir)
        super().check()


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """The export, and the cases in which its formats are measured."""

    export_dir: str = option(REQUIRED, "Folder of an export.")
    formats: str | None = option(
        None, "Comma-separated formats. Default: all that the export has and that can run here."
    )
    lengths: str | None = option(
        None, "Tokens of a text, comma-separated. Default: 32,128, or the fixed length."
    )
    batch_sizes: str | None = option(
        None, "Texts at once, comma-separated. Default: 1, or the fixed number."
    )
    threads: str = option("1", "Threads that compute, comma-separated.")
    rounds: int = option(3, "Turns of every format in every case.", at_least=1)
    seconds: float = option(2.0, "Length of a turn.", at_least=0.0)
    against_python: str | None = option(
        None,
        "Python with torch and transformers, which runs the format transformers; without it, this "
        "Python does, where it has them.",
    )
    output_dir: str | None = option(
        None, "New folder for the table, the numbers and a picture. Default: print the table only."
    )

    def check(self) -> None:
        for name in ("lengths", "batch_sizes", "threads"):
            self.numbers(name)
        if max(self.numbers("threads")) > (cores := available_cores()):
            raise ValueError(f"--threads={self.threads}: there are {cores} cores")
        if self.against_python and not shutil.which(self.against_python):
            raise ValueError(f"--against_python={self.against_python} is no program")
        if self.output_dir:
            check_is_local(self.output_dir)
            check_is_new(self.output_dir)

    def numbers(self, name: str) -> list[int]:
        """The numbers that a flag lists; none without the flag.

        Raises:
            ValueError: One is none, or is less than 1.
        """
        text = getattr(self, name)
        if text is None:
            return []
        numbers = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
        if min(numbers) < 1:
            raise ValueError(f"--{name}={text} has to list whole numbers from 1 on")
        return numbers
