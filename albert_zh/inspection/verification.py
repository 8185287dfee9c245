"""Verification: all that is wrong with record files, by file, record and byte.

```
a.tfrecord: record 1, at byte 2,560: its checksum does not match
b.tfrecord: it has 1,203 records, but manifest.json says 1,840
c.tfrecord: it is missing, but manifest.json lists it
```
All records are read once, for the problems and for the statistics of those that can be read.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from albert_zh.input.decoding import StoredRecord, read_stored
from albert_zh.inspection.contents import SpecialIds, content_problems
from albert_zh.inspection.files import InspectedFiles, shard_of
from albert_zh.inspection.statistics import Statistics, TokenMeanings, gather
from albert_zh.records.manifest import MANIFEST, Shard
from albert_zh.records.paths import unnamed_shards
from albert_zh.util.files import sha256_of_file
from albert_zh.util.progress import Progress

_BATCH = 500  # records counted at a time


@dataclass(frozen=True)
class Problem:
    """A problem of a file, or of one or several records of it in a row.

    >>> print(Problem("a.tfrecord", "input_ids has no token", number=7, offset=5320, count=3))
    a.tfrecord: records 7 to 9, from byte 5,320: input_ids has no token
    """

    path: str
    text: str
    number: int | None = None  # of the (first) record, from 0
    offset: int | None = None  # its first byte
    count: int = 1

    def __str__(self) -> str:
        if self.number is None:
            return f"{self.path}: {self.text}"
        which = f"record {self.number:,}, at"
        if self.count > 1:
            which = f"records {self.number:,} to {self.number + self.count - 1:,}, from"
        return f"{self.path}: {which} byte {self.offset:,}: {self.text}"

    def goes_on_in(self, other: "Problem") -> bool:
        """True if the other is the same problem of the next record."""
        return (self.path, self.text) == (other.path, other.text) and (
            self.number is not None and other.number == self.number + self.count
        )


@dataclass(frozen=True)
class Inspection:
    """The statistics of the records that can be read, and all problems."""

    statistics: Statistics
    problems: tuple[Problem, ...]


def inspect_files(files: InspectedFiles, *, verify: bool) -> Inspection:
    """Read all records.

    Args:
        files: Files to read.
        verify: Compare the files with their manifests, too.
    """
    meanings = TokenMeanings.of(files.vocab) if files.vocab else None
    statistics, problems = Statistics(), []
    with Progress(description="reading", unit="record", total=files.num_listed) as progress:
        for index, (path, owner) in enumerate(zip(files.paths, files.owners, strict=True)):
            num_records = 0
            for batch in _batches(read_stored(path, files.rules(index))):
                good = [record.instance for record in batch if record.instance]
                statistics += gather(good, meanings)
                _note_bad(batch, path, files.special_ids(index), problems)
                num_records += len(batch)
                progress.advance(len(batch))
            if not num_records:
                problems.append(Problem(path, "it is empty"))
            if verify and owner:
                problems += _differences(path, shard_of(path, owner), num_records=num_records)
    problems += _missing_shards(files) if verify else []
    return Inspection(statistics, tuple(problems))


def _batches(records: Iterator[StoredRecord]) -> Iterator[list[StoredRecord]]:
    return iter(lambda: list(islice(records, _BATCH)), [])


def _note_bad(
    records: Sequence[StoredRecord],
    path: str,
    ids: SpecialIds | None,
    problems: list[Problem],
) -> None:
    """Append the problems of the records; one that goes on lengthens the last."""
    for record in records:
        texts = [record.problem] if record.problem else content_problems(record.instance, ids)
        if text := "; ".join(texts):
            problem = Problem(path, text, record.number, record.offset)
            if problems and problems[-1].goes_on_in(problem):
                problem = replace(problems[-1], count=problems.pop().count + 1)
            problems.append(problem)


def _differences(path: str, shard: Shard, *, num_records: int) -> Iterator[Problem]:
    """The differences of a file from the one that the manifest lists."""
    size = os.path.getsize(path)
    if size != shard.bytes:
        yield Problem(path, f"it has {size:,} bytes, but {MANIFEST} says {shard.bytes:,}")
    elif sha256_of_file(path) != shard.sha256:
        yield Problem(path, f"its SHA-256 is not the one in {MANIFEST}")
    if num_records != shard.records:
        text = f"it has {num_records:,} records, but {MANIFEST} says {shard.records:,}"
        yield Problem(path, text)


def _missing_shards(files: InspectedFiles) -> Iterator[Problem]:
    """The shards of the same sets that are not there."""
    for path in unnamed_shards(files.paths, files.owners):
        if not os.path.exists(path):
            yield Problem(path, f"it is missing, but {MANIFEST} lists it")
