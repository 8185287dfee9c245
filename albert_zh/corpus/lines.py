"""Text that comes as a stream of bytes is divided into lines, none of them too long for the memory.

```
stream     春。⏎夏。⏎⏎秋 | 天来了，很凉快。⏎    in parts that end anywhere
stretches  春。⏎夏。⏎⏎                        whole lines
           秋天来了， | 很凉快。               a line that is too long, in pieces
```
Only `\\n` ends a line: texts hold other line separators, too. (The `\\r` of `\\r\\n` is white space
at the end of a line, which readers take away.) What is cut where depends on the text alone, not on
the parts it comes in.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Bytes: 20,000 Chinese characters. Paragraphs are far shorter, and what a tokenizer and a segmenter
# make of so much text still takes only some megabytes.
LONGEST_LINE = 1 << 16


@dataclass(slots=True)
class Stretch:
    """Whole lines, or a piece of a long line; without the line end behind it."""

    data: bytes
    number: int  # of its first line, from 1 on
    offset: int  # bytes of text before it
    begins_line: bool = True
    ends_line: bool = True

    @property
    def is_piece(self) -> bool:
        return not (self.begins_line and self.ends_line)


def stretches(parts: Iterable[bytes], *, longest: int = LONGEST_LINE) -> Iterator[Stretch]:
    """Divides a text into stretches of at most `longest` bytes.

    >>> for stretch in stretches([b"one\\ntwo\\nsome wo", b"rds\\n5"], longest=8):
    ...     print(stretch.number, stretch.data, stretch.is_piece)
    1 b'one\\ntwo' False
    3 b'some wor' True
    3 b'ds' True
    4 b'5' False
    """
    parts = iter(parts)
    buffer, begin, number, offset, begins_line = b"", 0, 1, 0, True
    while True:
        # One byte more tells whether a line ends here or is too long.
        while len(buffer) - begin <= longest and (part := next(parts, None)) is not None:
            buffer, begin = buffer[begin:] + part, 0
        if begin >= len(buffer):
            return
        end, ends_line = _end_of_stretch(buffer, begin, longest, begins_line)
        data = buffer[begin:end]
        yield Stretch(data, number, offset, begins_line, ends_line)
        number += data.count(b"\n") + ends_line
        offset += len(data) + ends_line
        begin, begins_line = end + ends_line, ends_line


def whole_lines(parts: Iterable[bytes], *, longest: int) -> Iterator[Stretch]:
    """Single lines; of one that has more than `longest` bytes only the beginning, as a piece.

    >>> for line in whole_lines([b"one\\nt", b"wo\\nthree\\n", b"4"], longest=3):
    ...     print(line.number, line.data, line.is_piece)
    1 b'one' False
    2 b'two' False
    3 b'thr' True
    4 b'4' False
    """
    line, number, offset, read = bytearray(), 1, 0, 0
    for part in parts:
        begin = 0
        while (end := part.find(b"\n", begin)) >= 0:
            line += part[begin:end]
            yield Stretch(bytes(line[:longest]), number, offset, True, len(line) <= longest)
            line, begin = bytearray(), end + 1
            number, offset = number + 1, read + begin
        line += part[begin:]
        del line[longest + 1 :]
        read += len(part)
    if line:
        yield Stretch(bytes(line[:longest]), number, offset, True, len(line) <= longest)


def _end_of_stretch(buffer: bytes, begin: int, longest: int, begins_line: bool) -> tuple[int, bool]:
    """Where the stretch from `begin` on ends, and whether a line ends there, too."""
    find = buffer.rfind if begins_line else buffer.find  # all lines there, or the rest of one
    end = find(b"\n", begin, begin + longest + 1)
    if end >= 0:
        return end, True
    if len(buffer) - begin <= longest:
        return len(buffer), True
    return _cut(buffer, begin, begin + longest), False


def _any_of(characters: str) -> bytes:
    return b"(?:" + b"|".join(re.escape(character.encode()) for character in characters) + b")"


# Behind what a long line is cut: best the end of a sentence, else other punctuation, else a space.
_PLACES = (
    re.compile(
        b"(?:" + _any_of("。！？；…!?;") + rb"|\.(?=\s))" + _any_of("”’」』）》)\"'") + b"*"
    ),
    re.compile(_any_of("，、：,:")),
    re.compile(_any_of(" \t\u3000")),
)


def _cut(text: bytes, begin: int, limit: int) -> int:
    """The best place up to `limit` to cut a line that goes on behind it."""
    last_quarter = limit - (limit - begin) // 4
    for place in _PLACES:
        ends = [match.end() for match in place.finditer(text, last_quarter, limit)]
        if ends:
            return ends[-1]
    # Not inside a character, which has up to three bytes of the form 10xxxxxx behind its first.
    return next((limit - back for back in range(4) if text[limit - back] & 0xC0 != 0x80), limit)
