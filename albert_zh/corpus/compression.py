"""Compressed files become what was compressed; what they begin with tells how they are packed.

```
a.txt.gz   1f 8b ...  ...  1f 8b ...  ...     several streams, one behind the other, are one text
```
Names tell less: standard input has none, and downloads get packed or unpacked on their way. No
UTF-8 text begins like a packed file.
"""

import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from albert_zh.util.optional_packages import load_extra

# Bytes of a packed file to be read at a time: even where all the text is one character, no more
# than 64 MB come out of so little.
PACKED_PART = 1 << 11
# An xz file may ask for gigabytes of memory; `xz -9` asks for 65 MB. zstandard has such a limit.
_XZ_MEMORY = 256 << 20


class _Unpacker(Protocol):
    """Reads one compressed stream; a file may hold several, one behind the other."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Packing:
    """A way to compress files."""

    name: str
    beginnings: tuple[bytes, ...]  # what such a file may begin with
    unpacker: Callable[[], _Unpacker]


def _gzip_unpacker() -> _Unpacker:
    return zlib.decompressobj(wbits=31)  # 31: with gzip's header and checksum


def _xz_unpacker() -> _Unpacker:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _zst_unpacker() -> _Unpacker:
    return load_extra("zstandard", purpose="a .zst file").ZstdDecompressor().decompressobj()


# Parallel packers write frames of notes, to be skipped, of sixteen kinds.
_ZST_SKIPPED = tuple(bytes((kind, 0x2A, 0x4D, 0x18)) for kind in range(0x50, 0x60))
_PACKINGS = (
    Packing("gz", (b"\x1f\x8b",), _gzip_unpacker),
    Packing("xz", (b"\xfd7zXZ\0",), _xz_unpacker),
    Packing("zst", (b"\x28\xb5\x2f\xfd", *_ZST_SKIPPED), _zst_unpacker),
)


def packing_of(beginning: bytes) -> Packing | None:
    """How a file is packed that begins so; None if it is not.

    >>> packing_of(b"\\x1f\\x8b\\x08").name, packing_of(b"text")
    ('gz', None)
    """
    return next((row for row in _PACKINGS if beginning.startswith(row.beginnings)), None)


def unpacked(parts: Iterable[bytes], packing: Packing, name: str) -> Iterator[bytes]:
    """Text of all streams of a file; zeros between them and behind them are padding.

    Args:
        parts: The file as stored, cut into parts of about `PACKED_PART` bytes.
        packing: From `packing_of`.
        name: Of the file, for messages.

    Raises:
        ValueError: The file is damaged, its end is missing, or the package that unpacks it is not
            installed.
    """
    unpacker: _Unpacker | None = None
    for part in parts:
        while part := part if unpacker else part.lstrip(b"\0"):
            unpacker = unpacker or packing.unpacker()
            yield _decompress(unpacker, part, packing, name)
            part = unpacker.unused_data if unpacker.eof else b""
            unpacker = None if unpacker.eof else unpacker
    if unpacker:
        raise ValueError(f"{name}: the end of this {packing.name} file is missing; get it again")


def _decompress(unpacker: _Unpacker, part: bytes, packing: Packing, name: str) -> bytes:
    try:
        return unpacker.decompress(part)
    except Exception as error:  # each library has errors of its own
        raise ValueError(
            f"{name}: this {packing.name} file is damaged ({error}); get it again"
        ) from None
