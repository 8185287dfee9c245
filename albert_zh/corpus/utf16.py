"""UTF-16, as some Windows programs write it, becomes UTF-8 while it is read."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def is_utf16(first_bytes: bytes) -> bool:
    """True for a byte-order mark of UTF-16.

    >>> [is_utf16("春".encode(name)) for name in ("utf-16", "utf-32", "utf-8-sig", "utf-8")]
    [True, False, False, False]
    """
    return first_bytes.startswith(_MARKS) and not first_bytes.startswith(_UTF32_MARKS)


def utf16_to_utf8(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Convert a text that begins with a byte-order mark.

    What is no character stays bytes that are no UTF-8, so that readers report its line.

    >>> stored = "春天".encode("utf-16") + b"!"
    >>> b"".join(utf16_to_utf8([stored[:3], stored[3:]]))[:7]
    b'\\xe6\\x98\\xa5\\xe5\\xa4\\xa9\\xff'
    """
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for part in parts:
        yield decoder.decode(part).encode(errors="surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def peek_parts(parts: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, at least `size` unless there are fewer, and an iterator over all.

    >>> first, parts = peek_parts([b"a", b"", b"b", b"c"], 2)
    >>> first, list(parts)
    (b'ab', [b'ab', b'c'])
    """
    first, parts = b"", iter(parts)
    while len(first) < size and (part := next(parts, None)) is not None:
        first += part
    return first, chain(filter(None, [first]), parts)
