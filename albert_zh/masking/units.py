"""Units of one instance: the words that are masked together, and a random choice of them.

```
tokens     [CLS] 我 爱 北 京 [SEP] 天 安 门 真 大 [SEP]
words           (1)(2)( 3  )      (   4   )(5)(6)
units           (  1  )( 2 )      (     3    )(4)        unit_lengths of n-grams or spans
chosen                 (   )                             a budget of 2
```
An instance is first cut into units (see `masking.unit_lengths`), then random units are chosen that
use up the budget. A unit that no longer fits is not passed over, which would favour short units and
short words: the choice starts anew. Choices that use up a budget would favour them as well, as a
unit of n tokens has budget - n + 1 places in it. It is made up for by the first unit of each
choice, which is drawn in proportion to its tokens + 1.

Shares of masked units of 1, 2, ... words, 15 % of real text masked (benchmarks/masked_units.py):
```
                   1    2    3    4    5    6    7    8    9   10   mean   budget used
n-grams asked   .545 .273 .182                                      1.64
  128 tokens    .548 .273 .179                                      1.63    99.99 %
  512 tokens    .547 .271 .181                                      1.63   100.00 %
spans asked     .224 .179 .143 .115 .092 .073 .059 .047 .038 .030   3.80
  128 tokens    .229 .180 .143 .112 .089 .069 .057 .049 .043 .029   3.79    99.59 %
  512 tokens    .225 .178 .143 .115 .091 .074 .060 .045 .037 .031   3.80    99.91 %
```
Every word is masked about equally often, short or long, inside a segment or at its ends. In short
texts, where few units fit the budget, their lengths follow from what fits.
"""

import bisect
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence

from albert_zh.masking.recipe import TRIES, MaskingRecipe
from albert_zh.masking.unit_lengths import LONGEST_RUN

Range = tuple[int, int]  # positions of a word or a unit: the first one, and the one after the last


def cut_into_units(
    token_ids: Sequence[int],
    begins: Sequence[bool],
    budget: int,
    recipe: MaskingRecipe,
    rng: random.Random,
) -> list[Range]:
    """Units of tokens that are masked together and fit the budget, in the order of the text.

    Where not even one fits, it is the shortest word alone; without text there is none. A word of
    more than `max_predictions_per_seq` tokens could never be masked and falls apart into them.
    """
    special, words = recipe.special_ids, words_between(begins, 0, len(token_ids))
    units = [(begin, end) for begin, end in words if token_ids[begin] not in special]
    if len(recipe.unit_lengths) > 1:
        units = list(_joined(units, budget, recipe, rng))
    if not [end for begin, end in units if end - begin > budget]:
        return units
    units = [part for unit in units for part in _parts(unit, recipe.max_predictions_per_seq)]
    fitting = [(begin, end) for begin, end in units if end - begin <= budget]
    return fitting or sorted(units, key=lambda unit: unit[1] - unit[0])[:1]


def choose_units(units: list[Range], budget: int, rng: random.Random) -> list[Range]:
    """Choose random units that use up the budget; if none are found, those that use up most of it.

    All units where those are fewer, and none where no unit fits.
    """
    best, most = [], 0
    for _ in range(TRIES if units else 0):
        chosen, used = _first_in_random_order(units, budget, rng)
        if used == budget or len(chosen) == len(units):
            return chosen
        if used > most:
            best, most = chosen, used
    return best


def words_between(begins: Sequence[bool], begin: int, end: int) -> Iterator[Range]:
    """The words, or parts of words, between two positions."""
    firsts = [begin, *itertools.compress(range(begin + 1, end), begins[begin + 1 : end])]
    return zip(firsts, [*firsts[1:], end], strict=True)


def _joined(
    words: list[Range], budget: int, recipe: MaskingRecipe, rng: random.Random
) -> Iterator[Range]:
    """Units of random numbers of neighbouring words, of several only where those fit the budget.

    Special tokens separate the runs of words that are filled with units.
    """
    gaps = [index for index in range(1, len(words)) if words[index][0] > words[index - 1][1]]
    for begin, end in itertools.pairwise([0, *gaps, len(words)]):
        table = recipe.length_tables.first
        while begin < end:
            row = table[min(end - begin, LONGEST_RUN)]
            last = begin + bisect.bisect(row, rng.random())
            while last > begin and words[last][1] - words[begin][0] > budget:
                last -= 1
            yield words[begin][0], words[last][1]
            begin, table = last + 1, recipe.length_tables.later


def _parts(unit: Range, longest: int) -> Iterable[Range]:
    """The unit itself, or its tokens if it has more than `longest`."""
    begin, end = unit
    return [unit] if end - begin <= longest else itertools.pairwise(range(begin, end + 1))


def _first_in_random_order(
    units: list[Range], budget: int, rng: random.Random
) -> tuple[list[Range], int]:
    """The first units of a random order, before one exceeds the budget, and their tokens.

    The first of all is drawn in proportion to its tokens + 1, the others are equally likely.
    """
    rest, chosen, left = list(units), [], budget
    other = _draw_by_size(units, rng)
    for index in range(len(rest)):  # a shuffle that ends with the budget
        begin, end = unit = rest[other]
        if end - begin > left:
            break
        chosen.append(unit)
        left -= end - begin
        if not left:
            break
        rest[other] = rest[index]
        other = index + 1 + int(rng.random() * (len(rest) - index - 1))
    return chosen, budget - left


def _draw_by_size(units: list[Range], rng: random.Random) -> int:
    """Index of the unit at a random place: each has its tokens and one place more."""
    begin, end = units[0][0], units[-1][1]
    while True:  # until the place is in a unit: special tokens are none, long words may be none
        place = int(rng.random() * (len(units) + end - begin))
        if place < len(units):
            return place
        position = begin + place - len(units)
        index = bisect.bisect(units, (position, end)) - 1
        if position < units[index][1]:
            return index
