"""Training batches as a TensorFlow dataset."""

import itertools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from albert_zh.finetuning.data import Data, training_order
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.tasks.batches import PaddedBatch
from albert_zh.tasks.features import NO_LABEL, Features
from albert_zh.util.pipelines import prefetched


def training_batches(
    options: ClassifierOptions, data: Data, step: int, *, until: int
) -> tf.data.Dataset:
    """Batches from one step to another: inputs `[B, L] int32`, and the targets of the task's kind.

    A finished run also asks for batches, but takes none.
    """
    order = training_order(options, data, step)
    return gathered_batches(
        data.features["train"],
        list(itertools.islice(order, max(1, until - step))),
        padded_length=options.max_seq_length if len(data.buckets) == 1 else None,
    )


def gathered_batches(
    features: Features, batches: Sequence[PaddedBatch], *, padded_length: int | None = None
) -> tf.data.Dataset:
    """The batches that `collate` makes from the rows, in order.

    TensorFlow gathers the tokens: with a Python generator it would change the C library's
    allocator for the whole process (see `util.allocator`). Predictions are collated
    in numpy, because to build a dataset takes a tenth of a second.

    Args:
        features: All rows.
        batches: One or more, of B units each; B is static if it is the same for all.
        padded_length: L if all batches share it, so that their shape is static; else None.
    """
    sizes = {len(batch.indices) for batch in batches}
    num_units, size = sizes.pop() if len(sizes) == 1 else None, features.rows_per_unit
    chosen = tf.constant(np.concatenate([batch.indices for batch in batches]))
    token_ids = tf.constant(features.token_ids)
    starts = tf.constant(features.offsets[:-1])
    row_lengths = tf.constant(np.diff(features.offsets))
    first_lengths = tf.constant(features.first_lengths, tf.int64)
    targets = {name: tf.constant(values) for name, values in features.targets.items()}
    token_targets = {name: tf.constant(values) for name, values in features.token_targets.items()}
    shape = [num_units, padded_length] if size == 1 else [num_units, size, padded_length]

    @tf.autograph.experimental.do_not_convert
    def gather(begin: tf.Tensor, end: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
        indices = tf.ensure_shape(chosen[begin:end], [num_units])
        rows = indices if size == 1 else indices[:, None] * size + tf.range(size, dtype=tf.int64)
        positions = tf.range(length)  # [L]
        start = tf.gather(starts, rows)[..., None]  # [B, 1] or [B, R, 1]
        is_token = positions < tf.gather(row_lengths, rows)[..., None]  # [B, L] or [B, R, L]
        is_second = is_token & (positions >= tf.gather(first_lengths, rows)[..., None])
        places = tf.where(is_token, start + positions, 0)

        def spread(values: tf.Tensor, filling: int) -> tf.Tensor:
            return tf.where(is_token, tf.gather(values, places), filling)

        inputs = {
            "input_ids": spread(token_ids, 0),
            "input_mask": tf.cast(is_token, tf.int32),
            "segment_ids": tf.cast(is_second, tf.int32),
            **{name: spread(values, NO_LABEL) for name, values in token_targets.items()},
        }
        return {
            **{name: tf.ensure_shape(values, shape) for name, values in inputs.items()},
            **{name: tf.gather(values, indices) for name, values in targets.items()},
        }

    ends = np.cumsum([len(batch.indices) for batch in batches])
    begins = np.append(0, ends[:-1])
    lengths = np.array([batch.padded_length for batch in batches], np.int64)
    slices = tf.data.Dataset.from_tensor_slices((begins, ends, lengths))
    return prefetched(slices.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True))
