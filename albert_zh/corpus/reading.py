"""Streams raw text as documents, each a list of texts.

```
files      news.txt news.jsonl.gz      in the formats of `corpus.formats`
documents  [春。 夏。] [秋。]            the end of a file ends a document, too
```
Memory does not grow with files, documents or lines: long lines and large documents are cut and
counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from absl import logging

from albert_zh.corpus.archives import Archive, detect_archive, members
from albert_zh.corpus.beginnings import check_line_ends, empty_file, is_blank
from albert_zh.corpus.counts import LEFT_OUT, left_out
from albert_zh.corpus.foreign import ForeignFile, check_not_foreign
from albert_zh.corpus.formats.catalog import AUTO, FORMATS, detect_format, format_choices
from albert_zh.corpus.formats.fields import parse_keys
from albert_zh.corpus.formats.format import BadText, CorpusFormat, ReadContext
from albert_zh.corpus.paths import stored_bytes
from albert_zh.corpus.sources import OpenFile, Source, open_here
from albert_zh.corpus.streams import TextStream
from albert_zh.util.optional_packages import load_extra
from albert_zh.util.progress import Progress

ON_BAD_TEXT = ("error", "skip")

_IDLE_KEY = "--json_key=%s had no effect: no input file is JSON or a table"
_FILES_IN_LOG = 20  # whose left-out text is logged; the manifest has all of them


@dataclass(frozen=True)
class ReadingRules:
    """Rules of reading files."""

    input_format: str = AUTO  # a name in `FORMATS`; auto: the format of each file is detected
    json_key: str = "text"  # keys of the text in an object of JSON lines or a row of a table
    on_bad_text: str = "error"  # error; or skip: leave out and count

    def __post_init__(self):
        for name, choices in (("input_format", format_choices()), ("on_bad_text", ON_BAD_TEXT)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )
        parse_keys(self.json_key)


class CorpusReader:
    """Iterates over the documents of files; each iteration starts again.

    Attributes, about everything read so far:
        counts: Text that was left out or cut, by the names in `corpus.counts`.
        position: Stored bytes read so far.
        total: Bytes of all files; None if one is a pipe or remote.
        inputs: `file`, `bytes` and `sha256` of each file that has been read to its end, and
            `left_out`, its counts, if it has any.
    """

    def __init__(
        self,
        paths: Sequence[str],
        rules: ReadingRules | None = None,
        *,
        open_file: OpenFile = open_here,
    ):
        """
        Args:
            paths: From `paths.expand_inputs`; `-` is standard input.
            rules: How to read them; the defaults when left out.
            open_file: Opens a path to read its bytes, for paths of remote file systems.

        Raises:
            OSError: A file is missing or cannot be read.
            ValueError: A file is empty or no text, and the rules do not say to skip it; or a
                package that reads one is missing.
        """
        self._paths, self._rules = list(paths), rules or ReadingRules()
        self._open_file = open_file
        sizes = [stored_bytes(path) for path in self._paths]
        self.total = None if None in sizes else sum(sizes)
        self._restart()
        self._check_files(
            [path for path, size in zip(self._paths, sizes, strict=True) if size is not None]
        )
        self._restart()

    def __iter__(self) -> Iterator[list[str]]:
        """Documents: lists of stripped, non-blank texts.

        Raises:
            ValueError: A file is damaged; or it is empty, no text or has a bad line, and the rules
                do not say to skip that. Names the file, the line and the byte.
        """
        self._restart()
        for path in self._paths:
            self._source = source = Source(path, self._open_file)
            before = self.counts.copy()
            yield from self._documents(source)
            source.drain()
            self.inputs.append(source.manifest_entry())
            self._report(source.name, self.counts - before)
            self._finished_bytes += source.position
            self._source = None
        if self._idle_key and self.inputs:
            logging.warning(_IDLE_KEY, self._rules.json_key)
        if self._num_reported > _FILES_IN_LOG:
            logging.warning("text of %d files in all was left out", self._num_reported)

    @property
    def position(self) -> int:
        return self._finished_bytes + (self._source.position if self._source else 0)

    def _restart(self) -> None:
        self.counts: Counter[str] = Counter()
        self.inputs: list[dict[str, Any]] = []
        self._finished_bytes = 0
        self._source: Source | None = None
        self._first_problem = ""  # of the file that is read
        self._num_reported = 0
        self._idle_key = self._rules.json_key != ReadingRules.json_key

    def _check_files(self, paths: Sequence[str]) -> None:
        """Find what is wrong with files before the first one is read."""
        foreign = []
        for path in paths:
            source = Source(path, self._open_file)
            if is_blank(source.peek()):
                self._skip(empty_file(source))
                continue
            try:
                corpus_format = None if _archive(source) else self._format(source)
                if corpus_format and corpus_format.package:
                    purpose = f"the {corpus_format.name} file {path}"
                    load_extra(corpus_format.package, purpose=purpose)
            except BadText as error:
                self._skip(error)
            except ForeignFile as error:
                foreign.append(str(error))
        if foreign and self._rules.on_bad_text == "error":
            others = f" ({len(foreign) - 1:,} more files are no text)" * (len(foreign) > 1)
            raise ForeignFile(foreign[0] + others)

    def _documents(self, stream: TextStream) -> Iterator[list[str]]:
        before = self.counts.copy()
        try:
            documents = self._read(stream)
            first = next(documents, None)
            if first is not None:
                yield first
                yield from documents
            elif isinstance(stream, Source) and self.counts == before:
                self._skip(empty_file(stream))
            elif self.counts == before:  # Archives often have empty files.
                self.counts["files_empty"] += 1
        except (BadText, ForeignFile) as error:
            self._skip(error)

    def _read(self, stream: TextStream) -> Iterator[list[str]]:
        if archive := _archive(stream):
            return chain.from_iterable(map(self._documents, members(archive, stream)))
        if not stream.peek():
            return iter(())
        context = ReadContext(self._rules.json_key, skip=self._skip, counts=self.counts)
        return iter(self._format(stream).read(stream, context))

    def _format(self, stream: TextStream) -> CorpusFormat:
        """The format of a file.

        Raises:
            ForeignFile: It is no text.
            BadText: Its lines end in CR only, and the format needs them.
        """
        name = self._rules.input_format
        corpus_format = detect_format(stream) if name == AUTO else FORMATS[name]
        self._idle_key &= not corpus_format.has_keys
        if corpus_format.needs_line_ends:
            check_line_ends(stream)
        return corpus_format

    def _skip(self, error: BadText | ForeignFile) -> None:
        if self._rules.on_bad_text == "error":
            raise error from None
        self.counts[error.count] += 1
        self._first_problem = self._first_problem or str(error)

    def _report(self, name: str, counts: Counter[str]) -> None:
        """Record and log the text of a file that was left out."""
        lost = {count: number for count, number in counts.items() if count in LEFT_OUT}
        if not lost:
            return
        self.inputs[-1]["left_out"] = lost
        self._num_reported += 1
        if self._num_reported <= _FILES_IN_LOG:
            first = f"; the first: {self._first_problem}" if self._first_problem else ""
            logging.warning("left out of %s: %s%s", name, left_out(lost), first)
        self._first_problem = ""


def with_progress(reader: CorpusReader, description: str) -> Iterator[list[str]]:
    """Documents of a reader, with a progress bar."""
    previous = 0
    with Progress(description=description, unit="B", total=reader.total, scaled=True) as progress:
        for document in reader:
            yield document
            progress.advance(reader.position - previous)
            previous = reader.position


def _archive(stream: TextStream) -> Archive | None:
    """The kind of archive that a file is; None if it is none.

    Raises:
        ForeignFile: It is a document that is stored as an archive.
    """
    archive = detect_archive(stream.peek(), stream.path)
    if archive:
        check_not_foreign(stream.peek(), stream.name)
    return archive
