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
from typing import IO

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


def read_records(path: str) -> Iterator[bytes]:
    """Payloads of the file's records in order, checksums checked.

    Raises:
        ValueError: The file is empty, cut off or damaged; names the file and the byte offset.
    """
    with _opened(path) as file:
        for offset, length in _frames(file, path):
            payload, checksum = _read(file, length), _read(file, 4)
            if len(checksum) < 4 or checksum != _masked_crc(payload):
                raise _damaged(path, offset)
            yield payload


def count_records(path: str) -> int:
    """Number of records in the file; reads the lengths and skips the payloads of a plain one.

    Raises:
        ValueError: The file is empty, cut off or damaged; names the file and the byte offset.
    """
    if is_gzip(path):
        return sum(1 for _ in read_records(path))
    count, size = 0, os.path.getsize(path)
    with open(path, "rb") as file:
        for offset, length in _frames(file, path):
            if file.seek(length + 4, os.SEEK_CUR) > size:
                raise _damaged(path, offset)
            count += 1
    return count


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


def _read(file: IO[bytes], size: int) -> bytes:
    """Up to `size` bytes, fewer at the end; one where compressed data is damaged or cut off.

    One byte is neither the end of the file nor a whole header or checksum.
    """
    try:
        return file.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b"?"


def _frames(file: IO[bytes], path: str) -> Iterator[tuple[int, int]]:
    """(offset, payload length) of each frame; the file then stands at the payload."""
    offset = 0
    while header := _read(file, 12):
        if len(header) < 12 or header[8:] != _masked_crc(header[:8]):
            raise _damaged(path, offset)
        length = struct.unpack("<Q", header[:8])[0]
        yield offset, length
        offset += length + 16
    if not offset:
        raise ValueError(f"{path} is empty: a TFRecord file has at least one record")


def _damaged(path: str, offset: int) -> ValueError:
    return ValueError(
        f"{path}: no whole record at byte {offset}; the file is damaged, cut off or not"
        " a TFRecord file. Copy it again or create it anew with create_pretraining_data.py"
    )


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
