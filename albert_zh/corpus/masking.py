"""Which tokens the model has to guess, and what it sees in their place.

```
tokens     [CLS] 我 爱 北 京 [SEP] 天 安 门 [SEP]
starts      T    T  T  T  F  T     T  F  F  T
words           (1)(2)( 3  )      (   4   )
masked     [CLS] 我 爱 [MASK] [MASK] [SEP] 天 安 门 [SEP]
positions  3 4
labels     北 京
```
A word is masked whole or not at all. The labels are the tokens themselves; the published script
gave every later character of a word the label of its `##` twin, which no text contains.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise

from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import split_words

_MASKED, _KEPT = 0.8, 0.1  # shares of the chosen tokens; the rest becomes a random token

# Entries that stand for no text: [unused7], <S>, <T>, </s>, <pad> and what strips to nothing.
_PLACEHOLDER = re.compile(r"\[unused\d+\]|</?\w+>|(##)?")

Unit = tuple[int, int]  # positions from the first to before the second


@dataclass(frozen=True)
class MaskingRecipe:
    """How many tokens are masked, in which units, and by what."""

    masked_lm_prob: float  # share of the tokens of an instance, [CLS] and [SEP] counted too
    max_predictions_per_seq: int  # most masked tokens of an instance
    whole_words: bool  # False: every token is a unit of its own
    mask_id: int
    special_ids: frozenset[int]  # [CLS], [SEP]: never masked, and no word goes across them
    random_ids: tuple[int, ...]  # what a token may be replaced by, see `replacement_ids`

    def __post_init__(self):
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must lie between 0 and 1, got {self.masked_lm_prob}")
        if self.max_predictions_per_seq < 1:
            raise ValueError(
                f"max_predictions_per_seq must be at least 1, got {self.max_predictions_per_seq}"
            )


@dataclass(frozen=True, slots=True)
class Masked:
    """The tokens the model sees, the masked positions in ascending order, what stood there."""

    token_ids: tuple[int, ...]
    positions: tuple[int, ...]
    labels: tuple[int, ...]


def mask_words(
    token_ids: Sequence[int], starts: Sequence[bool], recipe: MaskingRecipe, rng: random.Random
) -> Masked:
    """Masks random words until the share `masked_lm_prob` is reached.

    Args:
        token_ids: Tokens of an instance, with [CLS] and [SEP].
        starts: True where a word begins; special tokens, and the token after one, begin words.
        recipe: How to mask.
        rng: Decides; the result depends on nothing else.

    Returns:
        The masked tokens. At least one is masked if the instance has any text. 80 % of the chosen
        tokens become [MASK], 10 % a random token, 10 % stay as they are (but are to be guessed).
    """
    budget = round(len(token_ids) * recipe.masked_lm_prob)
    budget = min(recipe.max_predictions_per_seq, max(1, budget))
    chosen = _choose(_units(token_ids, starts, recipe), budget, rng)
    positions = sorted(position for unit in chosen for position in range(*unit))
    seen = list(token_ids)
    for position in positions:
        seen[position] = _replacement(token_ids[position], recipe, rng)
    return Masked(tuple(seen), tuple(positions), tuple(token_ids[p] for p in positions))


def replacement_ids(vocab: Vocab) -> tuple[int, ...]:
    """Ids of the entries that text can contain: what a token may be replaced by at random.

    Left out are special and unused entries, and `##` twins of Chinese characters and punctuation,
    which are words of their own: the model would see at once that they are out of place.
    """
    special = {vocab.pad_id, vocab.unk_id, vocab.cls_id, vocab.sep_id, vocab.mask_id}
    return tuple(
        index
        for index, token in enumerate(vocab.tokens)
        if index not in special
        and not _PLACEHOLDER.fullmatch(token)
        and not (token.startswith("##") and _stands_apart(token[2:]))
    )


def _stands_apart(text: str) -> bool:
    """Whether WordPiece would not make it the continuation of a word."""
    return len(split_words("a" + text, do_lower_case=False)) > 1


def _units(token_ids: Sequence[int], starts: Sequence[bool], recipe: MaskingRecipe) -> list[Unit]:
    """What is masked together: words, or single tokens.

    A word of more than `max_predictions_per_seq` tokens could never be masked; it falls apart.
    """
    places = range(len(token_ids))
    begins = list(compress(places, starts)) if recipe.whole_words else places
    words = zip(begins, [*begins[1:], len(token_ids)], strict=True)
    units = [word for word in words if token_ids[word[0]] not in recipe.special_ids]
    longest = recipe.max_predictions_per_seq
    if all(end - begin <= longest for begin, end in units):
        return units
    return [
        unit
        for begin, end in units
        for unit in ([(begin, end)] if end - begin <= longest else pairwise(range(begin, end + 1)))
    ]


def _choose(units: list[Unit], budget: int, rng: random.Random) -> list[Unit]:
    """Random units of at most `budget` tokens together; those that would exceed it are passed over.

    If not even one unit fits, it is the shortest.
    """
    chosen, left = [], budget
    for begin, end in _in_random_order(units, rng):
        if end - begin <= left:
            chosen.append((begin, end))
            left -= end - begin
            if not left:
                break
    return chosen or sorted(units, key=lambda unit: unit[1] - unit[0])[:1]


def _in_random_order(units: list[Unit], rng: random.Random) -> Iterator[Unit]:
    """A shuffle that does no more work than its reader asks for."""
    units = list(units)
    for index in range(len(units)):
        other = index + int(rng.random() * (len(units) - index))
        units[index], units[other] = units[other], units[index]
        yield units[index]


def _replacement(token_id: int, recipe: MaskingRecipe, rng: random.Random) -> int:
    share = rng.random()
    if share < _MASKED:
        return recipe.mask_id
    if share < _MASKED + _KEPT:
        return token_id
    return rng.choice(recipe.random_ids)
