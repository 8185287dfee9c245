"""A checkpoint to pass on: weights in half precision, without the state of the training.

float16 keeps 11 significant bits, so a weight changes by at most 0.05 %. `files.read_arrays` gives
float32 again.
"""

import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.checksums import write_checksums
from albert_zh.checkpoint.conversion import check_tables
from albert_zh.checkpoint.files import read_arrays, read_shapes, write_checkpoint
from albert_zh.checkpoint.loading import check_configuration, load_meta, origin_step
from albert_zh.checkpoint.meta import CheckpointMeta, VocabularyIdentity
from albert_zh.checkpoint.names import POSITIONS, is_weight
from albert_zh.checkpoint.options import SlimOptions
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.positions import continue_positions
from albert_zh.checkpoint.vocabulary_check import (
    check_vocabulary,
    vocabulary_identity,
)
from albert_zh.config import ModelConfig
from albert_zh.text.vocab import Vocab
from albert_zh.util.new_directory import check_is_new
from albert_zh.util.object_files import write_json, write_text
from albert_zh.util.tensorflow_start import muted_standard_error

_NAME = "albert_model.ckpt"
_LARGEST = float(np.finfo(np.float16).max)
# Keys of the configuration that do not change what the weights compute.
_OF_TRAINING = {"hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range"}


def slim_checkpoint(options: SlimOptions) -> list[str]:
    """Write the folder; return the lines to print.

    Raises:
        ValueError, OSError: The files do not fit together; then nothing was written.
    """
    directory = options.output_dir
    check_is_new(directory)
    prefix = find_checkpoint(options.init_checkpoint, flag="init_checkpoint")
    config = ModelConfig.from_json_file(options.bert_config_file)
    vocab = Vocab.load(options.vocab_file)
    config.check_vocabulary_size(len(vocab), source=options.vocab_file)
    check_vocabulary(prefix, vocab.fingerprint)
    check_tables(read_shapes(prefix), config)
    keys = config.to_dict().keys() - _OF_TRAINING
    check_configuration(prefix, config, sorted(keys), source=options.bert_config_file)
    half = half_precision(prefix, num_trained_positions=options.trained_positions)
    tf.io.gfile.makedirs(directory)
    write_text(os.path.join(directory, "vocab.txt"), "\n".join(vocab.tokens) + "\n")
    write_slim(directory, prefix, half, config, vocabulary_identity(vocab))
    megabytes = sum(array.nbytes for array in half.values()) / 1e6
    return [f"wrote {os.path.join(directory, _NAME)}: {len(half)} arrays, {megabytes:.1f} MB"]


def half_precision(
    prefix: str, *, num_trained_positions: int | None = None
) -> dict[str, np.ndarray]:
    """The weights of a checkpoint in float16.

    Args:
        prefix: The checkpoint.
        num_trained_positions: Rows of the position table to keep; the others continue them.

    Raises:
        ValueError: float16 cannot hold one of them, or the positions cannot be continued.
    """
    arrays = read_arrays(prefix, filter(is_weight, read_shapes(prefix)))
    if num_trained_positions:
        arrays[POSITIONS] = continue_positions(
            arrays[POSITIONS], num_trained_positions, source=prefix
        )
    for name, array in arrays.items():
        if not (np.abs(array) <= _LARGEST).all():
            raise ValueError(f"{prefix}: {name} has values that float16 cannot hold")
    return {name: array.astype(np.float16) for name, array in arrays.items()}


def write_slim(
    directory: str,
    prefix: str,
    half: Mapping[str, np.ndarray],
    config: ModelConfig,
    vocabulary: VocabularyIdentity,
) -> None:
    """Write checkpoint, configuration and checksums beside a vocabulary.

    Args:
        directory: Holds the vocabulary.
        prefix: The checkpoint that the weights are of.
        half: Its weights, from `half_precision`.
        config: Its configuration.
        vocabulary: Identity of its vocabulary.
    """
    source = load_meta(prefix) or CheckpointMeta()
    meta = CheckpointMeta(
        config=config,
        vocabulary=vocabulary,
        task=source.task,
        converted={"precision": "float16", "step": origin_step(prefix)},
    )
    write_json(os.path.join(directory, "albert_config.json"), config.to_dict())
    with muted_standard_error():  # oneDNN complains of float16, with which nothing is computed.
        write_checkpoint(os.path.join(directory, _NAME), half, meta.to_json())
    write_checksums(directory, os.listdir(directory))
