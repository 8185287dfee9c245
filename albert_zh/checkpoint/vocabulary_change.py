"""Conversion of a whole checkpoint to another vocabulary."""

import dataclasses
import functools
import os
from collections.abc import Collection, Mapping

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.conversion import RowPlan, check_tables, plan_rows, with_new_rows
from albert_zh.checkpoint.files import (
    read_arrays,
    read_shapes,
    write_checkpoint,
)
from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.names import is_weight
from albert_zh.checkpoint.options import ConversionOptions
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.vocabulary_check import (
    check_vocabulary,
    vocabulary_identity,
)
from albert_zh.config import ModelConfig
from albert_zh.text.vocab import Vocab
from albert_zh.util.json_objects import read_object
from albert_zh.util.new_directory import check_is_new
from albert_zh.util.object_files import write_json
from albert_zh.vocabulary.entries import entry_pieces


def change_vocabulary(options: ConversionOptions) -> list[str]:
    """Convert a checkpoint to the new vocabulary; return the lines to print.

    Raises:
        ValueError, OSError: The files do not fit together; then nothing was written.
    """
    check_is_new(options.output_dir)
    config = ModelConfig.from_json_file(options.bert_config_file)
    old, new = Vocab.load(options.vocab_file), Vocab.load(options.new_vocab_file)
    prefix = find_checkpoint(options.init_checkpoint, flag="init_checkpoint")
    _check_source(prefix, options, config, old, new)
    plan = plan_rows(
        old.tokens,
        new.tokens,
        pieces=functools.partial(entry_pieces, vocab=old, do_lower_case=options.do_lower_case),
    )
    stored = read_shapes(prefix)
    arrays = with_new_rows(
        read_arrays(prefix, filter(is_weight, stored)),
        plan,
        initializer_range=config.initializer_range,
        seed=options.random_seed,
    )
    source = load_meta(prefix) or CheckpointMeta()
    written = _write(options, arrays, _meta(source.task, options, config, old, new))
    return [f"wrote {written}", *_summary(plan), _summary_of_state(stored)]


def _check_source(
    prefix: str, options: ConversionOptions, config: ModelConfig, old: Vocab, new: Vocab
) -> None:
    """Raise ValueError unless checkpoint, configuration and old vocabulary belong together."""
    check_tables(read_shapes(prefix), config)
    config.check_vocabulary_size(len(old), source=options.vocab_file)
    check_vocabulary(prefix, old.fingerprint)
    if new.fingerprint == old.fingerprint:
        raise ValueError(
            f"{options.vocab_file} and {options.new_vocab_file} are the same vocabulary; the "
            "checkpoint needs no conversion"
        )


def _meta(
    task: TaskMeta | None, options: ConversionOptions, config: ModelConfig, old: Vocab, new: Vocab
) -> CheckpointMeta:
    """Meta file of the new checkpoint; a classifier keeps its task."""
    return CheckpointMeta(
        config=dataclasses.replace(config, vocab_size=len(new)),
        vocabulary=vocabulary_identity(new),
        task=task,
        converted={
            "vocabulary": vocabulary_identity(old).to_json(),
            **dataclasses.asdict(options),
        },
    )


def _write(
    options: ConversionOptions, arrays: Mapping[str, np.ndarray], meta: CheckpointMeta
) -> str:
    """Write the output directory, the checkpoint last; return the prefix of the checkpoint."""
    values = {**read_object(options.bert_config_file), "vocab_size": meta.config.vocab_size}
    name = os.path.basename(options.bert_config_file)
    write_json(os.path.join(options.output_dir, name), values)
    tf.io.gfile.copy(options.new_vocab_file, os.path.join(options.output_dir, "vocab.txt"))
    prefix = os.path.join(options.output_dir, "model.ckpt")
    write_checkpoint(prefix, arrays, meta.to_json())
    return prefix


def _summary(plan: RowPlan) -> list[str]:
    return [
        f"  {plan.size:,} entries:",
        f"  {len(plan.copies):,} keep their rows",
        f"  {len(plan.means):,} get the mean of the rows of their pieces",
        f"  {len(plan.random):,} start at random{_examples(list(plan.random.values()))}",
        f"  {len(plan.dropped):,} old entries are dropped{_examples(plan.dropped)}",
    ]


def _examples(entries: list[str]) -> str:
    if not entries:
        return ""
    return f": {' '.join(entries[:10])}{' ...' * (len(entries) > 10)}"


def _summary_of_state(stored: Collection[str]) -> str:
    left_out = sum(not is_weight(name) for name in stored)
    return f"  {left_out} moments and counters of the training are left out"
