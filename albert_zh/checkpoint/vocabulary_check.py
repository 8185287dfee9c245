"""Checks that a vocabulary is the one that a model was trained with.

Token ids mean nothing without their vocabulary. A wrong vocabulary of the right size would cause no
error in training, only a bad model.
"""

import os

import tensorflow as tf

from albert_zh import toolkit
from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import VocabularyIdentity
from albert_zh.text.vocab import Vocab

# No checkpoint of another toolkit was trained with it.
PROJECT_VOCABULARY = os.path.join(toolkit.ROOT, toolkit.FILES, "vocab.txt")


def vocabulary_identity(vocab: Vocab) -> VocabularyIdentity:
    """Identity of a vocabulary, to store in a checkpoint."""
    return VocabularyIdentity(vocab.fingerprint, len(vocab))


def check_vocabulary(prefix: str, fingerprint: str) -> None:
    """Raise ValueError if a checkpoint was trained with another vocabulary, or must have been.

    Args:
        prefix: The checkpoint to start from.
        fingerprint: Fingerprint of the vocabulary in use.
    """
    meta = load_meta(prefix)
    neighbour = os.path.join(os.path.dirname(prefix), "vocab.txt")
    trained_with = meta.vocabulary.fingerprint if meta and meta.vocabulary else None
    if trained_with is None and tf.io.gfile.exists(neighbour):
        trained_with = Vocab.load(neighbour).fingerprint
    if trained_with is None and fingerprint == Vocab.load(PROJECT_VOCABULARY).fingerprint:
        raise ValueError(
            f"{prefix} comes from another toolkit, so it was not trained with this project's "
            "albert_config/vocab.txt; use the vocab.txt that came with it (for pretraining, "
            "create the records with it)"
        )
    if trained_with not in (None, fingerprint):
        where = f" ({neighbour})" if tf.io.gfile.exists(neighbour) else ""
        raise ValueError(
            f"{prefix} was trained with another vocabulary than the one in use; use the vocab.txt "
            f"that came with it{where} (for pretraining, create the records with it)"
        )
