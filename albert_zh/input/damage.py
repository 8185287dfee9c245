"""Damaged record files: which of their records are good, and which one is the first that is not.

Files are read at TensorFlow's speed and in its way, as training does. Only where that fails are
the records of a file taken singly, to tell the good ones from the others.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

import tensorflow as tf

from albert_zh.input.decoding import Format, Stretch, columns
from albert_zh.input.stored import Limits, StoredRecord, read_stored
from albert_zh.records.features import Layout
from albert_zh.records.tfrecord import count_records

# The last one: TensorFlow quotes a record that is not text.
READ_ERRORS = (tf.errors.DataLossError, tf.errors.InvalidArgumentError, UnicodeDecodeError)

_WAY_OUT = (
    "Copy the file again or create it anew with create_pretraining_data.py, or leave bad records"
    " out with --on_corrupt=skip"
)


class OnCorrupt(Enum):
    """What becomes of records that cannot be read."""

    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True)
class Findings:
    """What a file holds."""

    good: tuple[Stretch, ...]
    num_bad: int = 0  # an end that is cut off is one
    first_bad: StoredRecord | None = None

    @property
    def num_good(self) -> int:
        return sum(stretch.count for stretch in self.good)


def examine(path: str, reading: Format) -> Findings:
    """Reads all records of a file.

    Raises:
        ValueError: TensorFlow cannot read what seems to be good, either.
    """
    try:
        # Lengths first: an absurd one, for which there is no memory, would end TensorFlow.
        whole = Stretch(path, 0, count_records(path))
        reading.check([whole])
    except (ValueError, *READ_ERRORS):
        found = _taken_singly(path, reading)
    else:
        return Findings((whole,))
    if reading.compression:
        found = _as_far_as_unpacked(found, reading)
    try:
        reading.check(found.good)
    except READ_ERRORS as error:
        raise ValueError(
            f"{path} cannot be read without its bad records, either ({brief(error)}); leave it out"
        ) from None
    return found


def check_all(stretches: Iterable[Stretch], reading: Format) -> None:
    """Reads all records.

    Raises:
        ValueError: One is bad; names file and record, and says the way out.
    """
    for path, of_file in groupby(stretches, lambda stretch: stretch.path):
        try:
            reading.check(of_file)
        except READ_ERRORS as error:
            if first := _taken_singly(path, reading).first_bad:
                raise bad_record(path, first) from None
            raise ValueError(f"{path} cannot be read: {brief(error)}. {_WAY_OUT}") from None


def bad_record(path: str, record: StoredRecord) -> ValueError:
    """The error that tells of a bad record."""
    return ValueError(f"{path}: {described(record)}. {_WAY_OUT}")


def described(record: StoredRecord) -> str:
    """Where a bad record is in its file, and what is wrong with it."""
    return f"record {record.number:,}, at byte {record.offset:,}: {record.problem}"


def brief(error: Exception) -> str:
    """The first line of what TensorFlow says, without its nodes and devices."""
    text = getattr(error, "message", str(error)).partition("\n")[0]
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", text)


def _taken_singly(path: str, reading: Format) -> Findings:
    layout, bad, count = reading.layout, [], 0
    lengths = (layout.max_seq_length, layout.max_predictions_per_seq) if layout.padded else ()
    for record in read_stored(path, Limits(*lengths, vocab_size=reading.vocab_size)):
        if record.problem:
            bad.append(record)
        else:
            _check_room(path, record, layout)
        count += 1
    starts = [0, *(record.number + 1 for record in bad)]
    ends = [*(record.number for record in bad), count]
    places = zip(starts, ends, strict=True)
    good = tuple(Stretch(path, start, end - start) for start, end in places if start < end)
    return Findings(good, len(bad), bad[0] if bad else None)


def _check_room(path: str, record: StoredRecord, layout: Layout) -> None:
    """Raises ValueError if a compact record is too long: the flags are wrong, not the record."""
    for option in ("max_seq_length", "max_predictions_per_seq"):
        found, room = getattr(record.instance.layout, option), getattr(layout, option)
        if found > room and (layout.masked or option == "max_seq_length"):
            raise ValueError(
                f"{path}: record {record.number:,} needs {option} {found}, not {room}; pass a"
                f" larger --{option}"
            )


def _as_far_as_unpacked(found: Findings, reading: Format) -> Findings:
    """Without the records that TensorFlow loses: it drops a buffer in which it meets damage."""
    left = 0
    try:
        for _ in reading.raw(*columns(found.good)):
            left += 1
    except tf.errors.DataLossError:
        pass
    good, lost = [], found.num_good - left
    for stretch in found.good:
        count = min(left, stretch.count)
        good += [replace(stretch, count=count)] if count else []
        left -= count
    return replace(found, good=tuple(good), num_bad=found.num_bad + lost)
