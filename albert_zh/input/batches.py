"""Batches for pretraining, made of record files.

```
files -> order of the epoch -> bytes of records -> batch -> parse, check and pad -> mask
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
here, by seed and number of the batch: anew in every epoch, and the same way in a resumed run.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence

import tensorflow as tf

from albert_zh.input.damage import READ_ERRORS, brief, check_ranges
from albert_zh.input.files import RecordFiles
from albert_zh.input.reading import BREAKS_RULES, Batch, columns
from albert_zh.input.windows import LANES, WINDOW, ordered_records
from albert_zh.masking.batches import BatchMasking
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.records import features
from albert_zh.util.pipelines import prefetched

# In seeds, at the place of the number of the epoch in the seeds of its order.
_TRAINING_MASKS, _EVALUATION_MASKS = -1, -2

_ORDER, _UNKNOWN = "sentence_order", -1


def training_batches(
    files: RecordFiles,
    *,
    batch_size: int,
    seed: int,
    skip_batches: int = 0,
    masking: MaskingRecipe | None = None,
    window: int = WINDOW,
    lanes: int = LANES,
) -> tf.data.Dataset:
    """Batches without end, in an order that `seed` and the number of the epoch decide.

    Args:
        files: The result of `check_records`.
        batch_size: Examples per batch. A batch may hold the end of an epoch and the next one's
            start.
        seed: Seed of the order, and of masks that are made here.
        skip_batches: Batches that the run has used before it was interrupted: the first batch is
            then the one that would have come next. Epochs and windows that are used up are not
            read.
        masking: The recipe for records of dynamic masking, and None for others.
        window: Records shuffled among each other, see `input.windows`.
        lanes: Places of the files that are read in parallel.
    """
    records = ordered_records(
        files.ranges,
        files.reader,
        seed=seed,
        skip=skip_batches * batch_size,
        window=window,
        lanes=lanes,
    )
    batches = _parsed(records.batch(batch_size, drop_remainder=True), files)
    batches = _masked(batches, files, masking, [seed, _TRAINING_MASKS], first_batch=skip_batches)
    return prefetched(batches)


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
        files: The result of `check_records`.
        batch_size: Examples per batch.
        masking: The recipe for records of dynamic masking, and None for others.
        pad_last: Fill up the last batch with rows that count nowhere: all of them zeros, with an
            unknown sentence order. Otherwise it may be smaller.
    """
    records = files.reader.raw(*columns(files.ranges)).batch(batch_size)
    batches = _masked(_parsed(records, files), files, masking, [0, _EVALUATION_MASKS])
    if pad_last:
        batches = batches.map(functools.partial(_with_all_rows, batch_size=batch_size))
    return prefetched(batches)


@contextlib.contextmanager
def named_read_errors(files: RecordFiles) -> Iterator[None]:
    """Turn the error of a bad record, met by the code inside, into one that names the record.

    ```
    with named_read_errors(files):
        trainer.run(iterator, steps)
    ```
    TensorFlow's own error knows neither file nor record: both are found by reading again.

    Raises:
        ValueError: A record could not be read; names file and record, and says the way out.
    """
    try:
        yield
    except READ_ERRORS as error:
        if not _comes_from_input(error):
            raise
        check_ranges(files.ranges, files.reader)
        if not isinstance(error, tf.errors.DataLossError):
            raise
        raise ValueError(
            f"a record could not be read ({brief(error)}), but now all can: a disk or a network"
            " fails at times. Run the same command again to resume"
        ) from None


def _comes_from_input(error: Exception) -> bool:
    """True if the error may come from making batches rather than from their use."""
    signs = ("GetNext", "ParseExample", BREAKS_RULES)
    return not isinstance(error, tf.errors.InvalidArgumentError) or any(
        sign in error.message for sign in signs
    )


@tf.autograph.experimental.do_not_convert
def _with_all_rows(batch: Batch, *, batch_size: int) -> Batch:
    def filled_up(name: str, value: tf.Tensor) -> tf.Tensor:
        missing = batch_size - tf.shape(value)[0]
        paddings = [[0, missing], *[[0, 0]] * (len(value.shape) - 1)]
        filler = tf.constant(_UNKNOWN if name == _ORDER else 0, value.dtype)
        padded = tf.pad(value, paddings, constant_values=filler)
        return tf.ensure_shape(padded, [batch_size, *value.shape[1:]])

    return {name: filled_up(name, value) for name, value in batch.items()}


def _parsed(records: tf.data.Dataset, files: RecordFiles) -> tf.data.Dataset:
    """Parse batches of bytes into batches of tensors."""
    parse = files.reader.parser()

    @tf.autograph.experimental.do_not_convert
    def parse_and_rename(records: tf.Tensor) -> Batch:
        batch = parse(records)
        order = tf.squeeze(batch.pop(features.SENTENCE_ORDER), axis=1)  # [B]
        is_pair = files.has_pairs & tf.reduce_any(batch[features.SEGMENT_IDS] > 0, axis=1)
        return batch | {_ORDER: tf.where(is_pair, order, _UNKNOWN)}

    return records.map(parse_and_rename, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _masked(
    batches: tf.data.Dataset,
    files: RecordFiles,
    masking: MaskingRecipe | None,
    seed: Sequence[int],
    *,
    first_batch: int = 0,
) -> tf.data.Dataset:
    """Mask the batches, unless the records are masked already."""
    if files.masked != (masking is None):
        raise ValueError("records for dynamic masking need a masking recipe, masked ones have none")
    if masking is None:
        return batches
    mask = BatchMasking(masking)

    @tf.autograph.experimental.do_not_convert
    def mask_batch(number: tf.Tensor, batch: Batch) -> Batch:
        own_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), number)
        masked = batch | mask(batch, own_seed)
        del masked[features.WORD_STARTS]
        return masked

    return batches.enumerate(first_batch).map(
        mask_batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
