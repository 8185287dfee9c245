"""Pretraining records become batches of tensors.

```
shards -> order of the epoch -> raw records -> batch -> parse -> rename, int32
```
A batch (B examples, L max_seq_length, P max_predictions_per_seq):
```
input_ids, input_mask, segment_ids       [B, L] int32
masked_lm_positions, masked_lm_ids       [B, P] int32
masked_lm_weights                        [B, P] float32
sentence_order                           [B]    int32    1 if the segments are swapped
```
Records are batched before they are parsed: one call parses them all, at twice the rate.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from albert_zh.records import features
from albert_zh.records.manifest import MANIFEST, RecordSet, find_sets
from albert_zh.records.tfrecord import count_records, read_records

_INTERLEAVED_FILES = 4  # read at a time, a record of each in turn
_WINDOW = 10_000  # records shuffled among each other, about 25 MB at L = 512


@dataclass(frozen=True)
class RecordFiles:
    """Record files that were checked: equal lengths, none empty, none of another vocabulary."""

    paths: tuple[str, ...]
    max_seq_length: int
    max_predictions_per_seq: int
    num_records: int
    vocabulary: dict[str, Any] | None  # fingerprint and size; None when no manifest tells


def check_records(
    paths: Sequence[str], *, max_seq_length: int, max_predictions_per_seq: int
) -> RecordFiles:
    """Looks at the first record and the manifest entry of every file.

    Raises:
        ValueError: A file is empty, damaged or incomplete, or was made with other lengths than
            these or with another vocabulary than the other files; says which and what to do.
    """
    lengths = features.feature_lengths(
        max_seq_length=max_seq_length, max_predictions_per_seq=max_predictions_per_seq
    )
    num_records, vocabularies = 0, {}
    for path, owner in zip(paths, find_sets(paths), strict=True):
        _check_lengths(path, lengths)
        num_records += _listed_records(path, owner) if owner else count_records(path)
        if owner:
            vocabularies.setdefault(owner.vocabulary["fingerprint"], (path, owner.vocabulary))
    if len(vocabularies) > 1:
        (one, _), (other, _), *_ = vocabularies.values()
        raise ValueError(
            f"records made with different vocabularies cannot be mixed: {one} and {other}"
        )
    found = next(iter(vocabularies.values()), None)
    return RecordFiles(
        paths=tuple(paths),
        max_seq_length=max_seq_length,
        max_predictions_per_seq=max_predictions_per_seq,
        num_records=num_records,
        vocabulary=found[1] if found else None,
    )


def training_batches(
    files: RecordFiles, *, batch_size: int, seed: int, skip_batches: int = 0
) -> tf.data.Dataset:
    """Endless batches, in an order that `seed` and the number of the epoch decide.

    Args:
        files: What `check_records` returned.
        batch_size: Examples a batch. A batch may hold the end of an epoch and the next one's start.
        seed: Of the order.
        skip_batches: Batches that a run before this one has used: the first batch is then the one
            that would have come next in it. Whole epochs are skipped without reading.
    """
    first_epoch, used = divmod(skip_batches * batch_size, files.num_records)
    records = (
        tf.data.Dataset.range(first_epoch, tf.int64.max)
        .flat_map(lambda epoch: _epoch(files.paths, tf.stack([tf.cast(seed, tf.int64), epoch])))
        .skip(used)
        .batch(batch_size, drop_remainder=True)
    )
    return _parsed(records, files)


def evaluation_batches(files: RecordFiles, *, batch_size: int) -> tf.data.Dataset:
    """Every record once, in the order of the files; the last batch may be smaller."""
    records = tf.data.TFRecordDataset(list(files.paths)).batch(batch_size)
    return _parsed(records, files)


def _epoch(paths: Sequence[str], seed: tf.Tensor) -> tf.data.Dataset:
    """All records once: files in random order, then records in random order within windows.

    A window is shuffled as a whole rather than passed through `Dataset.shuffle`, whose order also
    depends on TensorFlow's global seed.

    Args:
        paths: Record files.
        seed: [2] int64, decides the order.
    """

    def shuffled_window(number: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
        own_seed = tf.random.experimental.stateless_fold_in(seed, number)
        return tf.random.experimental.stateless_shuffle(window, own_seed)

    order = tf.random.experimental.stateless_shuffle(tf.constant(list(paths)), seed)
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .interleave(
            tf.data.TFRecordDataset,
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
    lengths = features.feature_lengths(
        max_seq_length=files.max_seq_length,
        max_predictions_per_seq=files.max_predictions_per_seq,
    )
    stored = {
        name: tf.io.FixedLenFeature([length], _stored_type(name))
        for name, length in lengths.items()
    }

    def parse(records: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = tf.io.parse_example(records, stored)
        for name, value in batch.items():
            if value.dtype == tf.int64:
                batch[name] = tf.cast(value, tf.int32)
        batch["sentence_order"] = tf.squeeze(batch.pop(features.SENTENCE_ORDER), axis=1)  # [B]
        return batch

    return batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(
        tf.data.AUTOTUNE
    )


def _stored_type(name: str) -> tf.DType:
    return tf.float32 if name == features.MASKED_WEIGHTS else tf.int64


def _check_lengths(path: str, lengths: dict[str, int]) -> None:
    found = _stored_lengths(path)
    if missing := [name for name in lengths if name not in found]:
        raise ValueError(
            f"{path} does not hold pretraining records: its first record lacks {', '.join(missing)}"
        )
    for name, option in (
        (features.INPUT_IDS, "max_seq_length"),
        (features.MASKED_IDS, "max_predictions_per_seq"),
    ):
        if found[name] != lengths[name]:
            raise ValueError(
                f"records in {path} were made with {option} {found[name]}, not {lengths[name]};"
                f" pass --{option}={found[name]}"
            )
    if wrong := [name for name in lengths if found[name] != lengths[name]]:
        raise ValueError(
            f"{path}: feature {wrong[0]} of the first record has {found[wrong[0]]}"
            f" values instead of {lengths[wrong[0]]}; create the records anew"
        )


def _stored_lengths(path: str) -> dict[str, int]:
    """Number of values of each feature in the first record."""
    record = next(read_records(path))
    try:
        example = tf.train.Example.FromString(record)
    except DecodeError:
        raise ValueError(f"{path} does not hold pretraining records (tf.Example)") from None
    return {
        name: len(getattr(feature, feature.WhichOneof("kind") or "int64_list").value)
        for name, feature in example.features.feature.items()
    }


def _listed_records(path: str, owner: RecordSet) -> int:
    """The number of records the manifest lists, if the file is as long as it says."""
    shard = owner.shard(os.path.basename(path))
    if os.path.getsize(path) != shard.bytes:
        raise ValueError(
            f"{path} has {os.path.getsize(path):,} bytes, {MANIFEST} beside it says"
            f" {shard.bytes:,}: the copy is incomplete or another file took the name; copy it again"
            " or create the records anew"
        )
    return shard.records
