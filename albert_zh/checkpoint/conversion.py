"""Rows for a new vocabulary, made from the rows of the old one. Pure functions.

```
old   0 [PAD]  1 [UNK]  2 量  3 子          4 的
new   0 [PAD]  1 [UNK]  2 子  3 量子        4 囧
rows  old 0    old 1    old 3 mean(2, 3)    random          的 is dropped
```
Two tables of a model have one row per entry: the word vectors and the biases of the masked-LM head.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.names import WORD_TABLE, Shapes, initial_plan
from albert_zh.config import ModelConfig

OUTPUT_BIAS = "cls/predictions/output_bias"  # [V]; not in every fine-tuned checkpoint


@dataclasses.dataclass(frozen=True)
class RowPlan:
    """Source of each entry's row. Ids are of the new vocabulary unless they are called old."""

    copies: dict[int, int]  # id -> old id of the same entry
    means: dict[int, tuple[int, ...]]  # id -> old ids of its pieces
    random: dict[int, str]  # id -> entry
    dropped: list[str]  # old entries that the new vocabulary lacks

    @property
    def size(self) -> int:
        return len(self.copies) + len(self.means) + len(self.random)


def plan_rows(
    old: Sequence[str], new: Sequence[str], *, pieces: Callable[[str], Sequence[int]]
) -> RowPlan:
    """Plan the rows of a new vocabulary.

    >>> ids = {"[PAD]": 0, "量": 1, "子": 2, "的": 3}
    >>> cut = lambda entry: [ids[letter] for letter in entry if letter in ids]
    >>> plan_rows(list(ids), ["[PAD]", "子", "量子", "囧"], pieces=cut)
    RowPlan(copies={0: 0, 1: 2}, means={2: (1, 2)}, random={3: '囧'}, dropped=['量', '的'])

    Args:
        old: Entries of the old vocabulary in the order of their ids, without duplicates.
        new: Entries of the new vocabulary, likewise.
        pieces: Old ids of the pieces into which the old tokenizer splits an entry; none if the
            entry is unknown.
    """
    old_ids = {entry: number for number, entry in enumerate(old)}
    copies, means, random = {}, {}, {}
    for number, entry in enumerate(new):
        if entry in old_ids:
            copies[number] = old_ids[entry]
        elif cut := tuple(pieces(entry)):
            means[number] = cut
        else:
            random[number] = entry
    kept = set(copies.values())
    dropped = [entry for number, entry in enumerate(old) if number not in kept]
    return RowPlan(copies, means, random, dropped)


def check_tables(stored: Shapes, config: ModelConfig) -> None:
    """Raise ValueError unless lineage and vocabulary size are those of the configuration."""
    wanted = {WORD_TABLE: (config.vocab_size, config.embedding_size)}
    if OUTPUT_BIAS in stored:
        wanted[OUTPUT_BIAS] = (config.vocab_size,)
    # All other names may be stored too.
    initial_plan(wanted, stored, config, optional_parts=(), ignored_parts=[""])


def with_new_rows(
    arrays: Mapping[str, np.ndarray], plan: RowPlan, *, initializer_range: float, seed: int
) -> dict[str, np.ndarray]:
    """Weights of a checkpoint, with new tables for the new vocabulary.

    A random row depends on the seed and the entry, not on the id.
    """
    words = arrays[WORD_TABLE]

    def random_row(entry: str) -> np.ndarray:
        return _truncated_normal(entry, words.shape[1], initializer_range, seed)

    tables = {WORD_TABLE: make_rows(words, plan, start=random_row)}
    if OUTPUT_BIAS in arrays:
        # Most entries are rare, so the mean is about the bias of a rare entry. The minimum would be
        # the bias of an entry that never occurs, from which a new entry needs long to learn.
        mean = arrays[OUTPUT_BIAS].mean(dtype=np.float64)
        tables[OUTPUT_BIAS] = make_rows(arrays[OUTPUT_BIAS], plan, start=lambda entry: mean)
    return {**arrays, **tables}


def make_rows(
    table: np.ndarray, plan: RowPlan, *, start: Callable[[str], np.ndarray | float]
) -> np.ndarray:
    """A table `[new V, ...]` from one `[old V, ...]`; `start` gives the rows without a source."""
    rows = np.empty((plan.size, *table.shape[1:]), table.dtype)
    rows[list(plan.copies)] = table[list(plan.copies.values())]
    for number, sources in plan.means.items():
        rows[number] = table[list(sources)].mean(axis=0, dtype=np.float64)
    for number, entry in plan.random.items():
        rows[number] = start(entry)
    return rows


def _truncated_normal(entry: str, width: int, stddev: float, seed: int) -> np.ndarray:
    digest = hashlib.sha256(entry.encode()).digest()
    key = [seed, int.from_bytes(digest[:8], "little", signed=True)]
    return tf.random.stateless_truncated_normal([width], key, stddev=stddev).numpy()
