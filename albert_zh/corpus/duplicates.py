"""Documents with exactly the same texts as an earlier one: counted, or left out.

```
documents           [春。 夏。] [秋。] [春。 夏。] [冬。]
drop_duplicates     [春。 夏。] [秋。]             [冬。]      documents_repeated 1
```
Texts are compared by hashes of 8 bytes. Two of ten million different documents have the same hash
once in 400,000 corpora.
"""

import array
import bisect
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

_HASH_BYTES = 8
_FEW = 10_000  # hashes


class DuplicateFilter:
    """Passes documents on and remembers them, in some 12 bytes each.

    >>> duplicates = DuplicateFilter(drop=True)
    >>> list(duplicates([["春"], ["夏"], ["春"]])), duplicates.counts
    ([['春'], ['夏']], Counter({'documents_dropped': 1}))

    Attributes:
        counts: `documents_dropped`, or `documents_repeated` where duplicates are used.
    """

    def __init__(self, *, drop: bool):
        self.counts: Counter[str] = Counter()
        self._drop = drop

    def __call__(self, documents: Iterable[list[str]]) -> Iterator[list[str]]:
        seen = _Hashes()
        self.counts.clear()
        for texts in documents:
            if not seen.add(_hash(texts)):
                self.counts["documents_dropped" if self._drop else "documents_repeated"] += 1
                if self._drop:
                    continue
            yield texts


def _hash(texts: Sequence[str]) -> int:
    content = "\n".join(texts).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(content).digest()[:_HASH_BYTES], "big")


class _Hashes:
    """A set of 64-bit numbers: most of them in a sorted array, the last few in a set."""

    def __init__(self):
        self._sorted = array.array("Q")
        self._few: set[int] = set()

    def add(self, number: int) -> bool:
        """Add a number; False if it was there."""
        if number in self._few:
            return False
        place = bisect.bisect_left(self._sorted, number)
        if place < len(self._sorted) and self._sorted[place] == number:
            return False
        self._few.add(number)
        if len(self._few) > max(_FEW, len(self._sorted) // 32):
            old, new = np.array(self._sorted), np.array(sorted(self._few), np.uint64)
            merged = np.insert(old, np.searchsorted(old, new), new)
            self._sorted = array.array("Q", merged.tobytes())
            self._few.clear()
        return True
