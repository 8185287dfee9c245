"""Plain text: one sentence a line, a blank line between documents.

```
春。⏎夏。⏎⏎秋。⏎      [春。 夏。] [秋。]
```
"""

from collections.abc import Iterator

from albert_zh.corpus.formats.decoding import decode, not_utf8, utf8_advice
from albert_zh.corpus.formats.format import ReadContext, Skip
from albert_zh.corpus.formats.joining import join_lines
from albert_zh.corpus.lines import TextChunk, text_chunks
from albert_zh.corpus.streams import TextStream


def read_text(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a text file."""
    return join_lines(text_lines(stream, context), context.counts)


def text_lines(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Lines of a UTF-8 text without outer white space, in groups; blank ones are among them.

    A line that is too long comes in pieces, none of them blank, and is counted in `lines_cut`.
    Bad bytes in it remove only the piece they are in.
    """
    is_blank = True  # of a long line: all pieces up to here
    before = b""  # the chunk before, which tells the encoding if this one is short
    for chunk in text_chunks(stream):
        lines = list(map(str.strip, _decoded_lines(chunk, before, stream, context.skip)))
        before = chunk.data
        if chunk.is_partial_line:
            context.counts["lines_cut"] += chunk.begins_line
            is_blank = (is_blank or chunk.begins_line) and lines == [""]
            lines = [""] if is_blank and chunk.ends_line else list(filter(None, lines))
        yield lines


def _decoded_lines(chunk: TextChunk, before: bytes, stream: TextStream, skip: Skip) -> list[str]:
    try:
        return decode(chunk.data, chunk.offset).split("\n")
    except UnicodeDecodeError as error:
        # Nothing before the first chunk: one byte there would turn UTF-16LE into UTF-16BE.
        data = b"\n".join(filter(None, [before, chunk.data]))
        advice = utf8_advice(data, len(data) - len(chunk.data) + error.start, stream)
        return list(_readable_lines(chunk, stream, skip, advice))


def _readable_lines(chunk: TextChunk, stream: TextStream, skip: Skip, advice: str) -> Iterator[str]:
    number, offset = chunk.number, chunk.offset
    for line in chunk.data.split(b"\n"):
        try:
            yield decode(line, offset)
        except UnicodeDecodeError as error:
            skip(not_utf8(error, number, offset, stream, advice))
        number, offset = number + 1, offset + len(line) + 1
