"""The order of training: epochs of all records, shuffled in windows, from any place on.

```
ranges in random order      [ 3 ][   1   ][ 4 ][  2  ]
lanes, read in parallel     [ lane 0 ][ lane 1 ][ lane 2]      a record of each in turn
window 0                     ***       ***       ***           shuffled as a whole
window 1                        ***       ***       ***
```
The place where a window begins in the files can be computed, so that the windows before it need not
be read. A window is shuffled as a whole rather than passed through `Dataset.shuffle`, whose state
is large and whose order also depends on TensorFlow's global seed.
"""

from collections.abc import Sequence

import tensorflow as tf

from albert_zh.input.reading import RecordRange, RecordReader, columns

# The order depends on both numbers; the first is a multiple of the second.
WINDOW = 10_000  # records shuffled among each other, about 25 MB at 512 tokens
LANES = 4  # places that are read in parallel


def ordered_records(
    ranges: Sequence[RecordRange],
    reader: RecordReader,
    *,
    seed: int,
    skip: int = 0,
    window: int = WINDOW,
    lanes: int = LANES,
) -> tf.data.Dataset:
    """The bytes of all records, epoch after epoch without end.

    Args:
        ranges: The good records.
        reader: Reads them.
        seed: Decides the order, together with the number of the epoch.
        skip: Records at the start to leave out; whole windows of them are not even read.
        window: Records shuffled among each other, a multiple of `lanes`.
        lanes: Places that are read in parallel.
    """
    assert window % lanes == 0, (window, lanes)
    num_records = sum(part.count for part in ranges)
    first_epoch, skip = divmod(skip, num_records)
    first_window, skip = divmod(skip, window)

    # As in all functions of a pipeline: none branches on tensors, and a conversion takes its time.
    @tf.autograph.experimental.do_not_convert
    def epoch_records(epoch: tf.Tensor) -> tf.data.Dataset:
        first = tf.where(epoch == first_epoch, tf.constant(first_window, tf.int64), 0)
        own_seed = tf.stack([tf.constant(seed, tf.int64), epoch])
        return _epoch(ranges, reader, own_seed, first, window=window, lanes=lanes)

    return tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_records).skip(skip)


def _epoch(
    ranges: Sequence[RecordRange],
    reader: RecordReader,
    seed: tf.Tensor,
    first_window: tf.Tensor,
    *,
    window: int,
    lanes: int,
) -> tf.data.Dataset:
    """All records once, from a window on.

    Args:
        ranges: The good records.
        reader: Reads them.
        seed: `[2] int64`, decides the order.
        first_window: `[] int64`, windows before it are left out.
        window: Records shuffled among each other.
        lanes: Places that are read in parallel.
    """
    paths, first, count = columns(ranges)
    order = tf.random.experimental.stateless_shuffle(tf.range(len(ranges)), seed)
    paths, first, count = (tf.gather(each, order) for each in (paths, first, count))
    ends = tf.cumsum(count)
    share, rest = divmod(sum(part.count for part in ranges), lanes)

    def lane(number: tf.Tensor) -> tf.data.Dataset:
        start = number * share + tf.minimum(number, rest)
        end = start + share + tf.cast(number < rest, tf.int64)
        start += first_window * (window // lanes)
        # In each range, the records from `skipped` to before `stop` lie in the lane.
        skipped = tf.clip_by_value(start - ends + count, 0, count)
        stop = tf.clip_by_value(end - ends + count, 0, count)
        parts, is_used = (paths, first + skipped, stop - skipped), skipped < stop
        return reader.raw(*(tf.boolean_mask(part, is_used) for part in parts))

    def shuffled(number: tf.Tensor, records: tf.Tensor) -> tf.Tensor:
        own_seed = tf.random.experimental.stateless_fold_in(seed, number)
        return tf.random.experimental.stateless_shuffle(records, own_seed)

    return (
        tf.data.Dataset.range(lanes)
        .interleave(
            lane,
            cycle_length=lanes,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .batch(window)
        .enumerate(first_window)
        .map(shuffled)
        .unbatch()
    )
