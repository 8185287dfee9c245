"""UTF-8 of a corpus file: decoding, and errors that name file, line, byte and a way out."""

from albert_zh.corpus.formats.format import BadText
from albert_zh.corpus.streams import TextStream
from albert_zh.util.encodings import byte_advice, sample_around

BYTE_ORDER_MARK = "\ufeff"  # at the beginning of some UTF-8 files


def decode(data: bytes, offset: int) -> str:
    """Text of the bytes at `offset` of a file, without a byte-order mark at the file's beginning.

    >>> decode(b"\\xef\\xbb\\xbfa", 0)
    'a'

    Raises:
        UnicodeDecodeError: The bytes are not UTF-8, or one is NUL: a crash leaves such, and
            tokenizers drop them.
    """
    if (place := data.find(0)) >= 0:
        raise UnicodeDecodeError("utf-8", data, place, place + 1, "NUL byte")
    return data.decode() if offset else data.decode().removeprefix(BYTE_ORDER_MARK)


def utf8_advice(data: bytes, place: int, stream: TextStream) -> str:
    """The way out for bytes that are not UTF-8 or NUL, at a place of the data."""
    sample = sample_around(data, place)
    return byte_advice(sample, data[place], path=stream.plain_path, skip="--on_bad_text=skip")


def not_utf8(
    error: UnicodeDecodeError, line: int, offset: int, stream: TextStream, advice: str
) -> BadText:
    """The error for a line that begins at `offset` of a text."""
    content = ""
    if stream.is_compressed or stream.is_converted:
        content = " decompressed" if stream.is_compressed else " converted"
    byte = error.object[error.start]
    what, count = ("not UTF-8", "lines_not_utf8") if byte else ("a NUL", "lines_with_nul")
    return BadText(
        f"{stream.name}, line {line}: {what} at byte {offset + error.start} of the{content} "
        f"file (0x{byte:02x}); {advice}",
        count,
    )
