"""Counts of the tokens that occur near each other (Levy, Goldberg, Dagan 2015, section 3.1).

```
坐  车  去  北  京      (坐, 车) += 5   (坐, 去) += 4   ...   (坐, 京) += 2, and the same reversed
```
A pair at distance d counts WINDOW + 1 - d: near tokens tell more about each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albert_zh.util.process_pool import run_jobs_in_order
from albert_zh.word_vectors.token_file import NO_TOKEN, WINDOW, count_ids, read_ids

_IDS_PER_JOB = 1 << 21


def count_cooccurrences(
    path: str,
    entries: np.ndarray,
    vocab_size: int,
    *,
    num_workers: int = 1,
    ids_per_job: int = _IDS_PER_JOB,
    on_progress: Callable[[int], None] = lambda ids: None,
) -> np.ndarray:
    """Weighted counts of pairs of entries.

    Args:
        path: File of `token_file.write_ids`.
        entries: Ids of the entries that are counted, `[N]`; others are passed over.
        vocab_size: Entries of the vocabulary.
        num_workers: Processes; the counts do not depend on them.
        ids_per_job: Length of the parts in which the file is read.
        on_progress: Called with the number of ids that were counted since the call before.

    Returns:
        Symmetric counts, `[N, N] float32`.
    """
    # The last place stands for NO_TOKEN.
    ranks = np.full(vocab_size + 1, NO_TOKEN, np.int32)
    ranks[entries] = np.arange(len(entries), dtype=np.int32)
    counts = np.zeros(len(entries) ** 2, np.float32)
    total = count_ids(path)
    begins = range(0, total, ids_per_job)
    job = _CountJob(path, ranks, len(entries), ids_per_job)
    # Sums of float32 depend on the order.
    results = run_jobs_in_order(job, begins, num_workers=num_workers)
    for begin, by_distance in zip(begins, results, strict=True):
        for weight, (pairs, numbers) in zip(range(WINDOW, 0, -1), by_distance, strict=True):
            counts[pairs] += numbers * np.float32(weight)
        on_progress(min(ids_per_job, total - begin))
    square = counts.reshape(len(entries), len(entries))
    square += square.T
    return square


@dataclass(frozen=True)
class _CountJob:
    """Pairs whose first token lies in a part of the file, for each distance."""

    path: str
    ranks: np.ndarray
    num_entries: int
    length: int  # of the part

    def __call__(self, begin: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """
        Returns:
            For the distances 1, 2, ...: the pairs as `rank of the first * N + rank of the second`,
            sorted, and how often each occurs.
        """
        ranks = self.ranks[read_ids(self.path, begin, self.length + WINDOW)]
        size = min(self.length, len(ranks))
        return [self._pairs(ranks, size, distance) for distance in range(1, WINDOW + 1)]

    def _pairs(self, ranks: np.ndarray, size: int, distance: int) -> tuple[np.ndarray, np.ndarray]:
        second = ranks[distance : size + distance]
        first = ranks[: len(second)]
        are_counted = (first >= 0) & (second >= 0)
        pairs = first[are_counted].astype(np.int64) * self.num_entries + second[are_counted]
        return np.unique(pairs, return_counts=True)
