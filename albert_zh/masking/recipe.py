"""The recipe of masking: how many tokens, in which units, and what takes their place.

```
MaskingRecipe -> masking.instances    one instance at a time, while records are written
              -> masking.batches      whole batches, while records are read
```
Both follow the same rules, which `tests/test_masking_conformance.py` checks.
"""

import enum
import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from albert_zh.masking.unit_lengths import UnitLengths
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import split_words

# Shares of the tokens to predict; the rest becomes random tokens.
MASKED_SHARE, KEPT_SHARE = 0.8, 0.1

# Most choices of units for an instance, if none before used up the budget.
TRIES = 16

# Maximum length of words with hashed labels, as in the published script.
LONGEST_HASHED_WORD = 3

# Entries that stand for no text: [unused7], [unused_7], [NUM], <S>, </s>, <pad> and what strips to
# nothing. A tokenizer splits brackets from what is in them.
_PLACEHOLDER = re.compile(r"\[.+\]|<.+>|(##)?")


class ReplacePer(enum.Enum):
    """The tokens that share one choice: [MASK] (80 %), random tokens (10 %) or unchanged (10 %)."""

    TOKEN = "token"
    WORD = "word"
    UNIT = "unit"  # as SpanBERT does


@dataclass(frozen=True)
class MaskingRecipe:
    """The share of masked tokens, the units they are masked in, and their replacements."""

    masked_lm_prob: float  # share of the tokens of an instance, [CLS] and [SEP] counted too
    max_predictions_per_seq: int  # maximum masked tokens; as many again may be permuted
    mask_id: int
    special_ids: frozenset[int]  # [CLS], [SEP]: never masked; no unit crosses them
    random_ids: tuple[int, ...]  # candidates for random tokens, see `replacement_ids`
    by_words: bool = True  # False: every token is a word of its own
    unit_lengths: tuple[float, ...] = (1.0,)  # probabilities of units of 1, 2, ... words
    replace_per: ReplacePer = ReplacePer.TOKEN
    # Token ids of a word -> similar words of equal length; one is used instead of [MASK].
    # MacBERT: https://arxiv.org/abs/2004.13922, section 3.
    similar: Mapping[tuple[int, ...], tuple[tuple[int, ...], ...]] | None = None
    # Hashed labels: later token of a short word -> label, see `continuation_ids`.
    continuation_ids: Mapping[int, int] | None = None
    permute: bool = False  # also permute the tokens of further units and predict them

    def __post_init__(self):
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must lie between 0 and 1, got {self.masked_lm_prob}")
        if self.max_predictions_per_seq < 1:
            raise ValueError(
                f"max_predictions_per_seq must be at least 1, got {self.max_predictions_per_seq}"
            )
        if not self.random_ids:
            raise ValueError("random_ids is empty: the vocabulary has no entries for random tokens")
        lengths = self.unit_lengths
        if not (all(share >= 0 for share in lengths) and math.isclose(sum(lengths), 1)):
            raise ValueError(
                f"unit_lengths must be probabilities that add up to 1, got {tuple(lengths)}"
            )
        if self.similar is not None and self.replace_per is ReplacePer.TOKEN:
            raise ValueError(
                "similar words replace words, not single tokens; set replace_per to word or unit"
            )

    @functools.cached_property
    def length_tables(self) -> UnitLengths:
        """The tables that lengths of units are drawn from."""
        return UnitLengths.of(self.unit_lengths)

    def budget(self, num_tokens: int) -> int:
        """Maximum tokens to mask of `num_tokens`, which include [CLS] and [SEP]."""
        share = round(num_tokens * self.masked_lm_prob)
        return min(self.max_predictions_per_seq, max(1, share))


def ngram_lengths(longest: int, *, favor_shorter: bool = True) -> tuple[float, ...]:
    """Probabilities of units of 1 to `longest` words, proportional to 1/n.

    >>> [round(share, 3) for share in ngram_lengths(3)]
    [0.545, 0.273, 0.182]
    >>> [round(share, 3) for share in ngram_lengths(3, favor_shorter=False)]
    [0.182, 0.273, 0.545]
    """
    if longest < 1:
        raise ValueError(f"n-grams have at least 1 word, got {longest}")
    shares = _shares([1 / words for words in range(1, longest + 1)])
    return shares if favor_shorter else shares[::-1]


def span_lengths(*, probability: float = 0.2, longest: int = 10) -> tuple[float, ...]:
    """Geometric probabilities of spans of 1 to `longest` words, normalised.

    The defaults are SpanBERT's, 3.8 words on average: https://arxiv.org/abs/1907.10529

    >>> [round(share, 3) for share in span_lengths(longest=4)]
    [0.339, 0.271, 0.217, 0.173]
    >>> round(sum(words * share for words, share in enumerate(span_lengths(), 1)), 1)
    3.8
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1, got {probability}")
    if longest < 1:
        raise ValueError(f"spans have at least 1 word, got {longest}")
    return _shares([(1 - probability) ** more for more in range(longest)])


def replacement_ids(vocab: Vocab) -> tuple[int, ...]:
    """Ids of the entries that text can contain, the candidates for random tokens.

    Special and unused entries are left out, and so are the `##` pieces of Chinese characters and
    punctuation: these never occur in text, so the model would recognise them at once.
    """
    special = {vocab.pad_id, vocab.unk_id, vocab.cls_id, vocab.sep_id, vocab.mask_id}
    return tuple(
        index
        for index, token in enumerate(vocab.tokens)
        if index not in special
        and not _PLACEHOLDER.fullmatch(token)
        and not (token.startswith("##") and _stands_apart(token[2:]))
    )


def continuation_ids(vocab: Vocab) -> dict[int, int]:
    """Id of a Chinese character -> id of its `##` piece, in the published script's range.

    >>> continuation_ids(Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "字", "##字", "的")))
    {5: 6}
    """
    return {
        index: vocab.ids[f"##{token}"]
        for index, token in enumerate(vocab.tokens)
        if len(token) == 1 and "\u4e00" <= token <= "\u9fa5" and f"##{token}" in vocab.ids
    }


def _shares(weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _stands_apart(text: str) -> bool:
    """True if WordPiece always splits the text off the word before it."""
    return len(split_words("a" + text, do_lower_case=False)) > 1
