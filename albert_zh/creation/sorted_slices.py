"""The records of one corpus slice on disk, sorted by random keys: a shuffle of any corpus.

```
slice 0    03 1f 88 c0          every record has a random 64-bit key; a slice is sorted by it
slice 1    11 52 9a f7
slice 2    29 2a 61 e4
           -----|------         a shard takes a range of keys from every slice and sorts them:
shards       0     1            all records in the order of their random keys
```
A file has a header (one line of JSON), the keys, the ends of the records, and the records as frames
of the TFRecord format, so that a shard only copies them.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from albert_zh.records.tfrecord import frame
from albert_zh.util.files import atomic_write

ALL_KEYS = range(1 << 64)
_HEADER_BYTES = 4096  # the line of JSON is filled up with spaces
_NUMBER = np.dtype("<u8")


@dataclass(frozen=True)
class SliceHeader:
    """Facts about the records of a slice, to be read without the records."""

    text: str  # fingerprint of the slice
    records: int
    bytes: int
    counts: Counter[str]


def write_slice(
    path: str, records: Sequence[tuple[int, bytes]], *, text: str, counts: Counter[str]
) -> SliceHeader:
    """Write the records of a slice, given with their keys, sorted by key."""
    keys = np.array([key for key, _ in records], _NUMBER)
    order = np.argsort(keys, kind="stable")
    frames = [frame(records[index][1]) for index in order]
    ends = np.cumsum([len(data) for data in frames], dtype=_NUMBER)
    header = SliceHeader(text, len(frames), int(ends[-1]) if frames else 0, counts)
    line = json.dumps(vars(header)).encode().ljust(_HEADER_BYTES)
    assert len(line) == _HEADER_BYTES
    with atomic_write(path) as file:
        file.write(line)
        file.write(keys[order].tobytes())
        file.write(ends.tobytes())
        file.writelines(frames)
    return header


def read_header(path: str) -> SliceHeader | None:
    """The result of `write_slice` for the file; None if there is no such file."""
    try:
        with open(path, "rb") as file:
            values = json.loads(file.read(_HEADER_BYTES))
    except FileNotFoundError:
        return None
    return SliceHeader(**{**values, "counts": Counter(values["counts"])})


def key_ranges(count: int, *, within: range = ALL_KEYS) -> list[range]:
    """Cut a range of keys into `count` parts, equal but for rounding.

    >>> key_ranges(3, within=range(10))
    [range(0, 4), range(4, 7), range(7, 10)]
    """
    size = within.stop - within.start
    bounds = [within.start - (-index * size // count) for index in range(count + 1)]
    return [range(first, last) for first, last in pairwise(bounds)]


def frames_by_key(paths: Sequence[str], keys: range) -> Iterator[memoryview]:
    """Frames of all slices with keys in the range, in the order of the keys.

    All of them are in memory together.
    """
    parts = [_read_part(path, keys) for path in paths]
    slice_of = np.repeat(np.arange(len(parts)), [len(part.keys) for part in parts])
    index_in_slice = np.concatenate([np.arange(len(part.keys)) for part in parts])
    for place in np.argsort(np.concatenate([part.keys for part in parts]), kind="stable"):
        part, index = parts[slice_of[place]], index_in_slice[place]
        yield part.frames[part.bounds[index] : part.bounds[index + 1]]


@dataclass(frozen=True)
class _Part:
    """The records of one slice with keys in a range."""

    keys: np.ndarray
    bounds: np.ndarray  # of the records in `frames`, one more than keys
    frames: memoryview


def _read_part(path: str, keys: range) -> _Part:
    with open(path, "rb") as file:
        size = json.loads(file.read(_HEADER_BYTES))["records"] * _NUMBER.itemsize
        all_keys = np.frombuffer(file.read(size), _NUMBER)
        ends = np.frombuffer(file.read(size), _NUMBER)
        begin = int(np.searchsorted(all_keys, np.uint64(keys.start), "left"))
        end = int(np.searchsorted(all_keys, np.uint64(keys.stop - 1), "right"))
        bounds = np.concatenate([[0], ends.astype(np.int64)])[begin : end + 1]
        file.seek(int(bounds[0]), os.SEEK_CUR)
        frames = memoryview(file.read(int(bounds[-1] - bounds[0])))
    # A copy: a view would keep the keys of the whole slice in memory, and so of the whole corpus.
    return _Part(all_keys[begin:end].copy(), bounds - bounds[0], frames)
