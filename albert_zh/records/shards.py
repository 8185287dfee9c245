"""TFRecord shards with their manifest, written whole or not at all.

```
records 0 1 2 3 4 ...  ->  a.tfrecord: 0 2 4 ...     round-robin, as published
                           b.tfrecord: 1 3 5 ...
                           manifest.json: what they are and what they were made of
```
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import IO

from albert_zh.files import atomic_write, sha256_of_file
from albert_zh.records.manifest import MANIFEST, RecordSet, Shard, add_set, read_manifest
from albert_zh.records.tfrecord import frame


def parse_output_files(names: str) -> list[str]:
    """The shard paths of a comma-separated list.

    >>> parse_output_files("out/a.tfrecord, out/b.tfrecord")
    ['out/a.tfrecord', 'out/b.tfrecord']

    Raises:
        ValueError: No path, a path twice, a directory, or paths in different directories.
    """
    paths = [name.strip() for name in names.split(",") if name.strip()]
    if not paths:
        raise ValueError("output_file names no file")
    if len(set(map(os.path.abspath, paths))) < len(paths):
        raise ValueError(f"output_file names a file twice: {names}")
    if len({os.path.dirname(os.path.abspath(path)) for path in paths}) > 1:
        raise ValueError(
            "the files of one run go to one directory, where their manifest is kept;"
            f" output_file names several: {names}"
        )
    for path in paths:
        if os.path.isdir(path):
            raise ValueError(f"output_file {path} is a directory; name a file in it")
    return paths


def is_written(paths: Sequence[str], wanted: RecordSet) -> bool:
    """Whether the shards stand there complete, made of the same recipe, vocabulary and inputs.

    False means that they may be written: nothing is there, or a part of the very same set.

    Raises:
        ValueError: Something else stands at one of the paths.
    """
    directory = os.path.dirname(os.path.abspath(paths[0]))
    names = [os.path.basename(path) for path in paths]
    standing = [path for path in paths if os.path.exists(path)]
    for known in read_manifest(directory):
        files = [shard.file for shard in known.shards]
        found = [file for file in files if os.path.exists(os.path.join(directory, file))]
        if not found or not known.claims(names):
            continue
        where = os.path.join(directory, found[0])
        if files != names:
            raise _occupied(where, f"as one of {len(files)} files: {', '.join(files)}")
        if difference := known.difference(wanted):
            raise _occupied(where, f"made otherwise: {difference}")
        for path in standing:
            _check_unchanged(path, known)
        return len(standing) == len(paths)
    if standing:
        raise _occupied(standing[0], f"and {MANIFEST} beside it does not list it")
    return False


def write_shards(
    records: Sequence[bytes], *, paths: Sequence[str], described: RecordSet
) -> RecordSet:
    """Writes the records round-robin to the paths and enters them in the manifest.

    All files are written under temporary names, then entered, then renamed: whenever the process
    is killed, a shard under its final name is whole, and the same run can finish the set.

    Returns:
        `described` with its shards.
    """
    if len(records) < len(paths):
        raise ValueError(
            f"{len(records):,} instances for {len(paths):,} output files would leave files without"
            " records; name fewer files or give more text"
        )
    directory = os.path.dirname(os.path.abspath(paths[0]))
    with contextlib.ExitStack() as stack:
        shards = tuple(
            _write(
                stack.enter_context(atomic_write(path)),
                os.path.basename(path),
                records[index :: len(paths)],
            )
            for index, path in enumerate(paths)
        )
        written = replace(described, shards=shards)
        add_set(directory, written)
    return written


def _write(file: IO[bytes], name: str, records: Sequence[bytes]) -> Shard:
    digest, size = hashlib.sha256(), 0
    for record in records:
        framed = frame(record)
        file.write(framed)
        digest.update(framed)
        size += len(framed)
    return Shard(file=name, records=len(records), bytes=size, sha256=digest.hexdigest())


def _check_unchanged(path: str, known: RecordSet) -> None:
    shard = known.shard(os.path.basename(path))
    if os.path.getsize(path) != shard.bytes or sha256_of_file(path) != shard.sha256:
        raise _occupied(path, f"but changed since {MANIFEST} was written")


def _occupied(path: str, how: str) -> ValueError:
    return ValueError(
        f"{path} stands there already, {how}. Delete it or choose another --output_file"
    )
