"""Flags of the programs that make one checkpoint of another."""

import dataclasses

from albert_zh.checkpoint.paths import check_checkpoint_exists
from albert_zh.checkpoint.positions import TRAINED_POSITIONS_HELP
from albert_zh.checkpoint.several import SEVERAL, find_several
from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.text.vocab import Vocab


@dataclasses.dataclass(frozen=True)
class SourceOptions:
    """The checkpoint that another one is made of."""

    init_checkpoint: str = option(
        REQUIRED,
        "Checkpoint to start from; or a folder, which stands for its best or newest one. "
        "Checkpoints of brightmart's and google's code are fine, too.",
    )
    bert_config_file: str = option(
        REQUIRED,
        "JSON file with the model configuration, from the checkpoint's release or run.",
        alias="albert_config_file",
        is_file=True,
    )
    vocab_file: str = option(REQUIRED, "Vocabulary of the checkpoint.", is_file=True)

    def check(self) -> None:
        check_checkpoint_exists(self.init_checkpoint, flag="init_checkpoint")
        ModelConfig.from_json_file(self.bert_config_file)
        Vocab.load(self.vocab_file)


@dataclasses.dataclass(frozen=True)
class ConversionOptions(SourceOptions):
    """Flags of the conversion."""

    new_vocab_file: str = option(REQUIRED, "Vocabulary of the converted checkpoint.", is_file=True)
    output_dir: str = option(REQUIRED, "New directory for the converted checkpoint.")
    do_lower_case: bool = option(
        True,
        "Lower-case new entries before they are split into pieces. Must match the model's "
        "training.",
    )
    random_seed: int = option(
        12345, "Seed of the random embeddings.", at_least=0, at_most=2**32 - 1
    )

    def check(self) -> None:
        super().check()
        Vocab.load(self.new_vocab_file)


@dataclasses.dataclass(frozen=True)
class AverageOptions:
    """Flags of the average."""

    checkpoints: str = option(REQUIRED, f"The checkpoints: {SEVERAL}.")
    output_dir: str = option(REQUIRED, "New directory for the averaged model.")

    def check(self) -> None:
        find_several(self.checkpoints, flag="checkpoints")


@dataclasses.dataclass(frozen=True)
class SlimOptions(SourceOptions):
    """Flags of the slim checkpoint."""

    output_dir: str = option(REQUIRED, "New folder for the model.")
    trained_positions: int | None = option(None, TRAINED_POSITIONS_HELP, at_least=1)


@dataclasses.dataclass(frozen=True)
class InspectOptions:
    """Flags of the description."""

    checkpoint: str = option(REQUIRED, "A checkpoint, or a folder that stands for one.")

    def check(self) -> None:
        check_checkpoint_exists(self.checkpoint, flag="checkpoint")


@dataclasses.dataclass(frozen=True)
class CompareOptions(InspectOptions):
    """Flags of the comparison."""

    other: str = option(REQUIRED, "The checkpoint to compare it with, or a folder.")

    def check(self) -> None:
        super().check()
        check_checkpoint_exists(self.other, flag="other")
