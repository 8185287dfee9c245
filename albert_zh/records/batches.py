"""Pretraining records become batches of tensors.

```
shards -> order of the epoch -> raw records -> batch -> parse and pad -> rename, int32 -> mask
```
A batch (B examples, L max_seq_length, P max_predictions_per_seq):
```
input_ids, input_mask, segment_ids       [B, L] int32
masked_lm_positions, masked_lm_ids       [B, P] int32
masked_lm_weights                        [B, P] float32
sentence_order                           [B]    int32    1 if the segments are swapped
```
All layouts of `records.features` become the same batches. Records for dynamic masking are masked
here, by seed and number of the batch: anew in every epoch, and alike in a resumed run.

Records are batched before they are parsed: one call parses them all, at twice the rate.
"""

from collections.abc import Sequence

import tensorflow as tf

from albert_zh.corpus.masking import MaskingRecipe
from albert_zh.records import features
from albert_zh.records.dynamic_masking import DynamicMasking
from albert_zh.records.features import Layout
from albert_zh.records.record_files import RecordFiles

_INTERLEAVED_FILES = 4  # read at a time, a record of each in turn
_WINDOW = 10_000  # records shuffled among each other, about 25 MB at L = 512

# Stand where the number of an epoch stands in the seeds of its order.
_TRAINING_MASKS, _EVALUATION_MASKS = -1, -2

Batch = dict[str, tf.Tensor]


def training_batches(
    files: RecordFiles,
    *,
    batch_size: int,
    seed: int,
    skip_batches: int = 0,
    masking: MaskingRecipe | None = None,
) -> tf.data.Dataset:
    """Endless batches, in an order that `seed` and the number of the epoch decide.

    Args:
        files: What `check_records` returned.
        batch_size: Examples a batch. A batch may hold the end of an epoch and the next one's start.
        seed: Of the order, and of masks that are made here.
        skip_batches: Batches that a run before this one has used: the first batch is then the one
            that would have come next in it. Whole epochs are skipped without reading.
        masking: Of records for dynamic masking, and of no others.
    """
    first_epoch, used = divmod(skip_batches * batch_size, files.num_records)
    records = (
        tf.data.Dataset.range(first_epoch, tf.int64.max)
        .flat_map(lambda epoch: _epoch(files, tf.stack([tf.cast(seed, tf.int64), epoch])))
        .skip(used)
        .batch(batch_size, drop_remainder=True)
    )
    batches = _parsed(records, files)
    return _masked(batches, files, masking, [seed, _TRAINING_MASKS], first_batch=skip_batches)


def evaluation_batches(
    files: RecordFiles, *, batch_size: int, masking: MaskingRecipe | None = None
) -> tf.data.Dataset:
    """Every record once, in the order of the files; the last batch may be smaller.

    Masks that are made here are the same every time.
    """
    records = tf.data.TFRecordDataset(list(files.paths), files.compression).batch(batch_size)
    return _masked(_parsed(records, files), files, masking, [0, _EVALUATION_MASKS])


def _epoch(files: RecordFiles, seed: tf.Tensor) -> tf.data.Dataset:
    """All records once: files in random order, then records in random order within windows.

    A window is shuffled as a whole rather than passed through `Dataset.shuffle`, whose order also
    depends on TensorFlow's global seed.

    Args:
        files: Record files.
        seed: [2] int64, decides the order.
    """

    def shuffled_window(number: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
        own_seed = tf.random.experimental.stateless_fold_in(seed, number)
        return tf.random.experimental.stateless_shuffle(window, own_seed)

    order = tf.random.experimental.stateless_shuffle(tf.constant(files.paths), seed)
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .interleave(
            lambda path: tf.data.TFRecordDataset(path, files.compression),
            cycle_length=_INTERLEAVED_FILES,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .batch(_WINDOW)
        .enumerate()
        .map(shuffled_window)
        .unbatch()
    )


def _parsed(batches: tf.data.Dataset, files: RecordFiles) -> tf.data.Dataset:
    layout = Layout(
        files.max_seq_length,
        files.max_predictions_per_seq,
        masked=files.masked,
        padded=files.padded,
    )
    lengths = layout.lengths()
    stored = {name: _stored(name, length, layout) for name, length in lengths.items()}

    def parse(records: tf.Tensor) -> Batch:
        batch = tf.io.parse_example(records, stored)
        if not layout.padded:
            batch = _padded(batch, layout)
        for name, value in batch.items():
            if value.dtype == tf.int64:
                batch[name] = tf.cast(value, tf.int32)
        batch["sentence_order"] = tf.squeeze(batch.pop(features.SENTENCE_ORDER), axis=1)  # [B]
        return batch

    return batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _stored(name: str, length: int, layout: Layout) -> tf.io.FixedLenFeature | tf.io.RaggedFeature:
    stored_type = tf.float32 if name == features.MASKED_WEIGHTS else tf.int64
    if layout.padded or name == features.SENTENCE_ORDER:
        return tf.io.FixedLenFeature([length], stored_type)
    return tf.io.RaggedFeature(stored_type)


def _padded(compact: dict[str, tf.Tensor | tf.RaggedTensor], layout: Layout) -> Batch:
    """The features of padded records, made of those of compact ones."""
    lengths, batch = layout.lengths(), dict(compact)
    for name, values in compact.items():
        if isinstance(values, tf.RaggedTensor):
            batch[name] = _filled_up(values, lengths[name], name)
    batch[features.INPUT_MASK] = tf.sequence_mask(
        compact[features.INPUT_IDS].row_lengths(), layout.max_seq_length, tf.int32
    )
    if layout.masked:
        batch[features.MASKED_WEIGHTS] = tf.sequence_mask(
            compact[features.MASKED_IDS].row_lengths(), layout.max_predictions_per_seq, tf.float32
        )
    return batch


def _filled_up(values: tf.RaggedTensor, length: int, name: str) -> tf.Tensor:
    option = "max_predictions_per_seq" if "masked" in name else "max_seq_length"
    fits = tf.debugging.assert_less_equal(
        values.bounding_shape(axis=1),
        length,
        message=f"a record has more than {length} values of {name}; pass a larger --{option}",
    )
    with tf.control_dependencies([fits]):
        return values.to_tensor(shape=[None, length])


def _masked(
    batches: tf.data.Dataset,
    files: RecordFiles,
    masking: MaskingRecipe | None,
    seed: Sequence[int],
    *,
    first_batch: int = 0,
) -> tf.data.Dataset:
    """Masks the batches, if that is left to do, and reads ahead."""
    if files.masked != (masking is None):
        raise ValueError("records for dynamic masking need a masking recipe, masked ones have none")
    if masking is None:
        return batches.prefetch(tf.data.AUTOTUNE)
    mask = DynamicMasking(masking)

    def mask_batch(number: tf.Tensor, batch: Batch) -> Batch:
        own_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), number)
        masked = batch | mask(batch, own_seed)
        del masked[features.WORD_STARTS]
        return masked

    return (
        batches.enumerate(first_batch)
        .map(mask_batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )
