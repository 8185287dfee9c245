"""The encoding of bytes that are not UTF-8, for advice that fits."""

import codecs
import re

# A sample of so many bytes before and behind a bad byte tells enough.
SAMPLE_BYTES = 1 << 12
# Han characters, their punctuation and full-width forms have three bytes in UTF-8. Other encodings
# of Chinese hardly ever have such sequences.
_UTF8_CHARACTERS = re.compile(rb"[\xe3-\xe9\xef][\x80-\xbf]{2}")
# Frequent characters of an encoding: punctuation and level 1 of its standard. Text in another
# encoding decodes as rare ones.
_FREQUENT = {
    "GB18030": re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "Big5": re.compile(rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]"),
}
# Latin letters, two by two, look like Chinese, but without any of these.
_UTF16_SIGNS = re.compile(r"[\n、。，]")
_UTF16_CHARACTERS = re.compile(r"[\u3000-\u9fff\uff00-\uffef\n\r\t -~]")
_LEAST_SHARE = 0.75  # of the characters of a text
_ARCHIVES = {
    b"PK\x03\x04": "it is a ZIP archive, as Excel's workbooks are; save the sheet as CSV, in UTF-8",
    b"\x1f\x8b": "it is packed with gzip; let its name end with .gz",
}


def sample_around(data: bytes, place: int) -> bytes:
    """The lines around a place, for `encoding_advice`."""
    begin = data.rfind(b"\n", 0, max(0, place - SAMPLE_BYTES)) + 1
    # The units of UTF-16 have two bytes. For other encodings, a line end more does no harm.
    return data[begin - begin % 2 : place + SAMPLE_BYTES]


def archive_advice(head: bytes) -> str | None:
    """The way out for a file that is no text, by its first bytes; None for others."""
    return next((advice for mark, advice in _ARCHIVES.items() if head.startswith(mark)), None)


def byte_advice(sample: bytes, byte: int, *, path: str | None, skip: str = "") -> str:
    """The way out for a byte that is not UTF-8 or is NUL; see `encoding_advice`."""
    if byte or (guess_encoding(sample) or "").startswith("UTF-16"):
        return encoding_advice(sample, path=path, skip=skip)
    otherwise = f", or leave out such lines with {skip}" if skip else ""
    return (
        f"no text has such bytes, a crash may leave them; take them away (tr -d '\\000'){otherwise}"
    )


def encoding_advice(sample: bytes, *, path: str | None, skip: str = "") -> str:
    """The way out for a file with bytes that are not UTF-8.

    >>> encoding_advice("春天来了。".encode("gb18030"), path="news.txt")
    'its text looks like GB18030; convert it, for example with: iconv -f GB18030 -t UTF-8 news.txt'
    >>> encoding_advice("春天".encode() + b"\\xe5", path="news.txt")
    'the text around it is UTF-8; repair the line'

    Args:
        sample: Bytes around the bad ones, from the beginning of a line on.
        path: The file; None if no other program can open it by a name.
        skip: The flag that leaves out bad lines, if there is one.
    """
    otherwise = f", or leave out such lines with {skip}" if skip else ""
    if _is_damaged_utf8(sample):
        return f"the text around it is UTF-8; repair the line{otherwise}"
    encoding = guess_encoding(sample)
    if encoding is None:
        return f"it looks like neither UTF-8 nor GB18030 nor Big5; give a text file{otherwise}"
    command = " ".join(["iconv", "-f", encoding, "-t", "UTF-8", *filter(None, [path])])
    return f"its text looks like {encoding}; convert it, for example with: {command}"


def guess_encoding(sample: bytes) -> str | None:
    """The encoding in which the bytes are ordinary Chinese; None if there is no such one.

    >>> text = "春天來了，我們在圖書館看書。"
    >>> [guess_encoding(text.encode(name)) for name in ("big5", "utf-16-le", "utf-16")]
    ['Big5', 'UTF-16LE', 'UTF-16']
    >>> guess_encoding("un été".encode("latin-1"))
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    shares = {name: _frequent_share(sample, name) for name in _FREQUENT}
    shares |= {name: _utf16_share(sample, name) for name in ("UTF-16LE", "UTF-16BE")}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _LEAST_SHARE else None


def _is_damaged_utf8(sample: bytes) -> bool:
    """True if at least half of the characters are UTF-8, and no NUL."""
    bad = sample.decode(errors="replace").count("\ufffd") + sample.count(0)
    return len(_UTF8_CHARACTERS.findall(sample)) >= bad


def _decode(sample: bytes, encoding: str) -> str:
    """The text; empty if the bytes do not decode. The last character may be cut."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return ""


def _frequent_share(sample: bytes, encoding: str) -> float:
    characters = [
        character.encode(encoding)
        for character in _decode(sample, encoding)
        if not character.isascii()
    ]
    frequent = sum(map(bool, map(_FREQUENT[encoding].fullmatch, characters)))
    return frequent / max(1, len(characters))


def _utf16_share(sample: bytes, encoding: str) -> float:
    text = _decode(sample, encoding)
    if not _UTF16_SIGNS.search(text):
        return 0.0
    return len(_UTF16_CHARACTERS.findall(text)) / max(1, len(text))
