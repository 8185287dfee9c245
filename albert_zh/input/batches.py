"""Pretraining records become batches of tensors.

```
files -> order of the epoch -> raw records -> batch -> parse, check and pad -> mask
```
A batch (B examples, L max_seq_length, P max_predictions_per_seq):
```
input_ids, input_mask, segment_ids       [B, L] int32
masked_lm_positions, masked_lm_ids       [B, P] int32
masked_lm_weights                        [B, P] float32
sentence_order                           [B]    int32    1 if the segments are swapped, -1 if there
                                                         are no two
```
All layouts of `records.features` become the same batches. Records for dynamic masking are masked
here, by seed and number of the batch: anew in every epoch, and alike in a resumed run.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence

import tensorflow as tf

from albert_zh.input.damage import READ_ERRORS, brief, check_all
from albert_zh.input.decoding import NO_BATCH, Batch, columns
from albert_zh.input.files import RecordFiles
from albert_zh.masking.batches import BatchMasking
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.records import features

# The order hangs on both numbers; the second is a multiple of the first.
_LANES = 4  # places that are read at a time
_WINDOW = 10_000  # records shuffled among each other, about 25 MB at L = 512

# Stand where the number of an epoch stands in the seeds of its order.
_TRAINING_MASKS, _EVALUATION_MASKS = -1, -2

_ORDER, _UNKNOWN = "sentence_order", -1


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
            that would have come next in it. Epochs and windows that are used up are not read.
        masking: Of records for dynamic masking, and of no others.
    """
    first_epoch, used = divmod(skip_batches * batch_size, files.num_records)
    first_window, used = divmod(used, _WINDOW)

    def epoch_records(epoch: tf.Tensor) -> tf.data.Dataset:
        window = tf.where(epoch == first_epoch, tf.constant(first_window, tf.int64), 0)
        return _epoch(files, tf.stack([tf.constant(seed, tf.int64), epoch]), window)

    records = (
        tf.data.Dataset.range(first_epoch, tf.int64.max)
        .flat_map(epoch_records)
        .skip(used)
        .batch(batch_size, drop_remainder=True)
    )
    batches = _parsed(records, files)
    batches = _masked(batches, files, masking, [seed, _TRAINING_MASKS], first_batch=skip_batches)
    return batches.prefetch(tf.data.AUTOTUNE)


def evaluation_batches(
    files: RecordFiles,
    *,
    batch_size: int,
    masking: MaskingRecipe | None = None,
    pad_last: bool = True,
) -> tf.data.Dataset:
    """Every record once, in the order of the files.

    Masks that are made here are the same every time.

    Args:
        files: What `check_records` returned.
        batch_size: Examples a batch.
        masking: Of records for dynamic masking, and of no others.
        pad_last: Whether rows that count nowhere fill up the last batch: all of them zeros, with
            an unknown sentence order. Otherwise it may be smaller.
    """
    records = files.format.raw(*columns(files.stretches)).batch(batch_size)
    batches = _masked(_parsed(records, files), files, masking, [0, _EVALUATION_MASKS])
    if pad_last:
        batches = batches.map(functools.partial(_with_all_rows, batch_size=batch_size))
    return batches.prefetch(tf.data.AUTOTUNE)


@contextlib.contextmanager
def named_read_errors(files: RecordFiles) -> Iterator[None]:
    """Whatever takes batches of the files inside, a bad record is a ValueError that names it.

    ```
    with named_read_errors(files):
        trainer.run(iterator, steps)
    ```
    TensorFlow's own error knows neither file nor record: they are looked for by reading again.

    Raises:
        ValueError: A record could not be read; names file and record, and says the way out.
    """
    try:
        yield
    except READ_ERRORS as error:
        if not _of_input(error):
            raise
        check_all(files.stretches, files.format)
        if not isinstance(error, tf.errors.DataLossError):
            raise
        raise ValueError(
            f"a record could not be read ({brief(error)}), but now all can: a disk or a network"
            " fails at times. Start again to go on"
        ) from None


def _of_input(error: Exception) -> bool:
    """Whether the error may come from making batches rather than from what used them."""
    signs = ("GetNext", "ParseExample", NO_BATCH)
    return not isinstance(error, tf.errors.InvalidArgumentError) or any(
        sign in error.message for sign in signs
    )


def _epoch(files: RecordFiles, seed: tf.Tensor, first_window: tf.Tensor) -> tf.data.Dataset:
    """All records once: stretches in random order, then records in random order within windows.

    ```
    stretches in random order   [ 3 ][   1   ][ 4 ][  2  ]
    lanes, read at a time       [ lane 0 ][ lane 1 ][ lane 2]      a record of each in turn
    window 0                     ***       ***       ***           shuffled as a whole
    window 1                        ***       ***       ***
    ```
    Where a window begins in the files is a matter of counting, so that those before it need not
    be read. A window is shuffled as a whole rather than passed through `Dataset.shuffle`, whose
    state is large and whose order also depends on TensorFlow's global seed.

    Args:
        files: Record files.
        seed: [2] int64, decides the order.
        first_window: [] int64, windows before it are left out.
    """
    paths, first, count = columns(files.stretches)
    order = tf.random.experimental.stateless_shuffle(tf.range(len(files.stretches)), seed)
    paths, first, count = (tf.gather(each, order) for each in (paths, first, count))
    ends = tf.cumsum(count)
    share, rest = divmod(files.num_records, _LANES)

    def lane(number: tf.Tensor) -> tf.data.Dataset:
        start = number * share + tf.minimum(number, rest)
        end = start + share + tf.cast(number < rest, tf.int64)
        start += first_window * (_WINDOW // _LANES)
        # Of each stretch, the records from `skipped` to `behind` lie in the lane.
        skipped = tf.clip_by_value(start - ends + count, 0, count)
        behind = tf.clip_by_value(end - ends + count, 0, count)
        used = skipped < behind
        parts = (paths, first + skipped, behind - skipped)
        return files.format.raw(*(tf.boolean_mask(part, used) for part in parts))

    def shuffled_window(number: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
        own_seed = tf.random.experimental.stateless_fold_in(seed, number)
        return tf.random.experimental.stateless_shuffle(window, own_seed)

    return (
        tf.data.Dataset.range(_LANES)
        .interleave(
            lane,
            cycle_length=_LANES,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .batch(_WINDOW)
        .enumerate(first_window)
        .map(shuffled_window)
        .unbatch()
    )


def _with_all_rows(batch: Batch, *, batch_size: int) -> Batch:
    def filled_up(name: str, value: tf.Tensor) -> tf.Tensor:
        missing = batch_size - tf.shape(value)[0]
        paddings = [[0, missing], *[[0, 0]] * (len(value.shape) - 1)]
        filler = tf.constant(_UNKNOWN if name == _ORDER else 0, value.dtype)
        padded = tf.pad(value, paddings, constant_values=filler)
        return tf.ensure_shape(padded, [batch_size, *value.shape[1:]])

    return {name: filled_up(name, value) for name, value in batch.items()}


def _parsed(records: tf.data.Dataset, files: RecordFiles) -> tf.data.Dataset:
    """Batches of raw records become batches of tensors."""
    parse = files.format.parser()

    def rename(records: tf.Tensor) -> Batch:
        batch = parse(records)
        order = tf.squeeze(batch.pop(features.SENTENCE_ORDER), axis=1)  # [B]
        return batch | {_ORDER: order if files.has_pairs else tf.fill(tf.shape(order), _UNKNOWN)}

    return records.map(rename, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _masked(
    batches: tf.data.Dataset,
    files: RecordFiles,
    masking: MaskingRecipe | None,
    seed: Sequence[int],
    *,
    first_batch: int = 0,
) -> tf.data.Dataset:
    """Masks the batches, if that is left to do."""
    if files.masked != (masking is None):
        raise ValueError("records for dynamic masking need a masking recipe, masked ones have none")
    if masking is None:
        return batches
    mask = BatchMasking(masking)

    def mask_batch(number: tf.Tensor, batch: Batch) -> Batch:
        own_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), number)
        masked = batch | mask(batch, own_seed)
        del masked[features.WORD_STARTS]
        return masked

    return batches.enumerate(first_batch).map(
        mask_batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
