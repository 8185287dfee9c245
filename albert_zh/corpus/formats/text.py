"""Plain text: one sentence a line, a blank line between documents.

```
春。⏎夏。⏎⏎秋。⏎      [春。 夏。] [秋。]
```
"""

from collections.abc import Iterator

from albert_zh.corpus.formats.decoding import check_not_utf16, decode, utf8_problem
from albert_zh.corpus.formats.format import ReadContext, Skip
from albert_zh.corpus.formats.joining import join_lines
from albert_zh.corpus.lines import TextChunk, text_chunks
from albert_zh.corpus.sources import Source


def read_text(source: Source, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a text file.

    Raises:
        ValueError: The file is UTF-16.
    """
    return join_lines(text_lines(source, context), context.counts)


def text_lines(source: Source, context: ReadContext) -> Iterator[list[str]]:
    """Lines of a UTF-8 text without outer white space, in groups; blank ones are among them.

    A line that is too long comes in pieces, none of them blank, and is counted in `lines_cut`.
    Bad bytes in it remove only the piece they are in.

    Raises:
        ValueError: The file is UTF-16.
    """
    is_blank = True  # of a long line: all pieces up to here
    for chunk in text_chunks(source):
        check_not_utf16(chunk, source)
        lines = list(map(str.strip, _decoded_lines(chunk, source, context.skip)))
        if chunk.is_partial_line:
            context.counts["lines_cut"] += chunk.begins_line
            is_blank = (is_blank or chunk.begins_line) and lines == [""]
            lines = [""] if is_blank and chunk.ends_line else list(filter(None, lines))
        yield lines


def _decoded_lines(chunk: TextChunk, source: Source, skip: Skip) -> list[str]:
    try:
        return decode(chunk.data, chunk.offset).split("\n")
    except UnicodeDecodeError:
        return list(_readable_lines(chunk, source, skip))


def _readable_lines(chunk: TextChunk, source: Source, skip: Skip) -> Iterator[str]:
    number, offset = chunk.number, chunk.offset
    for line in chunk.data.split(b"\n"):
        try:
            yield decode(line, offset)
        except UnicodeDecodeError as error:
            skip(utf8_problem(error, number, offset, source))
        number, offset = number + 1, offset + len(line) + 1
