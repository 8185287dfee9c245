"""Lines become documents that fit in memory.

```
groups of lines   [春。 夏。] [秋。 "" 冬。]      as they are read; a blank line ends a document
documents         [春。 夏。 秋。] [冬。]
```
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from albert_zh.corpus.lines import text_chunks

# Characters, as many as a long chapter has. A document is tokenized at once, which takes some
# hundred bytes a token; a cut costs no more than the pairs across it.
LARGEST_DOCUMENT = 1 << 16


def join_lines(
    groups: Iterable[list[str]], counts: Counter[str], *, largest: int = LARGEST_DOCUMENT
) -> Iterator[list[str]]:
    """Documents of lines that come in groups; a blank line ends a document.

    A document of more than `largest` characters continues as another one and is counted in
    `documents_cut`.

    >>> counts = Counter()
    >>> list(join_lines([["春", "夏天"], ["秋", "", "冬"]], counts, largest=3)), counts
    ([['春', '夏天'], ['秋'], ['冬']], Counter({'documents_cut': 1}))
    """
    document: list[str] = []
    is_cut = False
    for group in groups:
        for index, lines in enumerate(_split_at_blanks(group)):
            if index:
                if document:
                    yield document
                document, is_cut = [], False
            *full, document = _cut_document([*document, *lines], largest)
            if full and not is_cut:
                counts["documents_cut"] += 1
                is_cut = True
            yield from full
    if document:
        yield document


def split_text(text: bytes, counts: Counter[str]) -> Iterator[list[str]]:
    """The document in a field of a file, given in UTF-8 with one sentence a line.

    Blank lines are left out and end no document. A long line comes in pieces and is counted in
    `lines_cut`; a large document comes in parts, as in `join_lines`.

    >>> list(split_text("春。\\n\\n夏。".encode(), Counter()))
    [['春。', '夏。']]
    """
    return join_lines(_lines_without_blanks(text, counts), counts)


def _lines_without_blanks(text: bytes, counts: Counter[str]) -> Iterator[list[str]]:
    for chunk in text_chunks([text]):
        if chunk.is_partial_line:
            counts["lines_cut"] += chunk.begins_line
        yield list(filter(None, map(str.strip, chunk.data.decode().split("\n"))))


def _split_at_blanks(lines: list[str]) -> list[list[str]]:
    blanks = [-1, *(index for index, line in enumerate(lines) if not line), len(lines)]
    return [lines[blank + 1 : next_blank] for blank, next_blank in pairwise(blanks)]


def _cut_document(texts: list[str], largest: int) -> list[list[str]]:
    """The texts in parts of at most `largest` characters; a longer text is a part of its own."""
    if sum(map(len, texts)) <= largest:
        return [texts]
    parts: list[list[str]] = [[]]
    size = 0
    for text in texts:
        size += len(text)
        if size > largest and parts[-1]:
            parts.append([])
            size = len(text)
        parts[-1].append(text)
    return parts
