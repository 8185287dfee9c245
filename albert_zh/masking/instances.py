"""Masking of one instance: the tokens to predict, and what the model reads in their place.

```
tokens     [CLS] 我 爱 北 京 [SEP] 天 安 门 真 大 [SEP]
starts      T    T  T  T  F  T     T  F  F  T  T  T
words           (1)(2)( 3  )      (   4   )(5)(6)
units           (  1  )( 2 )      (     3    )(4)        masked together
masked     [CLS] 我 爱 [MASK] [MASK] [SEP] 天 安 门 真 大 [SEP]
positions  3 4
labels     北 京
```
A unit is a word, unless `unit_lengths` asks for n-grams or spans of words, see `masking.units`.

The labels are the tokens themselves. The published script gave the later characters of a word the
label of their `##` piece, which no text contains; with `continuation_ids` this module does so, too.
"""

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from albert_zh.masking.recipe import (
    KEPT_SHARE,
    LONGEST_HASHED_WORD,
    MASKED_SHARE,
    MaskingRecipe,
    ReplacePer,
)
from albert_zh.masking.units import Range, choose_units, cut_into_units, words_between


@dataclass(frozen=True, slots=True)
class MaskedTokens:
    """The tokens the model reads, the positions to predict in ascending order, their labels."""

    token_ids: tuple[int, ...]
    positions: tuple[int, ...]
    labels: tuple[int, ...]
    without_similar: int = 0  # words replaced by random tokens because no similar word is known


def mask_words(
    token_ids: Sequence[int], starts: Sequence[bool], recipe: MaskingRecipe, rng: random.Random
) -> MaskedTokens:
    """Mask random units of words until the share `masked_lm_prob` is reached.

    Args:
        token_ids: Tokens of an instance, with [CLS] and [SEP].
        starts: True where a word begins; special tokens, and the token after one, begin words.
        recipe: How to mask.
        rng: Source of all random choices; the result depends on nothing else.

    Returns:
        The masked tokens. At least one is masked if the instance has any text. 80 % of the tokens
        to predict become [MASK], 10 % become random tokens, 10 % stay as they are.
    """
    begins = starts if recipe.by_words else [True] * len(token_ids)
    budget = recipe.budget(len(token_ids))
    units = cut_into_units(token_ids, begins, budget, recipe, rng)
    masked = choose_units(units, budget, rng) or units
    positions = sorted(_positions(masked))
    tokens = list(token_ids)
    groups = _replacement_groups(masked, positions, begins, recipe.replace_per)
    without_similar = _replace(tokens, groups, begins, recipe, rng)
    if recipe.permute:
        positions = sorted(positions + _permute(tokens, units, masked, budget, rng))
    labels = _labels(token_ids, starts, positions, recipe)
    return MaskedTokens(tuple(tokens), tuple(positions), labels, without_similar)


def _positions(ranges: Iterable[Range]) -> list[int]:
    return list(itertools.chain.from_iterable(itertools.starmap(range, ranges)))


def _replacement_groups(
    masked: list[Range], positions: list[int], begins: Sequence[bool], replace_per: ReplacePer
) -> Iterable[Sequence[int]]:
    """Positions that share one draw of their replacement, group by group."""
    if replace_per is ReplacePer.TOKEN:
        return zip(positions)
    if replace_per is ReplacePer.WORD:
        masked = [word for unit in masked for word in words_between(begins, *unit)]
    return itertools.starmap(range, masked)


def _replace(
    tokens: list[int],
    groups: Iterable[Sequence[int]],
    begins: Sequence[bool],
    recipe: MaskingRecipe,
    rng: random.Random,
) -> int:
    """Put replacements into `tokens`; return the number of words without similar ones."""
    without_similar = 0
    draw, mask_id, has_similar = rng.random, recipe.mask_id, recipe.similar is not None
    for positions in groups:
        share = draw()
        if share >= MASKED_SHARE + KEPT_SHARE:
            _put_random(tokens, positions, recipe, rng)
        elif share < MASKED_SHARE and has_similar:
            words = words_between(begins, positions[0], positions[-1] + 1)
            without_similar += _put_similar(tokens, words, recipe, rng)
        elif share < MASKED_SHARE:
            for position in positions:
                tokens[position] = mask_id
    return without_similar


def _put_random(
    tokens: list[int], positions: Iterable[int], recipe: MaskingRecipe, rng: random.Random
) -> None:
    for position in positions:
        tokens[position] = rng.choice(recipe.random_ids)


def _put_similar(
    tokens: list[int], words: Iterable[Range], recipe: MaskingRecipe, rng: random.Random
) -> int:
    """Replace words by similar ones, else by random tokens; return the number of the latter."""
    without_similar = 0
    for begin, end in words:
        similar = recipe.similar.get(tuple(tokens[begin:end]))
        if similar:
            tokens[begin:end] = rng.choice(similar)
        else:
            _put_random(tokens, range(begin, end), recipe, rng)
            without_similar += 1
    return without_similar


def _permute(
    tokens: list[int], units: list[Range], masked: list[Range], budget: int, rng: random.Random
) -> list[int]:
    """Permute the tokens of further units among themselves; return their positions."""
    covered = set(masked)
    positions = _positions(
        choose_units([unit for unit in units if unit not in covered], budget, rng)
    )
    moved = [tokens[position] for position in positions]
    rng.shuffle(moved)
    for position, token in zip(positions, moved, strict=True):
        tokens[position] = token
    return positions


def _labels(
    token_ids: Sequence[int],
    starts: Sequence[bool],
    positions: Sequence[int],
    recipe: MaskingRecipe,
) -> tuple[int, ...]:
    pieces = recipe.continuation_ids
    if pieces is None:
        return tuple(token_ids[position] for position in positions)
    return tuple(
        pieces.get(token_ids[position], token_ids[position])
        if _continues_hashed_word(token_ids, starts, position, pieces)
        else token_ids[position]
        for position in positions
    )


def _continues_hashed_word(
    token_ids: Sequence[int], starts: Sequence[bool], position: int, pieces: Mapping[int, int]
) -> bool:
    """True for a later token of a word of two or three that begins with a Chinese character.

    The published script did so whatever it masked, and left longer words alone.
    """
    begin, end = position, position + 1
    while not starts[begin]:
        begin -= 1
    while end < len(starts) and not starts[end]:
        end += 1
    return begin < position and end - begin <= LONGEST_HASHED_WORD and token_ids[begin] in pieces
