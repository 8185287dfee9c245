"""Flags of the warm start."""

import dataclasses

from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.text.tokenizers import load_tokenizer


@dataclasses.dataclass(frozen=True)
class WarmStartOptions:
    """Corpus, model and result."""

    input_file: str = option(
        REQUIRED,
        "Corpus: a comma-separated list of files, globs and folders; - is standard input. Files "
        "may be compressed (.gz, .bz2, .xz, .zst) or archives (.tar, .zip).",
    )
    bert_config_file: str = option(
        REQUIRED,
        "JSON file with the model configuration.",
        alias="albert_config_file",
        is_file=True,
    )
    vocab_file: str | None = option(
        None,
        "Vocabulary, one entry a line. Required unless --spm_model_file is given.",
        is_file=True,
    )
    spm_model_file: str | None = option(
        None,
        "SentencePiece model; the text is tokenized with it instead of WordPiece.",
        is_file=True,
    )
    do_lower_case: bool = option(
        True, "Lower-case the text and strip accents; must match pretraining."
    )
    output_dir: str = option(
        REQUIRED, "New folder for the checkpoint, its configuration and vocabulary."
    )
    num_entries: int = option(
        8000,
        "Number of entries, the most frequent ones, that get vectors; the others start at random. "
        "Memory grows with its square: 1.2 GB for 8,000.",
        at_least=2,
    )
    random_seed: int = option(
        12345, "Seed of all weights that start at random.", at_least=0, at_most=2**32 - 1
    )
    num_workers: int | None = option(
        None, "Processes that read and count. Default: one for each core.", at_least=1
    )

    def check(self) -> None:
        ModelConfig.from_json_file(self.bert_config_file)
        load_tokenizer(self.vocab_file, spm_model_file=self.spm_model_file)
