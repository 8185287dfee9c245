"""Raw text becomes documents, each a list of texts, while it streams by.

```
text        春。⏎夏。⏎⏎秋。⏎          one sentence a line; a blank line ends the document
JSON lines  {"text": "春。\\n夏。"}⏎   one document an object, one sentence a line of its text
            {"text": "秋。"}⏎
documents   [春。 夏。] [秋。]
```
The end of a file ends a document, too. However large files, documents and lines are, only so much
of them is in memory: long lines and large documents are cut, and counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from albert_zh.corpus.formats import is_named_json, json_texts, lines_of_value, text_lines
from albert_zh.corpus.sources import OpenFile, Source, open_here, stored_bytes

# Characters, as many as a long chapter has. A document is tokenized at once, which takes some
# hundred bytes a token; a cut costs no more than the pairs across it.
LARGEST_DOCUMENT = 1 << 16

_FORMATS = ("auto", "text", "json")
_ON_BAD_TEXT = ("error", "skip")


@dataclass(frozen=True)
class ReadingRules:
    """How files are read."""

    input_format: str = "auto"  # text or json; auto: json for the files *.json and *.jsonl
    json_key: str = "text"  # where an object of JSON lines has its document
    on_bad_text: str = "error"  # error, or skip: leave out and count

    def __post_init__(self):
        for name, choices in (("input_format", _FORMATS), ("on_bad_text", _ON_BAD_TEXT)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )


class CorpusReader:
    """Gives the documents of files, one after the other, each time it is iterated.

    Attributes, of what has been read so far:
        counts: `lines_skipped` (bad bytes, bad JSON), `lines_cut`, `documents_cut`, `files_empty`.
        position: Bytes of the files as they are stored.
        total: Bytes of all files; None if standard input or another pipe is among them.
        inputs: `file`, `bytes` and `sha256` of every file that was read to its end.
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
            ValueError: A file is empty, and the rules do not say to skip it.
        """
        self._paths, self._rules = list(paths), rules or ReadingRules()
        self._open_file = open_file
        sizes = [stored_bytes(path) for path in self._paths]
        self.total = None if None in sizes else sum(sizes)
        self._restart()
        if 0 in sizes and self._rules.on_bad_text == "error":
            raise ValueError(_is_empty(self._paths[sizes.index(0)]))

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
                self._skip("files_empty", _is_empty(source.name))
            self.inputs.append(source.described())
            self._finished += source.position
            self._source = None

    @property
    def position(self) -> int:
        return self._finished + (self._source.position if self._source else 0)

    def _restart(self) -> None:
        self.counts: Counter[str] = Counter()
        self.inputs: list[dict[str, Any]] = []
        self._finished = 0
        self._source: Source | None = None

    def _documents(self, source: Source) -> Iterator[list[str]]:
        skip, counts = partial(self._skip, "lines_skipped"), self.counts
        if self._holds_json(source.path):
            for text in json_texts(source, key=self._rules.json_key, skip=skip):
                yield from join_lines(lines_of_value(text, counts=counts), counts)
        else:
            yield from join_lines(text_lines(source, skip=skip, counts=counts), counts)

    def _holds_json(self, path: str) -> bool:
        if self._rules.input_format == "auto":
            return is_named_json(path)
        return self._rules.input_format == "json"

    def _skip(self, what: str, complaint: str) -> None:
        if self._rules.on_bad_text == "error":
            raise ValueError(complaint)
        self.counts[what] += 1


def join_lines(
    groups: Iterable[list[str]], counts: Counter[str], *, largest: int = LARGEST_DOCUMENT
) -> Iterator[list[str]]:
    """Documents of lines that come in groups; a blank line ends a document.

    A document of more than `largest` characters goes on as another one and is counted in
    `documents_cut`.

    >>> counts = Counter()
    >>> list(join_lines([["春", "夏天"], ["秋", "", "冬"]], counts, largest=3)), counts
    ([['春', '夏天'], ['秋'], ['冬']], Counter({'documents_cut': 1}))
    """
    document: list[str] = []
    is_cut = False
    for group in groups:
        for index, part in enumerate(_between_blanks(group)):
            if index:
                if document:
                    yield document
                document, is_cut = [], False
            *full, document = _cut_document([*document, *part], largest)
            if full and not is_cut:
                counts["documents_cut"] += 1
                is_cut = True
            yield from full
    if document:
        yield document


def _between_blanks(lines: list[str]) -> list[list[str]]:
    blanks = [-1, *(index for index, line in enumerate(lines) if not line), len(lines)]
    return [lines[before + 1 : behind] for before, behind in pairwise(blanks)]


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


def _is_empty(name: str) -> str:
    return f"{name} is empty; remove it from the input files or fill it"
