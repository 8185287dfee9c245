"""Is this vocabulary the one that a model was trained with?

Token ids mean nothing without their vocabulary, and a wrong one of the right size would train on
without an error.
"""

import os

import tensorflow as tf

from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import VocabularyIdentity
from albert_zh.config import ModelConfig
from albert_zh.text.vocab import Vocab

# No checkpoint of another toolkit was trained with it.
PROJECT_VOCABULARY = os.path.join(
    os.path.dirname(__file__), "..", "..", "albert_config", "vocab.txt"
)


def vocabulary_identity(vocab: Vocab) -> VocabularyIdentity:
    """A vocabulary as checkpoints and records remember it."""
    return VocabularyIdentity(vocab.fingerprint, len(vocab))


def check_vocabulary_size(size: int, config: ModelConfig, *, source: str) -> None:
    """Raises ValueError unless the model has a row for every entry, and none to spare."""
    if size != config.vocab_size:
        raise ValueError(
            f"{source} has {size:,} entries, the model's configuration says vocab_size "
            f"{config.vocab_size:,}; use the vocabulary and the configuration of one model"
        )


def check_vocabulary(prefix: str, fingerprint: str) -> None:
    """Raises ValueError where a checkpoint was, or must have been, trained with other ids.

    Args:
        prefix: The checkpoint to start from.
        fingerprint: Of the vocabulary in use.
    """
    meta = load_meta(prefix)
    beside = os.path.join(os.path.dirname(prefix), "vocab.txt")
    trained_with = meta.vocabulary.fingerprint if meta and meta.vocabulary else None
    if trained_with is None and tf.io.gfile.exists(beside):
        trained_with = Vocab.load(beside).fingerprint
    if trained_with is None and fingerprint == Vocab.load(PROJECT_VOCABULARY).fingerprint:
        raise ValueError(
            f"{prefix} comes from another toolkit, so it was not trained with this project's "
            "albert_config/vocab.txt; use the vocab.txt that came with it (for pretraining, "
            "create the records with it)"
        )
    if trained_with not in (None, fingerprint):
        where = f" ({beside})" if tf.io.gfile.exists(beside) else ""
        raise ValueError(
            f"{prefix} was trained with another vocabulary than the one in use; use the vocab.txt "
            f"that came with it{where} (for pretraining, create the records with it)"
        )
