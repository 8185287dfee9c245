"""Units at the budgets of real records: their lengths, and how often each word is masked.

Both forms of masking, on texts as long as records, of words as long as those of Chinese text.
"""

import functools
import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.masking.batch_units import choose_units as choose_in_batch
from albert_zh.masking.batch_units import unit_starts
from albert_zh.masking.groups import Groups
from albert_zh.masking.recipe import MaskingRecipe, ngram_lengths, span_lengths
from albert_zh.masking.unit_lengths import UnitLengths
from albert_zh.masking.units import choose_units, cut_into_units

CLS, SEP = 2, 3
RECIPE = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=77,
    mask_id=4,
    special_ids=frozenset((CLS, SEP)),
    random_ids=(5, 6, 7),
)
UNIT_LENGTHS = {
    "words": (1.0,),
    "n-grams": ngram_lengths(3),
    "n-grams, longer ones preferred": ngram_lengths(3, favor_shorter=False),
    "spans": span_lengths(),
}
# Exceeded by one of a thousand samples that are drawn as asked: 0, 1, ... degrees of freedom.
CHI_SQUARE = [0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88]
WORD_SHARES = (0.55, 0.38, 0.05, 0.02)  # words of 1, 2, 3, 4 tokens


@functools.cache
def texts(length):
    """Starts of words `[B, L] bool` of texts of two segments, with the position of the first [SEP].

    At 128 tokens 3,000 texts, at 512 a quarter of them.
    """
    rng, rows = random.Random(1), []
    for _ in range(3_000 * 128 // length):
        middle = rng.randint(length // 4, 3 * length // 4)
        starts = [False] * length
        for position in (0, middle, length - 1):
            starts[position] = True
        for begin, end in ((1, middle), (middle + 1, length - 1)):
            while begin < end:
                starts[begin] = True
                begin += rng.choices((1, 2, 3, 4), WORD_SHARES)[0]
        rows.append((tuple(starts), middle))
    return rows


def token_ids(starts, middle):
    special = {0: CLS, middle: SEP, len(starts) - 1: SEP}
    return tuple(special.get(position, 9) for position in range(len(starts)))


def chosen_one_by_one(length, recipe):
    """Ranges of the chosen units, text by text."""
    rng, budget = random.Random(2), recipe.budget(length)
    return [
        choose_units(cut_into_units(token_ids(*text), text[0], budget, recipe, rng), budget, rng)
        for text in texts(length)
    ]


def chosen_in_a_batch(length, recipe):
    words = tf.constant([starts for starts, _ in texts(length)])
    ids = tf.constant([token_ids(*text) for text in texts(length)])
    budget = tf.fill([len(words)], recipe.budget(length))
    units = unit_starts(words, ids == 9, budget, recipe, tf.constant([3, 4]))
    chosen = choose_in_batch(Groups(units), ids == 9, budget, tf.constant([5, 6]), most=77)
    return [
        [(begin, end) for begin, end in pairwise([*np.flatnonzero(begins), length]) if is_in[begin]]
        for begins, is_in in zip(units.numpy(), chosen.numpy(), strict=True)
    ]


@functools.cache
def chosen(form, length, name):
    return form(length, replace(RECIPE, unit_lengths=UNIT_LENGTHS[name]))


both_forms = pytest.mark.parametrize("form", [chosen_one_by_one, chosen_in_a_batch])
both_lengths = pytest.mark.parametrize("length", [128, 512])
all_units = pytest.mark.parametrize("name", list(UNIT_LENGTHS))


@both_forms
@both_lengths
@all_units
def test_units_have_the_lengths_asked_for(form, length, name):
    counts = Counter(
        sum(starts[begin:end])
        for (starts, _), units in zip(texts(length), chosen(form, length, name), strict=True)
        for begin, end in units
    )
    asked, total = UNIT_LENGTHS[name], counts.total()
    assert total > 9_000
    assert max(counts) <= len(asked)
    deviation = sum(
        (counts[words] - total * share) ** 2 / (total * share)
        for words, share in enumerate(asked, 1)
    )
    assert deviation <= CHI_SQUARE[len(asked) - 1]


@both_forms
@both_lengths
@all_units
def test_the_budget_is_used_and_never_exceeded(form, length, name):
    budget = RECIPE.budget(length)
    used = [sum(end - begin for begin, end in units) for units in chosen(form, length, name)]
    assert max(used) == budget
    assert sum(used) / len(used) > 0.995 * budget


@both_forms
@both_lengths
@all_units
def test_words_of_all_lengths_and_at_all_places_are_masked_equally_often(form, length, name):
    """Short or long, at either end of a segment or inside."""
    words, masked = Counter(), Counter()
    for (starts, middle), units in zip(texts(length), chosen(form, length, name), strict=True):
        positions = {position for unit in units for position in range(*unit)}
        begins = np.flatnonzero(starts)
        for begin, end in pairwise([*begins, length]):
            kinds = [f"{end - begin} tokens"]
            kinds += ["at the front"] if begin in (1, middle + 1) else []
            kinds += ["at the back"] if end in (middle, length - 1) else []
            if begin not in (0, middle, length - 1):
                words.update(kinds)
                masked.update(kinds if begin in positions else [])
    everywhere = sum(len(range(*unit)) for units in chosen(form, length, name) for unit in units)
    everywhere /= len(texts(length)) * (length - 3)
    for kind, count in words.items():
        spread = (everywhere * (1 - everywhere) / count) ** 0.5
        # Spans, of which few fit the budget of 128 tokens, miss long words by a tenth.
        assert masked[kind] / count == pytest.approx(everywhere, abs=0.016 + 3 * spread), kind


@both_lengths
@all_units
def test_both_forms_choose_as_many_units(length, name):
    one_by_one, in_a_batch = (
        sum(map(len, chosen(form, length, name))) for form in (chosen_one_by_one, chosen_in_a_batch)
    )
    assert one_by_one == pytest.approx(in_a_batch, rel=0.02)


def test_run_is_filled_exactly_with_the_lengths_asked_for():
    """By the tables alone, without a draw."""
    asked = span_lengths()
    tables, words = UnitLengths.of(asked), 40
    expected = np.zeros(len(asked))
    left = {words: 1.0}  # words left of the run: probability that a unit starts there
    for rest in range(words, 0, -1):
        row = (tables.first if rest == words else tables.later)[rest]
        shares = np.diff([0.0, *row, 1.0]) * left.get(rest, 0.0)
        expected += shares
        for size, share in enumerate(shares, 1):
            if share:
                left[rest - size] = left.get(rest - size, 0.0) + share
    assert left[0] == pytest.approx(1)
    assert expected / expected.sum() == pytest.approx(asked, abs=1e-3)


def test_run_that_the_lengths_cannot_fill_gets_one_shorter_unit():
    pairs = replace(RECIPE, unit_lengths=(0.0, 1.0))
    text = (CLS, *[9] * 7, SEP)
    places = Counter()
    for seed in range(400):
        units = cut_into_units(text, [True] * 9, 4, pairs, random.Random(seed))
        sizes = [end - begin for begin, end in units]
        assert sorted(sizes) == [1, 2, 2, 2]
        places[sizes.index(1)] += 1
    assert sorted(places) == [0, 1, 2, 3]


def test_unit_that_exceeds_the_budget_is_shortened_and_not_left_out():
    triples = replace(RECIPE, unit_lengths=(0.0, 0.0, 1.0))
    text = (CLS, *[9] * 12, SEP)
    starts = [True, *[True, False] * 6, True]
    for seed in range(20):
        units = cut_into_units(text, starts, 4, triples, random.Random(seed))
        assert {end - begin for begin, end in units} <= {2, 4}
        assert len(choose_units(units, 4, random.Random(seed))) in (1, 2)
