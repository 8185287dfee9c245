"""The flags of scripts/convert_checkpoint.py."""

import dataclasses

from albert_zh.checkpoint.paths import check_checkpoint_exists
from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.text.vocab import Vocab


@dataclasses.dataclass(frozen=True)
class ConversionOptions:
    """Flags of this script."""

    init_checkpoint: str = option(
        REQUIRED, "Checkpoint to convert, without its ending; brightmart's and google's load."
    )
    bert_config_file: str = option(
        REQUIRED,
        "JSON file with the sizes of the model, which came with the checkpoint.",
        alias="albert_config_file",
    )
    vocab_file: str = option(REQUIRED, "Vocabulary of the checkpoint.")
    new_vocab_file: str = option(REQUIRED, "Vocabulary it is to have.")
    output_dir: str = option(REQUIRED, "New folder for the converted checkpoint.")
    do_lower_case: bool = option(
        True, "Lower-case entries to cut them; must be what the model was trained with."
    )
    random_seed: int = option(12345, "Seed of the rows that start at random.")

    def check(self) -> None:
        check_checkpoint_exists(self.init_checkpoint)
        ModelConfig.from_json_file(self.bert_config_file)
        Vocab.load(self.vocab_file)
        Vocab.load(self.new_vocab_file)
