"""A byte stream is divided into chunks of whole lines, and very long lines into pieces.

```
stream        春。⏎夏。⏎⏎秋 | 天来了，很凉快。⏎    in parts that end anywhere
text chunks   春。⏎夏。⏎⏎                        whole lines
              秋天来了， | 很凉快。               a long line in pieces
```
Only `\\n` ends a line: texts hold other line separators, too. (The `\\r` of `\\r\\n` is white space
at the end of a line, which readers remove.) Cuts depend on the text, not on how it was read.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Bytes, about 20,000 Chinese characters. Paragraphs are far shorter, and its tokens and words
# take only a few megabytes.
LONGEST_LINE = 1 << 16


@dataclass(slots=True)
class TextChunk:
    """Whole lines, or a piece of a long line; without the line end after it."""

    data: bytes
    number: int  # the first line's number in the text, from 1 on
    offset: int  # bytes of the text before the chunk
    begins_line: bool = True
    ends_line: bool = True

    @property
    def is_partial_line(self) -> bool:
        return not (self.begins_line and self.ends_line)


def text_chunks(parts: Iterable[bytes], *, longest: int = LONGEST_LINE) -> Iterator[TextChunk]:
    """Divide a text into chunks of at most `longest` bytes.

    >>> for chunk in text_chunks([b"one\\ntwo\\nsome wo", b"rds\\n5"], longest=8):
    ...     print(chunk.number, chunk.data, chunk.is_partial_line)
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
        end, ends_line = _end_of_chunk(buffer, begin, longest, begins_line)
        data = buffer[begin:end]
        yield TextChunk(data, number, offset, begins_line, ends_line)
        number += data.count(b"\n") + ends_line
        offset += len(data) + ends_line
        begin, begins_line = end + ends_line, ends_line


def whole_lines(parts: Iterable[bytes], *, longest: int) -> Iterator[TextChunk]:
    """Single lines; one longer than `longest` bytes is cut there and marked as partial.

    >>> for line in whole_lines([b"one\\nt", b"wo\\nthree\\n", b"4"], longest=3):
    ...     print(line.number, line.data, line.is_partial_line)
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
            yield TextChunk(bytes(line[:longest]), number, offset, True, len(line) <= longest)
            line, begin = bytearray(), end + 1
            number, offset = number + 1, read + begin
        line += part[begin:]
        del line[longest + 1 :]
        read += len(part)
    if line:
        yield TextChunk(bytes(line[:longest]), number, offset, True, len(line) <= longest)


def _end_of_chunk(buffer: bytes, begin: int, longest: int, begins_line: bool) -> tuple[int, bool]:
    """End of the chunk that starts at `begin`, and whether a line ends there, too."""
    find = buffer.rfind if begins_line else buffer.find  # all whole lines, or the rest of one
    end = find(b"\n", begin, begin + longest + 1)
    if end >= 0:
        return end, True
    if len(buffer) - begin <= longest:
        return len(buffer), True
    return _cut(buffer, begin, begin + longest), False


def _any_of(characters: str) -> bytes:
    return b"(?:" + b"|".join(re.escape(character.encode()) for character in characters) + b")"


# A long line is cut after the end of a sentence, else after other punctuation, else after a space.
_PLACES = (
    re.compile(
        b"(?:" + _any_of("。！？；…!?;") + rb"|\.(?=\s))" + _any_of("”’」』）》)\"'") + b"*"
    ),
    re.compile(_any_of("，、：,:")),
    re.compile(_any_of(" \t\u3000")),
)


def _cut(text: bytes, begin: int, limit: int) -> int:
    """The best place up to `limit` to cut a line that continues after it."""
    last_quarter = limit - (limit - begin) // 4
    for place in _PLACES:
        ends = [match.end() for match in place.finditer(text, last_quarter, limit)]
        if ends:
            return ends[-1]
    # Not inside a character: its first byte is followed by up to three of the form 10xxxxxx.
    return next((limit - back for back in range(4) if text[limit - back] & 0xC0 != 0x80), limit)
