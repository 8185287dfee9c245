"""A shard while it is written: its bytes go to a file, plain or compressed, and are hashed."""

import contextlib
import gzip
import hashlib
from collections.abc import Iterable
from typing import IO

from albert_zh.records.manifest import Shard


def write_shard(
    file: IO[bytes], name: str, frames: Iterable[bytes | memoryview], *, compressed: bool
) -> Shard:
    """Writes framed records to an open file.

    Args:
        file: Where to.
        name: Of the shard, for the manifest.
        frames: The records, as `tfrecord.frame` gives them.
        compressed: Whether by gzip. Equal records give equal bytes, in one version of zlib.

    Returns:
        What is to be known of the shard.
    """
    hashed, records = _HashedFile(file), 0
    with _compressing(hashed) if compressed else contextlib.nullcontext(hashed) as out:
        for framed in frames:
            out.write(framed)
            records += 1
    return Shard(name, records, hashed.size, hashed.digest.hexdigest())


class _HashedFile:
    """Passes bytes on to a file and keeps their number and SHA-256."""

    def __init__(self, file: IO[bytes]):
        self._file, self.size, self.digest = file, 0, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _compressing(file: _HashedFile) -> gzip.GzipFile:
    # Without name and time, equal records give equal bytes.
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
