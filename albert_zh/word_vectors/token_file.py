"""The token ids of a corpus in a file, so that a corpus of any size can be counted.

```
documents   今天下雨。 | 在家。        tokens of a document one after another, GAP ids between two
file        12 45 88 90 7 -1 -1 5 62 7 -1 -1 ...        int32
```
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.process_pool import run_jobs_in_order

NO_TOKEN = -1
GAP = 2  # the farthest distance at which neighbours are counted
_ID_BYTES = 4
_BATCH = 1 << 18  # characters that a process tokenizes at a time


def write_ids(
    documents: Iterable[Sequence[str]],
    tokenizer: Tokenizer,
    file: IO[bytes],
    *,
    num_workers: int = 1,
) -> np.ndarray:
    """Write the ids of all documents.

    Args:
        documents: Each a list of texts; iterated once.
        tokenizer: The model's tokenizer.
        file: Open for writing.
        num_workers: Processes; the file does not depend on them.

    Returns:
        Counts of the vocabulary's entries, `[V] int64`.
    """
    counts = np.zeros(len(tokenizer.vocab), np.int64)
    batches = _batches(documents)
    for ids in run_jobs_in_order(_TokenIds(tokenizer), batches, num_workers=num_workers):
        ids.tofile(file)
        counts += np.bincount(ids[ids >= 0], minlength=len(counts))
    return counts


def count_ids(path: str) -> int:
    """Ids in a file, gaps included."""
    return os.path.getsize(path) // _ID_BYTES


def read_ids(path: str, begin: int, number: int) -> np.ndarray:
    """At most `number` ids from a position on."""
    return np.fromfile(path, np.int32, count=number, offset=begin * _ID_BYTES)


@dataclass(frozen=True)
class _TokenIds:
    """The ids of a batch of documents."""

    tokenizer: Tokenizer

    def __call__(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        ids: list[int] = []
        for texts in documents:
            for encoding in self.tokenizer.encode_batch(texts):
                ids += encoding.ids
            ids += [NO_TOKEN] * GAP
        return np.array(ids, np.int32)


def _batches(documents: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    batch: list[Sequence[str]] = []
    length = 0
    for texts in documents:
        batch.append(texts)
        length += sum(map(len, texts))
        if length >= _BATCH:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch
