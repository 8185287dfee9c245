"""Ranges of record files become batches of tensors, at the speed of training.

```
file      record 0 1 2 3 4 5 6 7 8 9      record 3 is damaged
ranges           0 1 2   4 5 6 7 8 9      (first 0, count 3), (first 4, count 6)
```
Records are batched before they are parsed: one call parses them all, at twice the rate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import tensorflow as tf

from albert_zh.input.rules import RecordRules
from albert_zh.records import features
from albert_zh.records.features import Layout
from albert_zh.util.pipelines import prefetched

Batch = dict[str, tf.Tensor]

BREAKS_RULES = "a record of the batch breaks the rules"  # in the message of the error
_PARSED_AT_ONCE = 512  # records per batch, where they are only checked


@dataclass(frozen=True)
class RecordRange:
    """Good records in a row of a file."""

    path: str
    first: int  # number of the first one in the file
    count: int


@dataclass(frozen=True)
class RecordReader:
    """Reads record files of one layout."""

    layout: Layout  # lengths of the batches
    compression: str = ""  # or GZIP, as TensorFlow calls it
    vocab_size: int | None = None  # entries of the vocabulary; None: ids are not compared with it

    @property
    def rules(self) -> RecordRules:
        return RecordRules.of(self.layout, vocab_size=self.vocab_size)

    def raw(self, paths: tf.Tensor, first: tf.Tensor, count: tf.Tensor) -> tf.data.Dataset:
        """The bytes of the records of ranges `[R] string, int64, int64`, one after the other.

        Records before a range are skipped by their lengths, without their checksums.
        """

        @tf.autograph.experimental.do_not_convert
        def records(path: tf.Tensor, first: tf.Tensor, count: tf.Tensor) -> tf.data.Dataset:
            return tf.data.TFRecordDataset(path, self.compression).skip(first).take(count)

        return tf.data.Dataset.from_tensor_slices((paths, first, count)).flat_map(records)

    def parser(self) -> Callable[[tf.Tensor], Batch]:
        """A function from the bytes of B records `[B] string` to their features, padded.

        The features keep the names of the records, and integers become `int32`. The function
        raises `tf.errors.InvalidArgumentError` if a record is no tf.Example or breaks the rules.
        """
        layout, lengths, rules = self.layout, self.layout.lengths(), self.rules
        stored = {name: _stored(name, length, layout) for name, length in lengths.items()}

        @tf.autograph.experimental.do_not_convert
        def parse(records: tf.Tensor) -> Batch:
            batch, checks = tf.io.parse_example(records, stored), []
            if not layout.padded:
                counts = _counts(batch)
                checks += rules.length_checks(counts, padded=False)
                batch = _padded(batch, counts, layout)
            num_tokens = tf.reduce_sum(batch[features.INPUT_MASK], axis=1, keepdims=True)
            checks += rules.value_checks(batch, num_tokens=num_tokens)
            all_hold = tf.reduce_all([tf.reduce_all(check.holds) for check in checks])
            with tf.control_dependencies([tf.debugging.Assert(all_hold, [BREAKS_RULES])]):
                return {
                    name: tf.cast(value, tf.int32) if value.dtype.is_integer else tf.identity(value)
                    for name, value in batch.items()
                }

        return parse

    def check(self, ranges: Iterable[RecordRange]) -> None:
        """Read the records as training does.

        Raises:
            damage.READ_ERRORS: One of them is bad.
        """
        records = self.raw(*columns(ranges)).batch(_PARSED_AT_ONCE)
        for _ in prefetched(records.map(self.parser(), num_parallel_calls=tf.data.AUTOTUNE)):
            pass


def columns(ranges: Iterable[RecordRange]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Paths, first numbers and counts `[R] string, int64, int64` of R ranges."""
    rows = list(ranges)
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


def _counts(compact: dict[str, tf.Tensor | tf.RaggedTensor]) -> dict[str, tf.Tensor]:
    """Number of values `[B]` of each feature that has no fixed one."""
    return {
        name: values.row_lengths()
        for name, values in compact.items()
        if isinstance(values, tf.RaggedTensor)
    }


def _padded(
    compact: dict[str, tf.Tensor | tf.RaggedTensor], counts: dict[str, tf.Tensor], layout: Layout
) -> Batch:
    """The features of padded records, made of those of compact ones; excess values are cut off."""
    lengths, batch = layout.lengths(), dict(compact)
    for name in counts:
        batch[name] = compact[name].to_tensor(shape=[None, lengths[name]])
    batch[features.INPUT_MASK] = tf.sequence_mask(
        counts[features.INPUT_IDS], layout.max_seq_length, tf.int64
    )
    if layout.masked:
        batch[features.MASKED_WEIGHTS] = tf.sequence_mask(
            counts[features.MASKED_IDS], layout.max_predictions_per_seq, tf.float32
        )
    return batch
