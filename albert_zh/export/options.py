"""Flags of the programs that write a model for other programs."""

import dataclasses

from albert_zh.flags import REQUIRED, option
from albert_zh.inference.options import ModelOptions
from albert_zh.util.files import check_is_local
from albert_zh.util.new_directory import check_is_new


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
    do_lower_case: bool = option(
        True,
        "Texts were lower-cased in pretraining; for pretrained models, which do not note it.",
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
