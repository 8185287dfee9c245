"""UTF-8 of a corpus file: decoding, and errors that name file, line and byte."""

from albert_zh.corpus.lines import TextChunk
from albert_zh.corpus.sources import Source

BYTE_ORDER_MARK = "\ufeff"  # at the beginning of some UTF-8 files
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes, offset: int) -> str:
    """Text of the bytes at `offset` of a file, without a byte-order mark at the file's beginning.

    >>> decode(b"\\xef\\xbb\\xbfa", 0)
    'a'
    """
    return data.decode() if offset else data.decode().removeprefix(BYTE_ORDER_MARK)


def check_not_utf16(chunk: TextChunk, source: Source) -> None:
    """
    Raises:
        ValueError: The chunk is the first of a file in UTF-16.
    """
    if not chunk.offset and chunk.data.startswith(_UTF16_MARKS):
        raise ValueError(f"{source.name} is UTF-16, not UTF-8; " + _conversion("UTF-16", source))


def utf8_problem(error: UnicodeDecodeError, line: int, offset: int, source: Source) -> str:
    """The sentence about bytes, from `offset` of the file on, that are not UTF-8."""
    content = " decompressed" if source.is_compressed else ""
    return (
        f"{source.name}, line {line}: not UTF-8 at byte {offset + error.start} of the{content} "
        f"file (0x{error.object[error.start]:02x}); " + _conversion("GB18030", source)
    )


def _conversion(encoding: str, source: Source) -> str:
    file = "" if source.is_compressed or source.is_standard_input else f" {source.path}"
    return f"convert it, for example with: iconv -f {encoding} -t UTF-8{file}"
