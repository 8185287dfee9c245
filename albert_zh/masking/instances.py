"""Which tokens the model has to guess, and what it sees in their place.

```
tokens     [CLS] 我 爱 北 京 [SEP] 天 安 门 真 大 [SEP]
starts      T    T  T  T  F  T     T  F  F  T  T  T
words           (1)(2)( 3  )      (   4   )(5)(6)
units           (  1  )( 2 )      (     3    )(4)        what is masked together
masked     [CLS] 我 爱 [MASK] [MASK] [SEP] 天 安 门 真 大 [SEP]
positions  3 4
labels     北 京
```
A unit is a word, unless `unit_lengths` asks for n-grams or spans of words. Instances are first cut
into units, of which random ones are then masked: so the lengths of masked units are in the
proportions asked for. (Drawing the length of each n-gram where it is masked, and shortening those
that do not fit, favours short ones.)

The labels are the tokens themselves. The published script gave the later characters of a word the
label of their `##` twin, which no text contains; `continuation_ids` does so, too.
"""

import bisect
import enum
import functools
import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import split_words

MASKED_SHARE, KEPT_SHARE = 0.8, 0.1  # shares of what is chosen; the rest becomes random tokens

# Words of which the published script marked the later characters.
LONGEST_MARKED = 3

# Entries that stand for no text: [unused7], <S>, <T>, </s>, <pad> and what strips to nothing.
_PLACEHOLDER = re.compile(r"\[unused\d+\]|</?\w+>|(##)?")

Range = tuple[int, int]  # positions from the first to before the second: of a word, of a unit


class ReplacePer(enum.Enum):
    """What draws as one whether it becomes [MASK] (80 %), random tokens (10 %) or stays (10 %)."""

    TOKEN = "token"
    WORD = "word"
    UNIT = "unit"  # as SpanBERT does


@dataclass(frozen=True)
class MaskingRecipe:
    """How many tokens are masked, in which units, and by what."""

    masked_lm_prob: float  # share of the tokens of an instance, [CLS] and [SEP] counted too
    max_predictions_per_seq: int  # most masked tokens of an instance; as many again are permuted
    mask_id: int
    special_ids: frozenset[int]  # [CLS], [SEP]: never masked, and no unit goes across them
    random_ids: tuple[int, ...]  # what a token may be replaced by, see `replacement_ids`
    by_words: bool = True  # False: every token is a word of its own
    unit_lengths: tuple[float, ...] = (1.0,)  # probabilities of units of 1, 2, ... words
    replace_per: ReplacePer = ReplacePer.TOKEN
    # Token ids of a word -> words of as many tokens, one of which stands there instead of [MASK].
    # MacBERT: https://arxiv.org/abs/2004.13922, section 3.
    similar: Mapping[tuple[int, ...], tuple[tuple[int, ...], ...]] | None = None
    continuation_ids: Mapping[int, int] | None = None  # labels as published, see `continuation_ids`
    permute: bool = False  # further units have their tokens permuted, which are to be guessed, too

    def __post_init__(self):
        if not 0 < self.masked_lm_prob < 1:
            raise ValueError(f"masked_lm_prob must lie between 0 and 1, got {self.masked_lm_prob}")
        if self.max_predictions_per_seq < 1:
            raise ValueError(
                f"max_predictions_per_seq must be at least 1, got {self.max_predictions_per_seq}"
            )
        if not self.random_ids:
            raise ValueError(
                "random_ids is empty: the vocabulary has no entry to replace tokens by"
            )
        _check_probabilities(self.unit_lengths)
        if self.similar is not None and self.replace_per is ReplacePer.TOKEN:
            raise ValueError(
                "similar words replace whole words, not tokens one by one; set replace_per to word "
                "or unit"
            )

    @functools.cached_property
    def shares_up_to(self) -> list[float]:
        """Probabilities of units of at most 1, 2, ... words, without the last, which is 1."""
        return list(itertools.accumulate(self.unit_lengths[:-1]))


@dataclass(frozen=True, slots=True)
class Masked:
    """The tokens the model sees, the covered positions in ascending order, what stood there."""

    token_ids: tuple[int, ...]
    positions: tuple[int, ...]
    labels: tuple[int, ...]
    without_similar: int = 0  # words replaced by random tokens because no similar word is known


def mask_words(
    token_ids: Sequence[int], starts: Sequence[bool], recipe: MaskingRecipe, rng: random.Random
) -> Masked:
    """Masks random units of words until the share `masked_lm_prob` is reached.

    Args:
        token_ids: Tokens of an instance, with [CLS] and [SEP].
        starts: True where a word begins; special tokens, and the token after one, begin words.
        recipe: How to mask.
        rng: Decides; the result depends on nothing else.

    Returns:
        The masked tokens. At least one is masked if the instance has any text. 80 % of what is
        chosen becomes [MASK], 10 % random tokens, 10 % stays as it is (but is to be guessed).
    """
    budget = round(len(token_ids) * recipe.masked_lm_prob)
    budget = min(recipe.max_predictions_per_seq, max(1, budget))
    begins = starts if recipe.by_words else [True] * len(token_ids)
    units = _units(token_ids, begins, recipe, rng)
    masked = _choose(units, budget, rng) or _shortest_word(units, begins)
    covered = sorted(_positions(masked))
    seen = list(token_ids)
    lots = _lots(masked, covered, begins, recipe.replace_per)
    without_similar = _replace(seen, lots, begins, recipe, rng)
    if recipe.permute:
        covered = sorted(covered + _permute(seen, units, masked, budget, rng))
    labels = _labels(token_ids, starts, covered, recipe)
    return Masked(tuple(seen), tuple(covered), labels, without_similar)


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
    """Probabilities of spans that end after each word with `probability`, and after `longest`.

    The defaults are SpanBERT's, for spans of 3.8 words on average: https://arxiv.org/abs/1907.10529

    >>> [round(share, 3) for share in span_lengths(longest=4)]
    [0.339, 0.271, 0.217, 0.173]
    >>> round(sum(words * share for words, share in enumerate(span_lengths(), 1)), 1)
    3.8
    """
    if not 0 < probability < 1:
        raise ValueError(f"spans end with a probability between 0 and 1, got {probability}")
    if longest < 1:
        raise ValueError(f"spans have at least 1 word, got {longest}")
    return _shares([(1 - probability) ** more for more in range(longest)])


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


def continuation_ids(vocab: Vocab) -> dict[int, int]:
    """Id of a Chinese character -> id of its `##` twin, where the published script knew it.

    >>> continuation_ids(Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "字", "##字", "的")))
    {5: 6}
    """
    return {
        index: vocab.ids[f"##{token}"]
        for index, token in enumerate(vocab.tokens)
        if len(token) == 1 and "\u4e00" <= token <= "\u9fa5" and f"##{token}" in vocab.ids
    }


def _check_probabilities(unit_lengths: Sequence[float]) -> None:
    if not (all(share >= 0 for share in unit_lengths) and math.isclose(sum(unit_lengths), 1)):
        raise ValueError(
            f"unit_lengths must be probabilities that add up to 1, got {tuple(unit_lengths)}"
        )


def _shares(weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _stands_apart(text: str) -> bool:
    """Whether WordPiece would not make it the continuation of a word."""
    return len(split_words("a" + text, do_lower_case=False)) > 1


def _units(
    token_ids: Sequence[int], begins: Sequence[bool], recipe: MaskingRecipe, rng: random.Random
) -> list[Range]:
    """What is masked together, in the order of the text.

    A unit of more than `max_predictions_per_seq` tokens could never be masked; it falls apart into
    its words, and such a word into its tokens.
    """
    words = _words(begins, 0, len(token_ids))
    units = [word for word in words if token_ids[word[0]] not in recipe.special_ids]
    if len(recipe.unit_lengths) > 1:
        units = list(_joined(units, recipe, rng))
    longest = recipe.max_predictions_per_seq
    if not [end for begin, end in units if end - begin > longest]:
        return units
    words = _split_longer(units, longest, into=functools.partial(_words, begins))
    return _split_longer(words, longest, into=_tokens)


def _words(begins: Sequence[bool], begin: int, end: int) -> Iterator[Range]:
    """The words, or parts of words, between two positions."""
    firsts = [begin, *itertools.compress(range(begin + 1, end), begins[begin + 1 : end])]
    return zip(firsts, [*firsts[1:], end], strict=True)


def _joined(words: list[Range], recipe: MaskingRecipe, rng: random.Random) -> Iterator[Range]:
    """Units of random numbers of neighbouring words; special tokens end a unit early."""
    index = 0
    while index < len(words):
        begin, end = words[index]
        after = index + 1 + bisect.bisect(recipe.shares_up_to, rng.random())
        index += 1
        while index < min(after, len(words)) and words[index][0] == end:
            end = words[index][1]
            index += 1
        yield begin, end


def _tokens(begin: int, end: int) -> Iterator[Range]:
    return itertools.pairwise(range(begin, end + 1))


def _split_longer(
    ranges: list[Range], longest: int, *, into: Callable[[int, int], Iterable[Range]]
) -> list[Range]:
    return [
        part
        for begin, end in ranges
        for part in ([(begin, end)] if end - begin <= longest else into(begin, end))
    ]


def _choose(units: list[Range], budget: int, rng: random.Random) -> list[Range]:
    """Random units of at most `budget` tokens together; those that exceed it are passed over."""
    chosen, left = [], budget
    for begin, end in _in_random_order(units, rng):
        if end - begin <= left:
            chosen.append((begin, end))
            left -= end - begin
            if not left:
                break
    return chosen


def _shortest_word(units: list[Range], begins: Sequence[bool]) -> list[Range]:
    """The word to mask where not even one unit fits; none if there is no text."""
    words = [word for unit in units for word in _words(begins, *unit)]
    return sorted(words, key=lambda word: word[1] - word[0])[:1]


def _in_random_order(units: list[Range], rng: random.Random) -> Iterator[Range]:
    """A shuffle that does no more work than its reader asks for."""
    units = list(units)
    for index in range(len(units)):
        other = index + int(rng.random() * (len(units) - index))
        units[index], units[other] = units[other], units[index]
        yield units[index]


def _positions(ranges: Iterable[Range]) -> list[int]:
    return list(itertools.chain.from_iterable(itertools.starmap(range, ranges)))


def _replace(
    seen: list[int],
    lots: Iterable[Sequence[int]],
    begins: Sequence[bool],
    recipe: MaskingRecipe,
    rng: random.Random,
) -> int:
    """Draws what the model sees at each masked place; returns the words without similar ones."""
    without_similar = 0
    for places in lots:
        share = rng.random()
        if share < MASKED_SHARE and recipe.similar is None:
            for place in places:
                seen[place] = recipe.mask_id
        elif share < MASKED_SHARE:
            words = _words(begins, places[0], places[-1] + 1)
            without_similar += _put_similar(seen, words, recipe, rng)
        elif share >= MASKED_SHARE + KEPT_SHARE:
            _put_random(seen, places, recipe, rng)
    return without_similar


def _lots(
    masked: list[Range], positions: list[int], begins: Sequence[bool], replace_per: ReplacePer
) -> Iterable[Sequence[int]]:
    """Positions that draw as one."""
    if replace_per is ReplacePer.TOKEN:
        return zip(positions)
    if replace_per is ReplacePer.WORD:
        masked = [word for unit in masked for word in _words(begins, *unit)]
    return itertools.starmap(range, masked)


def _put_random(
    seen: list[int], places: Iterable[int], recipe: MaskingRecipe, rng: random.Random
) -> None:
    for place in places:
        seen[place] = rng.choice(recipe.random_ids)


def _put_similar(
    seen: list[int], words: Iterable[Range], recipe: MaskingRecipe, rng: random.Random
) -> int:
    """Replaces each word by a similar one; returns for how many there was only a random one."""
    without_similar = 0
    for begin, end in words:
        similar = recipe.similar.get(tuple(seen[begin:end]))
        if similar:
            seen[begin:end] = rng.choice(similar)
        else:
            _put_random(seen, range(begin, end), recipe, rng)
            without_similar += 1
    return without_similar


def _permute(
    seen: list[int], units: list[Range], masked: list[Range], budget: int, rng: random.Random
) -> list[int]:
    """Permutes the tokens of further units among themselves; returns their positions."""
    covered = set(masked)
    positions = _positions(_choose([unit for unit in units if unit not in covered], budget, rng))
    tokens = [seen[position] for position in positions]
    rng.shuffle(tokens)
    for position, token in zip(positions, tokens, strict=True):
        seen[position] = token
    return positions


def _labels(
    token_ids: Sequence[int],
    starts: Sequence[bool],
    positions: Sequence[int],
    recipe: MaskingRecipe,
) -> tuple[int, ...]:
    twins = recipe.continuation_ids
    if twins is None:
        return tuple(token_ids[position] for position in positions)
    return tuple(
        twins.get(token_ids[position], token_ids[position])
        if _continues_marked_word(token_ids, starts, position, twins)
        else token_ids[position]
        for position in positions
    )


def _continues_marked_word(
    token_ids: Sequence[int], starts: Sequence[bool], position: int, twins: Mapping[int, int]
) -> bool:
    """Whether it is a later token of a word of two or three that begins with a Chinese character.

    The published script marked such words whatever was masked, and left longer ones alone.
    """
    begin, end = position, position + 1
    while not starts[begin]:
        begin -= 1
    while end < len(starts) and not starts[end]:
        end += 1
    return begin < position and end - begin <= LONGEST_MARKED and token_ids[begin] in twins
