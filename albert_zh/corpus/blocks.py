"""Documents in blocks: what one worker takes at a time, and what a killed run need not do again.

```
documents  0 1 2 3 4 5 6 7 8 ...
blocks     [0 1 2 3] [4] [5 6 7 8] ...    whole documents, about as much text in each
```
Where one block ends and the next begins depends on the text alone.
"""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# In characters. Small corpora have some dozens of blocks, so that all workers have something to do;
# larger ones some thousands, each with the records of all passes still small in memory.
_SMALLEST, _USUAL, _LARGEST = 20_000, 60_000, 350_000


@dataclass(frozen=True)
class Block:
    """Documents that follow each other in the corpus, as texts."""

    number: int
    first_document: int  # its number in the corpus
    documents: list[list[str]]

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the texts and of where documents and texts end."""
        content = "\n\n".join("\n".join(texts) for texts in self.documents)
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()


def blocks(documents: Iterable[list[str]]) -> Iterator[Block]:
    """Cuts a corpus into blocks; later ones are larger, up to a limit.

    >>> corpus = [["我" * 9_000, "你" * 9_000]] * 5
    >>> [(block.first_document, len(block.documents)) for block in blocks(corpus)]
    [(0, 2), (2, 2), (4, 1)]
    """
    number = first = total = size = 0
    gathered: list[list[str]] = []
    for texts in documents:
        gathered.append(texts)
        size += sum(map(len, texts))
        if size >= _wanted_size(total):
            yield Block(number, first, gathered)
            number, first = number + 1, first + len(gathered)
            total, size, gathered = total + size, 0, []
    if gathered:
        yield Block(number, first, gathered)


def _wanted_size(total: int) -> int:
    """Characters of the next block, behind as many in all blocks before."""
    return max(_SMALLEST, min(total // 32, _USUAL), min(total // 2000, _LARGEST))
