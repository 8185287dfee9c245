"""Flags of the way from transformers to here."""

import dataclasses

from albert_zh.flags import REQUIRED, option
from albert_zh.util.files import check_is_local
from albert_zh.util.new_directory import check_is_new


@dataclasses.dataclass(frozen=True)
class FromTransformersOptions:
    """A folder of transformers, and the folder of the model here."""

    model_dir: str = option(
        REQUIRED,
        "Folder with config.json, model.safetensors and the tokenizer, as save_pretrained of "
        "transformers writes it. Instead of model.safetensors, one .ckpt of MindSpore, or, where "
        "PyTorch is installed, a pytorch_model.bin.",
    )
    output_dir: str = option(REQUIRED, "New folder for the model.")
    head: str = option(
        "own",
        "own: as the model is; encoder: leave out its head.",
        choices=("own", "encoder"),
    )
    vocab_file: str | None = option(
        None, "Vocabulary, where it is not in --model_dir.", is_file=True
    )
    spm_model_file: str | None = option(
        None, "SentencePiece model, where it is not in --model_dir.", is_file=True
    )

    def check(self) -> None:
        check_is_local(self.output_dir)
        check_is_new(self.output_dir)
