"""A corpus format: how its files are recognised, and the function that reads them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from albert_zh.corpus.sources import Source

# Takes the problem of one line or object. Raises a ValueError, or returns: then it is left out.
Skip = Callable[[str], None]


@dataclass(frozen=True)
class ReadContext:
    """The settings of a reader, and the places where its formats report problems and counts."""

    text_key: str  # key of the text in files whose documents have several fields
    skip: Skip
    counts: Counter[str]  # gains `lines_cut` and `documents_cut`


@dataclass(frozen=True)
class CorpusFormat:
    """One row of the table in `formats.catalog`.

    `read` yields documents: lists of texts without outer white space, none of them blank.
    `formats.joining` makes them of lines and keeps them small enough for the memory. It raises a
    ValueError for a file that is not of the format, and tells `skip` of single bad lines.
    """

    name: str  # value of --input_format
    help: str  # one clause of the help text of --input_format
    read: Callable[[Source, ReadContext], Iterator[list[str]]]
    endings: tuple[str, ...] = ()  # of file names, in lower case, before an ending such as .gz
    signatures: tuple[bytes, ...] = ()  # first bytes of the files, after decompression
