"""The records of one block on disk, sorted by random keys: shuffling a corpus of any size.

```
block 0    03 1f 88 c0          every record has a random 64-bit key; a block is sorted by it
block 1    11 52 9a f7
block 2    29 2a 61 e4
           -----|------         a shard takes a range of keys from every block and sorts them:
shards       0     1            all records in the order of their keys, which is a random one
```
A file: a line of JSON (fingerprint of the text, counts), the keys, the ends of the records behind
them, and the records in the frames of the TFRecord format, so that a shard only has to copy them.
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
_HEADER = 4096  # bytes; the line of JSON is filled up with spaces
_NUMBER = np.dtype("<u8")


@dataclass(frozen=True)
class BlockFacts:
    """What is known of the records of a block without reading them."""

    text: str  # fingerprint of the documents they were made of
    records: int
    bytes: int
    counts: Counter[str]


def write_block(
    path: str, records: Sequence[tuple[int, bytes]], *, text: str, counts: Counter[str]
) -> BlockFacts:
    """Writes the records of a block, given with their keys, sorted by key."""
    keys = np.array([key for key, _ in records], _NUMBER)
    order = np.argsort(keys, kind="stable")
    frames = [frame(records[index][1]) for index in order]
    ends = np.cumsum([len(framed) for framed in frames], dtype=_NUMBER)
    facts = BlockFacts(text, len(frames), int(ends[-1]) if frames else 0, counts)
    header = json.dumps(vars(facts)).encode().ljust(_HEADER)
    assert len(header) == _HEADER
    with atomic_write(path) as file:
        file.write(header)
        file.write(keys[order].tobytes())
        file.write(ends.tobytes())
        file.writelines(frames)
    return facts


def read_facts(path: str) -> BlockFacts | None:
    """What `write_block` returned for the file; None if there is none."""
    try:
        with open(path, "rb") as file:
            stored = json.loads(file.read(_HEADER))
    except FileNotFoundError:
        return None
    return BlockFacts(**{**stored, "counts": Counter(stored["counts"])})


def key_ranges(count: int, *, within: range = ALL_KEYS) -> list[range]:
    """Cuts a range of keys into `count` parts, equal but for rounding.

    >>> key_ranges(3, within=range(10))
    [range(0, 4), range(4, 7), range(7, 10)]
    """
    size = within.stop - within.start
    bounds = [within.start - (-index * size // count) for index in range(count + 1)]
    return [range(first, last) for first, last in pairwise(bounds)]


def in_order_of_keys(paths: Sequence[str], keys: range) -> Iterator[memoryview]:
    """Framed records of all blocks whose keys lie in the range; reads them into memory at once."""
    parts = [_read_part(path, keys) for path in paths]
    block_of = np.repeat(np.arange(len(parts)), [len(part.keys) for part in parts])
    index_in_block = np.concatenate([np.arange(len(part.keys)) for part in parts])
    for place in np.argsort(np.concatenate([part.keys for part in parts]), kind="stable"):
        part, index = parts[block_of[place]], index_in_block[place]
        yield part.frames[part.bounds[index] : part.bounds[index + 1]]


@dataclass(frozen=True)
class _Part:
    keys: np.ndarray
    bounds: np.ndarray  # of the records in `frames`, one more than keys
    frames: memoryview


def _read_part(path: str, keys: range) -> _Part:
    with open(path, "rb") as file:
        size = json.loads(file.read(_HEADER))["records"] * _NUMBER.itemsize
        stored = np.frombuffer(file.read(size), _NUMBER)
        ends = np.frombuffer(file.read(size), _NUMBER)
        begin = int(np.searchsorted(stored, np.uint64(keys.start), "left"))
        end = int(np.searchsorted(stored, np.uint64(keys.stop - 1), "right"))
        bounds = np.concatenate([[0], ends.astype(np.int64)])[begin : end + 1]
        file.seek(int(bounds[0]), os.SEEK_CUR)
        frames = memoryview(file.read(int(bounds[-1] - bounds[0])))
    # A copy: a view would keep the keys of the whole block in memory, and so of the whole corpus.
    return _Part(stored[begin:end].copy(), bounds - bounds[0], frames)
