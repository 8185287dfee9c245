"""Raw text becomes documents, each a list of texts, while it streams by.

```
files      news.txt news.jsonl.gz      in the formats of `corpus.formats`
documents  [春。 夏。] [秋。]            the end of a file ends a document, too
```
However large files, documents and lines are, only a small part of them is in memory: long lines
and large documents are cut, and counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from albert_zh.corpus.compression import check_decompressors
from albert_zh.corpus.formats.catalog import AUTO, FORMATS, detect_format, format_choices
from albert_zh.corpus.formats.format import ReadContext
from albert_zh.corpus.sources import OpenFile, Source, open_here, stored_bytes

ON_BAD_TEXT = ("error", "skip")


@dataclass(frozen=True)
class ReadingRules:
    """The settings of reading."""

    input_format: str = AUTO  # a name in `FORMATS`; auto: the format of each file is detected
    json_key: str = "text"  # key of the text in an object of JSON lines
    on_bad_text: str = "error"  # error; or skip: leave out and count

    def __post_init__(self):
        for name, choices in (("input_format", format_choices()), ("on_bad_text", ON_BAD_TEXT)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )


class CorpusReader:
    """Reads the documents of files, one after the other, each time it is iterated.

    Attributes, about everything read so far:
        counts: `lines_skipped` (bad bytes, bad JSON), `lines_cut`, `documents_cut`, `files_empty`.
        position: Bytes of the stored files.
        total: Bytes of all files; None if standard input or another pipe is among them.
        inputs: `file`, `bytes` and `sha256` of each file that has been read to its end.
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
            paths: From `sources.expand_inputs`; `-` is standard input.
            rules: How to read them; the defaults when left out.
            open_file: Opens a path to read its bytes, for paths of remote file systems.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file is empty, and the rules do not say to skip it. Or a package is
                missing that decompresses a file with such a name.
        """
        self._paths, self._rules = list(paths), rules or ReadingRules()
        self._open_file = open_file
        check_decompressors(self._paths)
        sizes = [stored_bytes(path) for path in self._paths]
        self.total = None if None in sizes else sum(sizes)
        self._restart()
        if 0 in sizes and self._rules.on_bad_text == "error":
            raise ValueError(_empty_file_problem(self._paths[sizes.index(0)]))

    def __iter__(self) -> Iterator[list[str]]:
        """Documents: texts without outer white space, none of them blank.

        Raises:
            ValueError: A file is damaged; or it is empty or has a bad line, and the rules do not
                say to skip that. Names the file, the line and the byte.
        """
        self._restart()
        for path in self._paths:
            self._source = source = Source(path, self._open_file)
            yield from self._documents(source)
            if source.is_empty:
                self._skip("files_empty", _empty_file_problem(source.name))
            self.inputs.append(source.manifest_entry())
            self._finished_bytes += source.position
            self._source = None

    @property
    def position(self) -> int:
        return self._finished_bytes + (self._source.position if self._source else 0)

    def _restart(self) -> None:
        self.counts: Counter[str] = Counter()
        self.inputs: list[dict[str, Any]] = []
        self._finished_bytes = 0
        self._source: Source | None = None

    def _documents(self, source: Source) -> Iterator[list[str]]:
        name = self._rules.input_format
        corpus_format = detect_format(source) if name == AUTO else FORMATS[name]
        context = ReadContext(
            text_key=self._rules.json_key,
            skip=partial(self._skip, "lines_skipped"),
            counts=self.counts,
        )
        return corpus_format.read(source, context)

    def _skip(self, count: str, problem: str) -> None:
        if self._rules.on_bad_text == "error":
            raise ValueError(problem)
        self.counts[count] += 1


def _empty_file_problem(name: str) -> str:
    return f"{name} is empty; remove it from the input files or fill it"
