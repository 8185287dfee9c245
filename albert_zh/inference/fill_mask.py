"""A pretrained model in use: the likeliest entries for each [MASK] of a text.

```
今天天气很[MASK]。  ->  [CLS] 今 天 天 气 很 [MASK] 。 [SEP]  ->  好 0.41, 热 0.12, ...
```
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from albert_zh.inference.predictor import INPUTS, POSITIONS, Runner
from albert_zh.inference.word_search import Candidate, WordSearch, best_entries, mask_rows
from albert_zh.text.encoding import is_chinese
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.whole_entries import WholeEntryTokenizer

if TYPE_CHECKING:
    from albert_zh.inference.predictors import OpenModel

MASK = "[MASK]"
PROBABILITIES = "masked_lm_probabilities"  # [B, P, V], the output of the runner
# Positions of a batch, padding included: each costs as many numbers as there are entries.
_POSITIONS_OF_BATCH = 256


@dataclasses.dataclass(frozen=True)
class FillMask:
    """A model with its masked-LM head.

    ```
    model = albert_zh.load("models/albert_tiny")
    model.fill(["今天天气很[MASK]。"])[0][0][0]     Candidate(token="好", probability=0.41)
    ```
    Some vocabularies have a character twice, alone and inside a word: 好 and ##好. Both count as
    the character.
    """

    run: Runner  # inputs and positions of a batch -> probabilities
    tokenizer: Tokenizer
    max_seq_length: int  # tokens of a text at most
    runtime: str

    @property
    def vocab(self) -> Vocab:
        return self.tokenizer.vocab

    @classmethod
    def of(cls, model: "OpenModel") -> "FillMask":
        """The masked-LM head of a model."""
        return cls(
            run=model.head_runner(),
            tokenizer=WholeEntryTokenizer(model.tokenizer, [MASK]),
            max_seq_length=model.longest,
            runtime=model.runtime,
        )

    def fill(
        self, texts: Sequence[str], *, top_k: int = 5, candidates: Sequence[str] | None = None
    ) -> list[list[list[Candidate]]]:
        """The likeliest entries, each [MASK] by itself.

        Args:
            texts: Each with one [MASK] or more.
            top_k: Candidates for each [MASK] at most.
            candidates: Only these, each an entry of the vocabulary; None: all entries. Their
                probabilities are those among all entries.

        Returns:
            For each text, for each of its [MASK]s: candidates, the likeliest first.

        Raises:
            ValueError: A text has no [MASK], or is too long for the model; or a candidate is not
                one entry.
        """
        rows = [self._ids(text) for text in texts]
        places = [np.flatnonzero(np.array(row) == self.vocab.mask_id) for row in rows]
        allowed = candidates and [self._entry(word) for word in dict.fromkeys(candidates)]
        tokens = self.vocab.tokens

        def best(scores: np.ndarray) -> list[Candidate]:
            chosen = best_entries(scores, top_k, allowed)
            return [Candidate(tokens[entry], float(scores[entry])) for entry in chosen]

        return [[best(each) for each in scores] for scores in self.probabilities(rows, places)]

    def fill_words(
        self, texts: Sequence[str], *, top_k: int = 5, candidates: Sequence[str] | None = None
    ) -> list[list[list[Candidate]]]:
        """The likeliest words for each row of adjacent [MASK]s.

        The probability of a word is that of its first entry, times that of its second where the
        first is filled in, and so on; other rows of [MASK]s stay as they are. The likeliest words
        are searched with beams, so that one may be missed that begins with an unlikely entry.

        Args:
            texts: Each with one [MASK] or more.
            top_k: Candidates for each row of [MASK]s at most.
            candidates: Only these words; for a row, those that have as many entries as it has
                [MASK]s. None: all words.

        Returns:
            For each text, for each row of [MASK]s: words, the likeliest first.

        Raises:
            ValueError: A text has no [MASK], or is too long for the model; or none of the
                candidates has as many entries as a row has [MASK]s.
        """
        search = WordSearch(self, top_k=top_k, candidates=candidates)
        return [
            [search.words(ids, first, count) for first, count in mask_rows(ids, self.vocab.mask_id)]
            for ids in map(self._ids, texts)
        ]

    def probabilities(
        self, rows: Sequence[list[int]], places: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """For each row `[number of its places, V]`."""
        pad = self.vocab.pad_id
        found: list[np.ndarray] = [np.array(())] * len(rows)
        for batch in _batches([len(row) for row in rows], [len(each) for each in places]):
            shape = (len(batch), max(len(rows[number]) for number in batch))
            ids, mask = np.full(shape, pad, np.int32), np.zeros(shape, np.int32)
            positions = np.zeros((len(batch), max(len(places[n]) for n in batch)), np.int32)
            for row, number in enumerate(batch):
                ids[row, : len(rows[number])] = rows[number]
                mask[row, : len(rows[number])] = 1
                positions[row, : len(places[number])] = places[number]
            inputs = dict(zip(INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))
            scores = self.run({**inputs, POSITIONS: positions})[PROBABILITIES]
            for row, number in enumerate(batch):
                found[number] = self._merged(scores[row, : len(places[number])])
        return found

    def _merged(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities `[P, V]` with those of ##好 added to those of 好."""
        inside, alone = self._twice
        if not len(inside):
            return scores
        scores = scores.copy()
        scores[:, alone] += scores[:, inside]
        scores[:, inside] = 0
        return scores

    @functools.cached_property
    def _twice(self) -> tuple[np.ndarray, np.ndarray]:
        return _twice(self.vocab)

    def entries(self, word: str) -> tuple[int, ...]:
        """Ids of the entries that a word consists of; none if one of them is unknown."""
        ids = self.tokenizer.encode(word).ids
        return () if self.vocab.unk_id in ids else tuple(ids)

    def _entry(self, word: str) -> int:
        entries = self.entries(word)
        if len(entries) != 1:
            raise ValueError(
                f"the candidate {word!r} is not one entry of the vocabulary; words of several are "
                "for adjacent [MASK]s, see fill_words"
            )
        return entries[0]

    def _ids(self, text: str) -> list[int]:
        vocab = self.vocab
        ids = [vocab.cls_id, *self.tokenizer.encode(text).ids, vocab.sep_id]
        if vocab.mask_id not in ids:
            raise ValueError(f"there is no {MASK} to fill in {text!r}")
        if len(ids) > self.max_seq_length:
            raise ValueError(
                f"the text that begins with {text[:20]!r} has {len(ids):,} tokens, the model reads "
                f"{self.max_seq_length}; shorten it"
            )
        return ids


def _twice(vocab: Vocab) -> tuple[np.ndarray, np.ndarray]:
    """Ids of ##好 and its like, and of 好 and its like, in the same order."""
    pairs = [
        (number, vocab.ids[token[2:]])
        for token, number in vocab.ids.items()
        if len(token) == 3 and token[:2] == "##" and is_chinese(token[2]) and token[2] in vocab.ids
    ]
    inside, alone = np.array(pairs, np.int64).reshape(-1, 2).T
    return inside, alone


def _batches(lengths: Sequence[int], counts: Sequence[int]) -> Iterator[list[int]]:
    """Places of rows that are computed together: of similar length, with few masks in all."""
    batch: list[int] = []
    most = 0
    for number in sorted(range(len(lengths)), key=lambda number: (counts[number], lengths[number])):
        if batch and (len(batch) + 1) * max(most, counts[number]) > _POSITIONS_OF_BATCH:
            yield batch
            batch, most = [], 0
        batch.append(number)
        most = max(most, counts[number])
    if batch:
        yield batch
