"""The files that a model reads texts with, and the tokenizer out of them."""

import os

from albert_zh.text.tokenizers import Tokenizer, load_tokenizer


def tokenizer_of(text_files: dict[str, str], do_lower_case: bool | None) -> Tokenizer:
    """The tokenizer of a model, from its files by name."""
    return load_tokenizer(
        text_files.get("vocab.txt"),
        spm_model_file=text_files.get("spm.model"),
        do_lower_case=do_lower_case is not False,
    )


def find_text_files(
    directory: str, vocab_file: str | None = None, spm_model_file: str | None = None
) -> dict[str, str]:
    """Vocabulary and, where the model has one, SentencePiece model: standard name -> path.

    Raises:
        FileNotFoundError: There is neither of the two, or one that was named is missing.
    """
    paths = {
        "vocab.txt": vocab_file or os.path.join(directory, "vocab.txt"),
        "spm.model": spm_model_file or os.path.join(directory, "spm.model"),
    }
    found = {name: path for name, path in paths.items() if os.path.exists(path)}
    named = [path for path in (vocab_file, spm_model_file) if path]
    for path in named or ([] if found else [paths["vocab.txt"]]):
        if path not in found.values():
            raise FileNotFoundError(
                f"no vocabulary at {path}; give the vocab.txt of the model with --vocab_file, or "
                "its SentencePiece model with --spm_model_file"
            )
    return found
