"""The TFRecord file format without TensorFlow, so that data creation starts at once.

A file is a sequence of frames:
```
length (uint64) | masked CRC-32C of the 8 length bytes | payload | masked CRC-32C of the payload
```
All numbers are little-endian. The checksums tell a truncated or damaged file from a whole one.
A file may be compressed by gzip as a whole; offsets are then those of its content.
"""

import contextlib
import functools
import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed
_BLOCK = 4096  # bytes a checksum step takes at once, most records whole; its table has 4 MiB


def frame(payload: bytes) -> bytes:
    """The bytes that hold `payload` in a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, _masked_crc(length), payload, _masked_crc(payload)))


def is_gzip(path: str) -> bool:
    """Whether the file is compressed; a plain one can begin with the same two bytes."""
    with open(path, "rb") as file:
        header = file.read(12)
    return header[:2] == b"\x1f\x8b" and header[8:] != _masked_crc(header[:8])


class Frame(NamedTuple):
    """A record as it lies in a file, or the place where none can be read."""

    number: int  # in the file, from 0
    offset: int  # byte where it begins, in the content of a compressed file
    payload: bytes
    problem: str | None  # what is wrong with it


def scan_frames(path: str, *, payloads: bool = True) -> Iterator[Frame]:
    """All frames of a plain or gzip file in order, bad ones too.

    A payload that does not fit its checksum is given with that problem, and the scan goes on.
    Where a frame is cut off, or its length is damaged, nobody knows where the next one begins:
    that problem is the last frame. An empty file has no frame.

    Args:
        path: The file.
        payloads: False: payloads are skipped, and their checksums not looked at.
    """
    number, offset = 0, 0
    # No record in a plain file is longer than the file, nor any message than 2 GiB.
    longest = (1 << 31) if is_gzip(path) else os.path.getsize(path)
    with _opened(path) as file:
        try:
            while header := file.read(12):
                length = _payload_length(header)
                if length > longest:
                    raise _UnreadableError(_CUT_OFF)
                payload, problem = _payload(file, length) if payloads else _skipped(file, length)
                yield Frame(number, offset, payload, problem)
                number, offset = number + 1, offset + length + 16
        except _UnreadableError as error:
            yield Frame(number, offset, b"", str(error))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield Frame(number, offset, b"", "the compressed data is damaged or cut off")


def read_records(path: str) -> Iterator[bytes]:
    """Payloads of the file's records in order, checksums checked.

    Raises:
        ValueError: The file is empty, cut off or damaged; names the file, record and byte offset.
    """
    return (frame.payload for frame in _good_frames(path))


def count_records(path: str) -> int:
    """Number of records in the file; reads the lengths and skips the payloads.

    Raises:
        ValueError: The file is empty, cut off or damaged; names the file, record and byte offset.
    """
    return sum(1 for _ in _good_frames(path, payloads=False))


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of the bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for start in range(0, len(data), _BLOCK):
        state = _advance(state, data[start : start + _BLOCK])
    return state ^ 0xFFFFFFFF


def _opened(path: str) -> contextlib.AbstractContextManager[IO[bytes]]:
    return gzip.open(path) if is_gzip(path) else open(path, "rb")


def _good_frames(path: str, *, payloads: bool = True) -> Iterator[Frame]:
    found = None
    for found in scan_frames(path, payloads=payloads):
        if found.problem:
            raise ValueError(
                f"{path}: record {found.number:,}, at byte {found.offset:,}: {found.problem}; the"
                " file is damaged, cut off or not a TFRecord file. Copy it again or create it anew"
                " with create_pretraining_data.py"
            )
        yield found
    if not found:
        raise ValueError(f"{path} is empty: a TFRecord file has at least one record")


class _UnreadableError(Exception):
    """Where the next frame begins cannot be told."""


_CUT_OFF = "the file ends within this record"


def _payload_length(header: bytes) -> int:
    if header[8:] != _checksum_of_length(header[:8]):
        raise _UnreadableError("no record begins here, and what follows cannot be read")
    return struct.unpack("<Q", header[:8])[0]


def _payload(file: IO[bytes], length: int) -> tuple[bytes, str | None]:
    """The payload that follows, and what is wrong with it."""
    payload, checksum = file.read(length), file.read(4)
    if len(checksum) < 4:
        raise _UnreadableError(_CUT_OFF)
    return payload, None if checksum == _masked_crc(payload) else "its checksum does not match"


def _skipped(file: IO[bytes], length: int) -> tuple[bytes, None]:
    # A plain file can be left behind its end: the last byte is read to see that it is there.
    file.seek(length + 3, os.SEEK_CUR)
    if not file.read(1):
        raise _UnreadableError(_CUT_OFF)
    return b"", None


@functools.lru_cache(maxsize=1 << 12)  # Lengths recur.
def _checksum_of_length(length: bytes) -> bytes:
    return _masked_crc(length)


def _masked_crc(data: bytes) -> bytes:
    # TFRecord rotates and shifts checksums, since CRCs of data that holds CRCs are weak.
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _advance(state: int, block: bytes) -> int:
    """The checksum state after `block`.

    A CRC is linear: the new state is the exclusive or of one table entry per byte, chosen by the
    byte and its distance from the end. The old state acts as if mixed into the first four bytes.
    """
    count = len(block)
    values = np.frombuffer(block, np.uint8).astype(np.int64)
    values[:4] ^= np.frombuffer(struct.pack("<I", state), np.uint8)[:count]
    values += np.arange(_BLOCK - count, _BLOCK) << 8
    return int(np.bitwise_xor.reduce(_contributions()[values])) ^ (state >> 8 * count)


@functools.cache
def _contributions() -> np.ndarray:
    """What byte b, followed by `_BLOCK - 1 - row` more bytes, adds to the state.  [_BLOCK * 256]"""
    single = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        single = np.where(single & 1, single >> 1 ^ _POLYNOMIAL, single >> 1).astype(np.uint32)
    rows = [single]
    for _ in range(_BLOCK - 1):
        rows.append(single[rows[-1] & 0xFF] ^ rows[-1] >> 8)
    return np.concatenate(rows[::-1])
