"""The writer of one shard: plain or compressed, and hashed on the way."""

import contextlib
import gzip
import hashlib
from collections.abc import Iterable
from typing import IO

from albert_zh.records.manifest import Shard


def write_shard(
    file: IO[bytes], name: str, frames: Iterable[bytes | memoryview], *, compressed: bool
) -> Shard:
    """Write framed records to an open file.

    Args:
        file: The open file.
        name: The shard's name in the manifest.
        frames: The records, from `tfrecord.frame`.
        compressed: Whether to compress by gzip. Equal records give equal bytes, within one version
            of zlib.

    Returns:
        The shard's entry in the manifest.
    """
    hashing, records = _HashingFile(file), 0
    with _open_gzip(hashing) if compressed else contextlib.nullcontext(hashing) as out:
        for data in frames:
            out.write(data)
            records += 1
    return Shard(name, records, hashing.size, hashing.digest.hexdigest())


class _HashingFile:
    """Passes bytes on to a file, and counts and hashes them."""

    def __init__(self, file: IO[bytes]):
        self._file, self.size, self.digest = file, 0, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _open_gzip(file: _HashingFile) -> gzip.GzipFile:
    # Without name and time, equal records give equal bytes.
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
