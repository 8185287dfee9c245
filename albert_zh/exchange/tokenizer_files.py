"""Files of a tokenizer that transformers reads, and the vocabulary in a folder that it wrote."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from albert_zh.exchange import unigram_file
from albert_zh.text.sentencepieces import SentencePieceTokenizer
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write, write_json
from albert_zh.util.json_objects import read_object

_CONFIGURATION, _WRITTEN = "tokenizer_config.json", "tokenizer.json"
_SPM = ("spiece.model", "spm.model")


def write_tokenizer(
    directory: str,
    *,
    text_files: Mapping[str, str],
    tokenizer: Tokenizer,
    do_lower_case: bool,
    longest: int,
) -> None:
    """Write the files.

    Args:
        directory: The folder of the model.
        text_files: The model's own `vocab.txt` or `spm.model` -> path.
        tokenizer: What they make.
        do_lower_case: Whether it lower-cases.
        longest: Most tokens of an example.
    """
    vocab = tokenizer.vocab
    values: dict[str, Any] = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": do_lower_case,
        "model_max_length": longest,
        "pad_token": vocab.tokens[vocab.pad_id],
        "unk_token": vocab.tokens[vocab.unk_id],
        "cls_token": vocab.tokens[vocab.cls_id],
        "sep_token": vocab.tokens[vocab.sep_id],
        "mask_token": vocab.tokens[vocab.mask_id],
    }
    if isinstance(tokenizer, SentencePieceTokenizer):
        values |= {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        }
        model = unigram_file.content(text_files["spm.model"], do_lower_case=do_lower_case)
        write_json(os.path.join(directory, _WRITTEN), model)
        shutil.copyfile(text_files["spm.model"], os.path.join(directory, _SPM[0]))
    else:
        shutil.copyfile(text_files["vocab.txt"], os.path.join(directory, "vocab.txt"))
    write_json(os.path.join(directory, _CONFIGURATION), values)


def copy_vocabulary(
    folder: str, directory: str, *, vocab_file: str | None, spm_model_file: str | None
) -> dict[str, str]:
    """Copy the vocabulary of a folder of transformers to the folder of a model here.

    Args:
        folder: To read.
        directory: To write `vocab.txt` or `spm.model` into.
        vocab_file: The vocabulary, where it is not in the folder.
        spm_model_file: The SentencePiece model, where it is not in the folder.

    Returns:
        The copy: name -> path.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is in a form that cannot be read here.
    """
    vocab_path, spm_path = (
        os.path.join(directory, "vocab.txt"),
        os.path.join(directory, "spm.model"),
    )
    found = [path for name in _SPM if os.path.isfile(path := os.path.join(folder, name))]
    own = [*found, *filter(os.path.isfile, [os.path.join(folder, "vocab.txt")])]
    if own and (given := vocab_file or spm_model_file):
        raise ValueError(f"{folder} has a vocabulary of its own, {own[0]}; leave {given} out")
    if vocab_file is None and (spm := spm_model_file or next(iter(found), None)):
        shutil.copyfile(spm, spm_path)
        return {"spm.model": spm_path}
    listed = vocab_file or os.path.join(folder, "vocab.txt")
    if os.path.isfile(listed):
        Vocab.load(listed)  # An error names the file that people know.
        shutil.copyfile(listed, vocab_path)
    elif os.path.isfile(written := os.path.join(folder, _WRITTEN)):
        entries = _entries(written)
        with atomic_write(vocab_path, "w") as file:
            file.writelines(f"{entry}\n" for entry in entries)
    else:
        raise FileNotFoundError(
            f"{folder} holds no vocab.txt, {_WRITTEN} or {_SPM[0]}; give the vocabulary with "
            "--vocab_file or --spm_model_file"
        )
    return {"vocab.txt": vocab_path}


def lower_cases(folder: str) -> bool:
    """True unless the tokenizer in a folder of transformers keeps capital letters."""
    path = os.path.join(folder, _CONFIGURATION)
    return not os.path.isfile(path) or read_object(path).get("do_lower_case", True) is not False


def _entries(path: str) -> list[str]:
    """The entries of a WordPiece vocabulary in a `tokenizer.json`, by id."""
    values = read_object(path)
    model = values.get("model")
    vocab = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocab, dict) or model.get("type", "WordPiece") != "WordPiece":
        raise ValueError(
            f"{path} holds no WordPiece vocabulary; give the SentencePiece model that it was made "
            "from with --spm_model_file"
        )
    ids = {entry: number for entry, number in vocab.items() if isinstance(number, int)}
    added = values.get("added_tokens") or []
    ids |= {each["content"]: each["id"] for each in added if {"content", "id"} <= set(each)}
    if sorted(ids.values()) != list(range(len(ids))):
        raise ValueError(f"{path}: the ids of its entries are not 0 to {len(ids) - 1}, one each")
    return sorted(ids, key=ids.__getitem__)
