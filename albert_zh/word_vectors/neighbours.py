"""Counts of the tokens that stand one and two places after another.

```
坐  车  去  北  京      distance 1: (坐, 车) (车, 去) ...   distance 2: (坐, 去) (车, 北) ...
```
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albert_zh.util.process_pool import run_jobs_in_order
from albert_zh.word_vectors.token_file import GAP, NO_TOKEN, count_ids, read_ids

_IDS_PER_JOB = 1 << 21


def count_neighbours(
    path: str,
    entries: np.ndarray,
    vocab_size: int,
    *,
    num_workers: int = 1,
    ids_per_job: int = _IDS_PER_JOB,
    on_progress: Callable[[int], None] = lambda ids: None,
) -> dict[int, np.ndarray]:
    """Counts of pairs of entries, for each distance up to `GAP`.

    Args:
        path: File of `token_file.write_ids`.
        entries: Ids of the entries that are counted, `[N]`; others are passed over.
        vocab_size: Entries of the vocabulary.
        num_workers: Processes; the counts do not depend on them.
        ids_per_job: Length of the parts in which the file is read.
        on_progress: Called with the number of ids that were counted since the call before.

    Returns:
        Distance -> `[N, N] float32`: row of the first token, column of the second.
    """
    # The last place stands for NO_TOKEN.
    ranks = np.full(vocab_size + 1, NO_TOKEN, np.int32)
    ranks[entries] = np.arange(len(entries), dtype=np.int32)
    counts = {distance: np.zeros(len(entries) ** 2, np.float32) for distance in range(1, GAP + 1)}
    total = count_ids(path)
    begins = range(0, total, ids_per_job)
    job = _CountJob(path, ranks, len(entries), ids_per_job)
    for begin, pairs_by_distance in zip(
        begins, run_jobs_in_order(job, begins, num_workers=num_workers), strict=True
    ):
        for distance, (pairs, numbers) in pairs_by_distance.items():
            counts[distance][pairs] += numbers
        on_progress(min(ids_per_job, total - begin))
    return {distance: flat.reshape(len(entries), len(entries)) for distance, flat in counts.items()}


@dataclass(frozen=True)
class _CountJob:
    """Pairs whose first token lies in a part of the file, for each distance."""

    path: str
    ranks: np.ndarray
    num_entries: int
    length: int  # of the part

    def __call__(self, begin: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """
        Returns:
            Distance -> the pairs as `rank of the first * N + rank of the second`, sorted, and how
            often each occurs.
        """
        ranks = self.ranks[read_ids(self.path, begin, self.length + GAP)]
        size = min(self.length, len(ranks))
        return {distance: self._pairs(ranks, size, distance) for distance in range(1, GAP + 1)}

    def _pairs(self, ranks: np.ndarray, size: int, distance: int) -> tuple[np.ndarray, np.ndarray]:
        second = ranks[distance : size + distance]
        first = ranks[: len(second)]
        are_counted = (first >= 0) & (second >= 0)
        pairs = first[are_counted].astype(np.int64) * self.num_entries + second[are_counted]
        return np.unique(pairs, return_counts=True)
