"""The TFRecord file format without TensorFlow, so that data creation starts at once.

A file is a sequence of frames:
```
length (uint64) | masked CRC-32C of the 8 length bytes | payload | masked CRC-32C of the payload
```
All numbers are little-endian. The checksums reveal truncated and damaged files. A file may be
compressed by gzip as a whole; offsets are then those of its content.
"""

import contextlib
import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import google_crc32c


def frame(payload: bytes) -> bytes:
    """The bytes that hold `payload` in a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, _masked_crc(length), payload, _masked_crc(payload)))


def is_gzip(path: str) -> bool:
    """True if the file is compressed; a plain one can begin with the same two bytes."""
    with open(path, "rb") as file:
        header = file.read(12)
    return header[:2] == b"\x1f\x8b" and header[8:] != _masked_crc(header[:8])


def is_record_file(path: str) -> bool:
    """True if the file begins with a record; what is behind it may be damaged."""
    first = next(scan_frames(path, payloads=False), None)
    return first is not None and first.problem is None


class Frame(NamedTuple):
    """A stored record, or the place in a file where no record can be read."""

    number: int  # of the record in the file, from 0
    offset: int  # first byte of the frame, in the content of a compressed file
    payload: bytes
    problem: str | None  # None: the record is good


def scan_frames(path: str, *, payloads: bool = True) -> Iterator[Frame]:
    """All frames of a plain or gzip file in order, bad ones too.

    A payload that does not fit its checksum is yielded with that problem, and the scan continues.
    If a frame is cut off or its length is damaged, the start of the next one is unknown: the
    problem is then the last frame. An empty file has no frame.

    Args:
        path: The file.
        payloads: False: payloads are skipped, and their checksums are not checked.
    """
    number, offset = 0, 0
    # No record in a plain file is longer than the file, nor any message than 2 GiB.
    longest = (1 << 31) if is_gzip(path) else os.path.getsize(path)
    with _open_content(path) as file:
        try:
            while header := file.read(12):
                length = _payload_length(header)
                if length > longest:
                    raise _UnreadableError(_CUT_OFF)
                payload, problem = (
                    _read_payload(file, length) if payloads else _skip_payload(file, length)
                )
                yield Frame(number, offset, payload, problem)
                number, offset = number + 1, offset + length + 16
        except _UnreadableError as error:
            yield Frame(number, offset, b"", str(error))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield Frame(number, offset, b"", "the compressed data is damaged or cut off")


def count_records(path: str) -> int:
    """Number of records in the file; reads the lengths and skips the payloads.

    Raises:
        ValueError: The file is empty, cut off or damaged; names the file, record and byte offset.
    """
    count = 0
    for frame in scan_frames(path, payloads=False):
        if frame.problem:
            raise ValueError(
                f"{path}: record {frame.number:,}, at byte {frame.offset:,}: {frame.problem}; the"
                " file is damaged, cut off or not a TFRecord file. Copy it again or create it anew"
                " with create_pretraining_data.py"
            )
        count += 1
    if not count:
        raise ValueError(f"{path} is empty: a TFRecord file has at least one record")
    return count


def _open_content(path: str) -> contextlib.AbstractContextManager[IO[bytes]]:
    return gzip.open(path) if is_gzip(path) else open(path, "rb")


class _UnreadableError(Exception):
    """The start of the next frame is unknown."""


_CUT_OFF = "the file ends within this record"


def _payload_length(header: bytes) -> int:
    if header[8:] != _masked_crc(header[:8]):
        raise _UnreadableError("no record begins here, and what follows cannot be read")
    return struct.unpack("<Q", header[:8])[0]


def _read_payload(file: IO[bytes], length: int) -> tuple[bytes, str | None]:
    """The payload that follows, and its problem or None."""
    payload, checksum = file.read(length), file.read(4)
    if len(checksum) < 4:
        raise _UnreadableError(_CUT_OFF)
    return payload, None if checksum == _masked_crc(payload) else "its checksum does not match"


def _skip_payload(file: IO[bytes], length: int) -> tuple[bytes, None]:
    # Seeking beyond the end of a plain file is no error, so the last byte is read.
    file.seek(length + 3, os.SEEK_CUR)
    if not file.read(1):
        raise _UnreadableError(_CUT_OFF)
    return b"", None


def _masked_crc(data: bytes) -> bytes:
    # TFRecord rotates and shifts checksums, since CRCs of data that holds CRCs are weak.
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
