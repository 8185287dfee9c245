"""Damaged record files: their good records, and the first that is not.

Files are read at TensorFlow's speed and in its way, as training does. Only where that fails are
the records of a file decoded one at a time, to tell the good ones from the others.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

import tensorflow as tf

from albert_zh.input.decoding import StoredRecord, read_stored
from albert_zh.input.reading import RecordRange, RecordReader, columns
from albert_zh.records.features import Layout
from albert_zh.records.tfrecord import count_records

# The last one: TensorFlow quotes a record that is not text.
READ_ERRORS = (tf.errors.DataLossError, tf.errors.InvalidArgumentError, UnicodeDecodeError)

_WAY_OUT = (
    "Copy the file again or create it anew with create_pretraining_data.py, or leave bad records"
    " out with --on_corrupt=skip"
)


@dataclass(frozen=True)
class FileScan:
    """Good and bad records of a file."""

    good: tuple[RecordRange, ...]
    num_bad: int = 0  # an end that is cut off is one
    first_bad: StoredRecord | None = None

    @property
    def num_good(self) -> int:
        return sum(part.count for part in self.good)


def scan_file(path: str, reader: RecordReader) -> FileScan:
    """Read all records of a file and find the good ones.

    Raises:
        ValueError: A compact record is longer than the batches, or TensorFlow cannot read the good
            records, either.
    """
    try:
        # Lengths first: an absurd one, for which there is no memory, would end TensorFlow.
        whole = RecordRange(path, 0, count_records(path))
        reader.check([whole])
    except (ValueError, *READ_ERRORS):
        scan = _scan_one_by_one(path, reader)
    else:
        return FileScan((whole,))
    if reader.compression:
        scan = _without_lost_records(scan, reader)
    try:
        reader.check(scan.good)
    except READ_ERRORS as error:
        raise ValueError(
            f"{path} cannot be read without its bad records, either ({brief(error)}); leave it out"
        ) from None
    return scan


def check_ranges(ranges: Iterable[RecordRange], reader: RecordReader) -> None:
    """Read all records.

    Raises:
        ValueError: One is bad; names file and record, and says the way out.
    """
    for path, parts in groupby(ranges, lambda part: part.path):
        try:
            reader.check(parts)
        except READ_ERRORS as error:
            if first := _scan_one_by_one(path, reader).first_bad:
                raise bad_record(path, first) from None
            raise ValueError(f"{path} cannot be read: {brief(error)}. {_WAY_OUT}") from None


def bad_record(path: str, record: StoredRecord) -> ValueError:
    """The error about a bad record."""
    return ValueError(f"{path}: {record}. {_WAY_OUT}")


def brief(error: Exception) -> str:
    """The first line of TensorFlow's message, without its nodes and devices."""
    text = getattr(error, "message", str(error)).partition("\n")[0]
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", text)


def _scan_one_by_one(path: str, reader: RecordReader) -> FileScan:
    layout, rules, bad, count = reader.layout, reader.rules, [], 0
    if not layout.padded:
        # Not the record is bad if it is too long, but the flags: see below.
        rules = replace(rules, max_seq_length=None, max_predictions_per_seq=None)
    for record in read_stored(path, rules):
        if record.problem:
            bad.append(record)
        else:
            _check_room(path, record, layout)
        count += 1
    starts = [0, *(record.number + 1 for record in bad)]
    ends = [*(record.number for record in bad), count]
    places = zip(starts, ends, strict=True)
    good = tuple(RecordRange(path, start, end - start) for start, end in places if start < end)
    return FileScan(good, len(bad), bad[0] if bad else None)


def _check_room(path: str, record: StoredRecord, layout: Layout) -> None:
    """Raise ValueError if a compact record is too long for the lengths that were asked for."""
    for option in ("max_seq_length", "max_predictions_per_seq"):
        needed, room = getattr(record.instance.layout, option), getattr(layout, option)
        if needed > room and (layout.masked or option == "max_seq_length"):
            raise ValueError(
                f"{path}: record {record.number:,} needs {option} {needed}, not {room}; pass a"
                f" larger --{option}"
            )


def _without_lost_records(scan: FileScan, reader: RecordReader) -> FileScan:
    """Leave out the records that TensorFlow loses: it drops a buffer in which it meets damage."""
    left = 0
    try:
        for _ in reader.raw(*columns(scan.good)):
            left += 1
    except tf.errors.DataLossError:
        pass
    good, lost = [], scan.num_good - left
    for part in scan.good:
        count = min(left, part.count)
        good += [replace(part, count=count)] if count else []
        left -= count
    return replace(scan, good=tuple(good), num_bad=scan.num_bad + lost)
