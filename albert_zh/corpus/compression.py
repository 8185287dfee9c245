"""Decompression of input files; its first bytes show how a file is compressed.

```
a.txt.gz   1f 8b ...  ...  1f 8b ...  ...     consecutive streams are one text
```
Names are unreliable: standard input has none, and downloads may be (de)compressed in transit.
Text does not begin with these bytes.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from albert_zh.util.optional_packages import load_extra

# The way out for a damaged file, of compression, archives and parquet.
GET_AGAIN = (
    "get it again, or leave it out of --input_file: --on_bad_text=skip does not skip damaged files"
)

# Bytes of a compressed file to read at a time. Even if the text is a single character repeated, so
# few bytes decompress to no more than 64 MB; of bzip2, to a gigabyte, so it gives pieces.
COMPRESSED_PART = 1 << 11
_LARGEST_PIECE = 16 << 20  # bytes
# An xz file may need gigabytes of memory; `xz -9` needs 65 MB. zstandard has its own limit.
_XZ_MEMORY = 256 << 20


class _Decompressor(Protocol):
    """Reads one compressed stream; a file may hold several, one after the other."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Compression:
    """One way to compress files: a row of the table below."""

    name: str
    ending: str  # of file names
    signatures: tuple[bytes, ...]  # first bytes of such a file
    decompressor: Callable[[], _Decompressor]
    gives_pieces: bool = False  # `decompress` takes a limit, and `needs_input` tells if all came


def _gzip_decompressor() -> _Decompressor:
    return zlib.decompressobj(wbits=31)  # 31: with gzip's header and checksum


def _xz_decompressor() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _zst_decompressor() -> _Decompressor:
    return load_extra("zstandard", purpose="a .zst file").ZstdDecompressor().decompressobj()


# The first block of a bzip2 file, or the end of an empty one. "BZh" alone may begin a text.
_BZ2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
_BZ2_SIGNATURES = tuple(b"BZh%d" % level + block for level in range(1, 10) for block in _BZ2_BLOCKS)
# The sixteen kinds of skippable frames, which parallel compressors write.
_ZST_NOTES = tuple(bytes((kind, 0x2A, 0x4D, 0x18)) for kind in range(0x50, 0x60))
_ROWS = (
    Compression("gz", ".gz", (b"\x1f\x8b",), _gzip_decompressor),
    Compression("bz2", ".bz2", _BZ2_SIGNATURES, bz2.BZ2Decompressor, gives_pieces=True),
    Compression("xz", ".xz", (b"\xfd7zXZ\0",), _xz_decompressor, gives_pieces=True),
    Compression("zst", ".zst", (b"\x28\xb5\x2f\xfd", *_ZST_NOTES), _zst_decompressor),
)


def detect_compression(first_bytes: bytes) -> Compression | None:
    """Compression of a file with these first bytes; None if uncompressed.

    >>> detect_compression(b"\\x1f\\x8b\\x08").name, detect_compression(b"text")
    ('gz', None)
    """
    return next((row for row in _ROWS if first_bytes.startswith(row.signatures)), None)


def without_compression_ending(path: str) -> str:
    """The path in lower case, without extensions such as .gz.

    >>> without_compression_ending("wiki_00.JSON.gz"), without_compression_ending("a.txt")
    ('wiki_00.json', 'a.txt')
    """
    name = path.lower()
    for row in _ROWS:
        name = name.removesuffix(row.ending)
    return name


def decompress(parts: Iterable[bytes], compression: Compression, name: str) -> Iterator[bytes]:
    """Text of all streams of a file; zeros between and after streams are padding.

    Args:
        parts: The file as stored, cut into parts of about `COMPRESSED_PART` bytes.
        compression: From `detect_compression`.
        name: The file's name, for messages.

    Raises:
        ValueError: The file is damaged, its end is missing, or the package that decompresses it is
            not installed.
    """
    stream: _Decompressor | None = None
    for part in parts:
        while part := part if stream else part.lstrip(b"\0"):
            stream = stream or compression.decompressor()
            yield from _decompress_part(stream, part, compression, name)
            part = stream.unused_data if stream.eof else b""
            stream = None if stream.eof else stream
    if stream:
        raise ValueError(f"{name}: the end of this {compression.name} file is missing; {GET_AGAIN}")


def _decompress_part(
    stream: _Decompressor, part: bytes, compression: Compression, name: str
) -> Iterator[bytes]:
    limit = (_LARGEST_PIECE,) if compression.gives_pieces else ()
    try:
        yield stream.decompress(part, *limit)
        while compression.gives_pieces and not stream.eof and not stream.needs_input:
            yield stream.decompress(b"", *limit)
    except Exception as error:  # each library has its own errors
        raise ValueError(
            f"{name}: this {compression.name} file is damaged ({error}); {GET_AGAIN}"
        ) from None
