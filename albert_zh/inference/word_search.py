"""Words of several entries in the place of adjacent [MASK]s, by a search with beams."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from albert_zh.inference.fill_mask import FillMask

_LEAST_BEAMS = 10

Beam = tuple[float, tuple[int, ...]]  # probability, entries so far


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An entry of the vocabulary, or a word of several, in the place of [MASK]."""

    token: str
    probability: float


@dataclasses.dataclass(frozen=True)
class WordSearch:
    """The likeliest words, entry after entry from the left.

    ```
    [CLS] 去 [MASK] [MASK] [SEP]      北 0.3, 上 0.2, ...
    [CLS] 去 北 [MASK] [SEP]          京 0.9, 方 0.1, ...      北京 0.27
    [CLS] 去 上 [MASK] [SEP]          海 0.8, ...             上海 0.16
    ```
    """

    model: "FillMask"
    top_k: int
    candidates: Sequence[str] | None = None  # only these words; None: all

    def words(self, ids: Sequence[int], first: int, count: int) -> list[Candidate]:
        """The likeliest words, the likeliest first.

        Args:
            ids: The tokens of a text.
            first: Place of the first of some adjacent [MASK]s.
            count: How many there are.

        Raises:
            ValueError: None of the candidates has as many entries.
        """
        chosen = None if self.candidates is None else self._candidates(count)
        # Of all words the best beams go on, of candidates all.
        width = max(self.top_k, _LEAST_BEAMS) if chosen is None else None
        beams: list[Beam] = [(1.0, ())]
        for done in range(count):
            rows = [[*ids[:first], *entries, *ids[first + done :]] for _, entries in beams]
            scores = self.model.probabilities(rows, [np.array([first + done])] * len(rows))
            longer = []
            for (probability, entries), (each,) in zip(beams, scores, strict=True):
                allowed: Sequence[int] = self._entries
                if chosen is not None:
                    allowed = sorted({word[done] for word in chosen if word[:done] == entries})
                longer += [
                    (probability * float(each[entry]), (*entries, entry))
                    for entry in best_entries(each, width, allowed)
                ]
            beams = sorted(longer, key=lambda beam: (-beam[0], beam[1]))[:width]
        return [
            Candidate(self._text(entries), probability)
            for probability, entries in beams[: self.top_k]
        ]

    def _candidates(self, count: int) -> list[tuple[int, ...]]:
        found = [self.model.entries(word) for word in dict.fromkeys(self.candidates)]
        if fitting := [entries for entries in found if len(entries) == count]:
            return fitting
        raise ValueError(
            f"none of the candidates, {', '.join(self.candidates)}, has {count} entries of the "
            "vocabulary, as many as there are adjacent [MASK]s"
        )

    @functools.cached_property
    def _entries(self) -> np.ndarray:
        """Ids of the entries that words consist of: no special ones."""
        names = self.model.vocab.tokens
        return np.array(
            [n for n, name in enumerate(names) if name and name.strip("[]<>") in (name, "")]
        )

    def _text(self, entries: Sequence[int]) -> str:
        names = (self.model.vocab.tokens[entry].removeprefix("##") for entry in entries)
        return "".join(names).replace("▁", " ").strip()


def best_entries(
    scores: np.ndarray, top_k: int | None, allowed: Sequence[int] | None = None
) -> list[int]:
    """Ids of the highest scores, the highest first.

    Args:
        scores: `[V]`.
        top_k: So many at most; None: all.
        allowed: Only these ids; None: all.
    """
    if allowed is None:
        return np.argsort(-scores, kind="stable")[:top_k].tolist()
    chosen = np.asarray(allowed)
    return chosen[np.argsort(-scores[chosen], kind="stable")[:top_k]].tolist()


def mask_rows(ids: Sequence[int], mask_id: int) -> list[tuple[int, int]]:
    """First place and number of each row of adjacent masks.

    >>> mask_rows([2, 4, 4, 7, 4, 3], 4)
    [(1, 2), (4, 1)]
    """
    found: list[tuple[int, int]] = []
    for place, entry in enumerate(ids):
        if entry == mask_id and found and sum(found[-1]) == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif entry == mask_id:
            found.append((place, 1))
    return found
