"""Stretches of record files become tensors; what no batch can be made of is an error.

```
file       record 0 1 2 3 4 5 6 7 8 9      record 3 is damaged
stretches         0 1 2   4 5 6 7 8 9      (first 0, count 3), (first 4, count 6)
```
Records are batched before they are parsed: one call parses them all, at twice the rate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import tensorflow as tf

from albert_zh.records import features
from albert_zh.records.features import Layout

Batch = dict[str, tf.Tensor]

NO_BATCH = "cannot be made into a batch"  # stands in what is said of a record that does not fit
_PARSED_AT_ONCE = 512  # records, where they are only looked at


@dataclass(frozen=True)
class Stretch:
    """Good records in a row of a file."""

    path: str
    first: int  # number of the first one in the file
    count: int


@dataclass(frozen=True)
class Format:
    """All that has to be known to read the records."""

    layout: Layout  # lengths of the batches
    compression: str = ""  # or GZIP, as TensorFlow calls it
    vocab_size: int | None = None  # None: ids are not compared with it

    def raw(self, paths: tf.Tensor, first: tf.Tensor, count: tf.Tensor) -> tf.data.Dataset:
        """The bytes of the records of stretches `[S] string, int64, int64`, one after the other.

        Records before a stretch are passed over by their lengths, without their checksums.
        """
        return tf.data.Dataset.from_tensor_slices((paths, first, count)).flat_map(
            lambda path, first, count: (
                tf.data.TFRecordDataset(path, self.compression).skip(first).take(count)
            )
        )

    def parser(self) -> Callable[[tf.Tensor], Batch]:
        """A function from the bytes of B records `[B] string` to what they hold, padded.

        What it returns has the names of the records, and `int32` for integers. It raises
        `tf.errors.InvalidArgumentError` if a record is no tf.Example, lacks a feature, has another
        length, or ids and positions that point nowhere.
        """
        layout, lengths = self.layout, self.layout.lengths()
        stored = {name: _stored(name, length, layout) for name, length in lengths.items()}
        limits = {
            features.INPUT_IDS: self.vocab_size,
            features.MASKED_IDS: self.vocab_size,
            features.MASKED_POSITIONS: layout.max_seq_length,
            features.SEGMENT_IDS: 2,
            features.SENTENCE_ORDER: 2,
        }

        def parse(records: tf.Tensor) -> Batch:
            batch = tf.io.parse_example(records, stored)
            if not layout.padded:
                batch = _padded(batch, layout)
            for name, value in batch.items():
                if value.dtype == tf.int64:
                    batch[name] = _in_range(name, value, limits.get(name))
            return batch

        return parse

    def check(self, stretches: Iterable[Stretch]) -> None:
        """Reads the records as training does.

        Raises:
            corruption.READ_ERRORS: One of them is bad.
        """
        records = self.raw(*columns(stretches)).batch(_PARSED_AT_ONCE)
        for _ in records.map(self.parser(), num_parallel_calls=tf.data.AUTOTUNE):
            pass


def columns(stretches: Iterable[Stretch]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Paths, first numbers and counts `[S] string, int64, int64` of S stretches."""
    rows = list(stretches)
    return (
        tf.constant([each.path for each in rows], tf.string),
        tf.constant([each.first for each in rows], tf.int64),
        tf.constant([each.count for each in rows], tf.int64),
    )


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
            batch[name] = _filled_up(name, values, lengths[name])
    batch[features.INPUT_MASK] = tf.sequence_mask(
        compact[features.INPUT_IDS].row_lengths(), layout.max_seq_length, tf.int32
    )
    if layout.masked:
        batch[features.MASKED_WEIGHTS] = tf.sequence_mask(
            compact[features.MASKED_IDS].row_lengths(), layout.max_predictions_per_seq, tf.float32
        )
    return batch


def _filled_up(name: str, values: tf.RaggedTensor, length: int) -> tf.Tensor:
    fits = values.bounding_shape(axis=1) <= length
    with tf.control_dependencies([_assert(fits, f"more than {length} values of {name}")]):
        return values.to_tensor(shape=[None, length])


def _in_range(name: str, values: tf.Tensor, limit: int | None) -> tf.Tensor:
    """The int64 values as int32."""
    if limit is None:
        return tf.cast(values, tf.int32)
    fits = tf.reduce_all((values >= 0) & (values < limit))
    with tf.control_dependencies([_assert(fits, f"values of {name} beyond {limit}")]):
        return tf.cast(values, tf.int32)


def _assert(condition: tf.Tensor, problem: str) -> tf.Operation:
    return tf.debugging.Assert(condition, [f"a record {NO_BATCH}: {problem}"])
