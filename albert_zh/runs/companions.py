"""Files beside the checkpoints of a run, which make them usable without its command line."""

import os
from collections.abc import Callable, Iterable

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.beside import vocabularies_beside
from albert_zh.config import ModelConfig
from albert_zh.text.vocab import Vocab
from albert_zh.util.object_files import write_json, write_text

VOCABULARY, CONFIGURATION = "vocab.txt", "albert_config.json"


class Companions:
    """The files that a run writes at its start, and again if somebody removes them meanwhile."""

    def __init__(self, directory: str):
        self._directory = directory
        self._writers: dict[str, Callable[[], object]] = {}  # by a file that each writes

    def write(self, name: str, writer: Callable[[], object]) -> None:
        """Let a function write a file of this name; it may write further ones along."""
        writer()
        self._writers[name] = writer

    def restore(self) -> bool:
        """Write again what is not there any more; True if there is such a file."""
        names = [
            name
            for name in self._writers
            if not tf.io.gfile.exists(os.path.join(self._directory, name))
        ]
        if not names:
            return False
        logging.warning(
            "somebody removed %s of %s, or all of it; the training goes on and writes these files "
            "again, but whatever else was removed is lost, such as earlier checkpoints",
            " and ".join(names),
            self._directory,
        )
        for name in names:
            self._writers[name]()
        return True


def write_companions(
    directory: str,
    config: ModelConfig,
    vocab: Vocab | None,
    *,
    spm_model_file: str | None = None,
) -> None:
    """Write the configuration, the vocabulary if it is known, and a SentencePiece model."""
    write_json(os.path.join(directory, CONFIGURATION), config.to_dict())
    if vocab:
        entries = "\n".join(vocab.tokens) + "\n"
        write_text(os.path.join(directory, VOCABULARY), entries)
    target = os.path.join(directory, "spm.model")
    if spm_model_file and spm_model_file != target:
        tf.io.gfile.copy(spm_model_file, target, overwrite=True)


def find_vocabulary(fingerprint: str, files: Iterable[str | None]) -> Vocab | None:
    """The vocabulary with a fingerprint: one of the files, or one beside them or in a folder."""
    for file in filter(None, files):
        for path in (file, *vocabularies_beside(file)):
            try:
                vocab = Vocab.load(path)
            except (OSError, ValueError):
                continue
            if vocab.fingerprint == fingerprint:
                return vocab
    return None
