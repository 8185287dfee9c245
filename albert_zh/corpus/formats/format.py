"""A corpus format: how its files are recognised, and the function that reads them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from albert_zh.corpus.streams import TextStream


class BadText(ValueError):
    """One line or document that cannot be read."""

    def __init__(self, problem: str, count: str = "lines_not_utf8"):
        """
        Args:
            problem: The sentence for people, with file and line.
            count: Name of the count that it belongs to, in `corpus.counts`. Beam makes the error
                again of its sentence alone.
        """
        super().__init__(problem)
        self.count = count


# Raises the error, or returns: then what it is about is left out and counted.
Skip = Callable[[BadText], None]


@dataclass(frozen=True)
class ReadContext:
    """The settings of a reader, and the places where its formats report problems and counts."""

    text_key: str  # keys of the text, see `formats.fields`, where documents have several fields
    skip: Skip
    counts: Counter[str]  # gains `lines_cut`, `documents_cut` and others of `corpus.counts`


@dataclass(frozen=True)
class CorpusFormat:
    """One row of the table in `formats.catalog`.

    `read` yields documents: lists of texts without outer white space, none of them blank.
    `formats.joining` makes them of lines and keeps them small enough for the memory. It raises a
    ValueError for a file that is not of the format, and tells `skip` of single bad lines.
    """

    name: str  # value of --input_format
    help: str  # one clause of the help text of --input_format
    read: Callable[[TextStream, ReadContext], Iterator[list[str]]]
    endings: tuple[str, ...] = ()  # of file names, in lower case, before an ending such as .gz
    # Regular expressions of the first bytes, after decompression, which no plain text matches. They
    # are stronger than the ending of the name.
    signatures: tuple[bytes, ...] = ()
    package: str | None = None  # optional package that `read` needs
    has_keys: bool = False  # --json_key names the text of its documents
    needs_line_ends: bool = True  # a file whose lines end in CR only cannot be read
