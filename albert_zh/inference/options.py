"""Flags of the programs that load a trained model."""

import dataclasses

from albert_zh.checkpoint.paths import check_checkpoint_exists
from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.text.tokenizers import load_tokenizer


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """The model, and its files where they do not lie beside it."""

    checkpoint: str = option(
        REQUIRED,
        "Output directory of a training, which stands for its best checkpoint or else the newest; "
        "or one checkpoint, such as output/model.ckpt-200.",
        alias="model",
    )
    vocab_file: str | None = option(
        None, "Vocabulary of the model. Default: the vocab.txt beside the checkpoint.", is_file=True
    )
    spm_model_file: str | None = option(
        None,
        "SentencePiece model, for models trained with one. Default: the spm.model beside the "
        "checkpoint, if there is one.",
        is_file=True,
    )
    config_file: str | None = option(
        None,
        "JSON file with the model configuration. Required for checkpoints without a meta.json, "
        "such as those of the published code.",
        is_file=True,
    )

    def check(self) -> None:
        check_checkpoint_exists(self.checkpoint, flag="checkpoint")
        if self.vocab_file or self.spm_model_file:
            load_tokenizer(self.vocab_file, spm_model_file=self.spm_model_file)
        if self.config_file:
            ModelConfig.from_json_file(self.config_file)
