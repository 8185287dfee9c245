"""A checkpoint for another vocabulary: which new row is made of which old ones. Pure functions.

```
old   0 [PAD]  1 [UNK]  2 量  3 子          4 的
new   0 [PAD]  1 [UNK]  2 子  3 量子        4 囧
rows  old 0    old 1    old 3 mean(2, 3)    at random       的 is dropped
```
Two of a model's tables have a row an entry: the word vectors and the biases of the masked-LM head.
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
    """The source of every entry's row; ids are the new vocabulary's where not said otherwise."""

    carried: dict[int, int]  # id -> old id of the same entry
    averaged: dict[int, tuple[int, ...]]  # id -> old ids of its pieces
    random: dict[int, str]  # id -> entry
    dropped: list[str]  # old entries that the new vocabulary has not

    @property
    def size(self) -> int:
        return len(self.carried) + len(self.averaged) + len(self.random)


def plan_rows(
    old: Sequence[str], new: Sequence[str], *, pieces: Callable[[str], Sequence[int]]
) -> RowPlan:
    """Plans the rows of a new vocabulary.

    >>> ids = {"[PAD]": 0, "量": 1, "子": 2, "的": 3}
    >>> cut = lambda entry: [ids[letter] for letter in entry if letter in ids]
    >>> plan_rows(list(ids), ["[PAD]", "子", "量子", "囧"], pieces=cut)
    RowPlan(carried={0: 0, 1: 2}, averaged={2: (1, 2)}, random={3: '囧'}, dropped=['量', '的'])

    Args:
        old: Entries in the order of their ids, each once.
        new: The same of the new vocabulary.
        pieces: Old ids of what the old tokenizer makes of an entry; none where it is unknown.
    """
    old_ids = {entry: number for number, entry in enumerate(old)}
    carried, averaged, random = {}, {}, {}
    for number, entry in enumerate(new):
        if entry in old_ids:
            carried[number] = old_ids[entry]
        elif cut := tuple(pieces(entry)):
            averaged[number] = cut
        else:
            random[number] = entry
    kept = set(carried.values())
    dropped = [entry for number, entry in enumerate(old) if number not in kept]
    return RowPlan(carried, averaged, random, dropped)


def check_tables(stored: Shapes, config: ModelConfig) -> None:
    """Raises ValueError unless lineage and vocabulary size are those of the configuration."""
    wanted = {WORD_TABLE: (config.vocab_size, config.embedding_size)}
    if OUTPUT_BIAS in stored:
        wanted[OUTPUT_BIAS] = (config.vocab_size,)
    # Any other name may be there, too.
    initial_plan(wanted, stored, config, new_parts=(), spare_parts=[""])


def with_new_rows(
    arrays: Mapping[str, np.ndarray], plan: RowPlan, *, initializer_range: float, seed: int
) -> dict[str, np.ndarray]:
    """The weights of a checkpoint, with the tables that have a row an entry remade.

    A random row is a function of seed and entry, wherever the entry stands.
    """
    words = arrays[WORD_TABLE]

    def random_row(entry: str) -> np.ndarray:
        return _truncated_normal(entry, words.shape[1], initializer_range, seed)

    remade = {WORD_TABLE: make_rows(words, plan, start=random_row)}
    if OUTPUT_BIAS in arrays:
        # Most entries are rare, so the mean is the bias of a rare one. The least belongs to
        # entries that never occur: one that does would have far to climb.
        mean = arrays[OUTPUT_BIAS].mean(dtype=np.float64)
        remade[OUTPUT_BIAS] = make_rows(arrays[OUTPUT_BIAS], plan, start=lambda entry: mean)
    return {**arrays, **remade}


def make_rows(
    table: np.ndarray, plan: RowPlan, *, start: Callable[[str], np.ndarray | float]
) -> np.ndarray:
    """A table `[new V, ...]` out of `[old V, ...]`; `start` gives the rows that have no source."""
    rows = np.empty((plan.size, *table.shape[1:]), table.dtype)
    rows[list(plan.carried)] = table[list(plan.carried.values())]
    for number, sources in plan.averaged.items():
        rows[number] = table[list(sources)].mean(axis=0, dtype=np.float64)
    for number, entry in plan.random.items():
        rows[number] = start(entry)
    return rows


def _truncated_normal(entry: str, width: int, stddev: float, seed: int) -> np.ndarray:
    digest = hashlib.sha256(entry.encode()).digest()
    key = [seed, int.from_bytes(digest[:8], "little", signed=True)]
    return tf.random.stateless_truncated_normal([width], key, stddev=stddev).numpy()
