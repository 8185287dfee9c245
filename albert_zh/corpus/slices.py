"""Slices of a corpus: the units of work, and of resuming after a kill.

```
documents       0 1 2 3 4 5 6 7 8 ...
corpus slices   [0 1 2 3] [4] [5 6 7 8] ...    whole documents, similar amounts of text
```
The borders of slices depend on the text alone.
"""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusSlice:
    """Consecutive documents of the corpus, as texts."""

    number: int
    first_document: int  # number of the first document in the corpus
    documents: list[list[str]]

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of all that the records depend on.

        That is the texts, the borders of documents and texts, and the number of the first document:
        it is part of the seeds.
        """
        texts = "\n\n".join("\n".join(texts) for texts in self.documents)
        content = f"{self.first_document}\n{texts}"
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True)
class SliceSizes:
    """Characters per slice.

    A small corpus has dozens of slices, enough for all workers. A larger one has thousands, and
    the records of all passes over a slice still fit in memory.
    """

    smallest: int = 20_000
    medium: int = 60_000
    largest: int = 350_000

    def after(self, total: int) -> int:
        """Size of the next slice, after `total` characters in earlier slices.

        >>> [SliceSizes().after(total) for total in (0, 1_000_000, 10**9)]
        [20000, 31250, 350000]
        """
        return max(self.smallest, min(total // 32, self.medium), min(total // 2000, self.largest))


def slice_corpus(
    documents: Iterable[list[str]], sizes: SliceSizes | None = None
) -> Iterator[CorpusSlice]:
    """Cut a corpus into slices; later ones are larger, up to a limit.

    >>> corpus = [["我" * 9_000, "你" * 9_000]] * 5
    >>> [(part.first_document, len(part.documents)) for part in slice_corpus(corpus)]
    [(0, 2), (2, 2), (4, 1)]
    """
    sizes = sizes or SliceSizes()
    number = first = total = size = 0
    group: list[list[str]] = []
    for texts in documents:
        group.append(texts)
        size += sum(map(len, texts))
        if size >= sizes.after(total):
            yield CorpusSlice(number, first, group)
            number, first = number + 1, first + len(group)
            total, size, group = total + size, 0, []
    if group:
        yield CorpusSlice(number, first, group)
