"""Masking: invariants on random input, and what the 80/10/10 rule gives."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.masking import MaskingRecipe, mask_words, replacement_ids
from albert_zh.text.vocab import Vocab

CLS, SEP, MASK = 2, 3, 4
WORDS = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    whole_words=True,
    mask_id=MASK,
    special_ids=frozenset((CLS, SEP)),
    random_ids=(5, 6, 7),
)
TOKENS = replace(WORDS, whole_words=False)


def instance_of(first, second):
    """[CLS] first [SEP] second [SEP] of words of the given lengths, every text token different."""
    token_ids, starts, next_id = [CLS], [True], 100
    for words in (first, second):
        for size in words:
            token_ids += range(next_id, next_id + size)
            starts += [True] + [False] * (size - 1)
            next_id += size
        token_ids.append(SEP)
        starts.append(True)
    return tuple(token_ids), tuple(starts)


segments = st.lists(st.integers(1, 6), min_size=1, max_size=40)
instances = st.builds(instance_of, segments, segments)
recipes = st.builds(
    MaskingRecipe,
    masked_lm_prob=st.floats(0.01, 0.99),
    max_predictions_per_seq=st.integers(6, 40),
    whole_words=st.booleans(),
    mask_id=st.just(MASK),
    special_ids=st.just(frozenset((CLS, SEP))),
    random_ids=st.just((5, 6, 7)),
)
seeds = st.integers()


@given(instances, recipes, seeds)
def test_labels_are_what_stood_at_the_positions(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert list(masked.positions) == sorted(set(masked.positions))
    assert masked.labels == tuple(token_ids[position] for position in masked.positions)
    restored = dict(zip(masked.positions, masked.labels, strict=True))
    assert token_ids == tuple(
        restored.get(position, token) for position, token in enumerate(masked.token_ids)
    )


@given(instances, recipes, seeds)
def test_special_tokens_are_never_masked(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert not {CLS, SEP} & set(masked.labels)


@given(instances, recipes, seeds)
def test_masked_tokens_are_mask_themselves_or_a_random_entry(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    for position, label in zip(masked.positions, masked.labels, strict=True):
        assert masked.token_ids[position] in {MASK, label, *recipe.random_ids}


def words_of(token_ids, starts):
    """Ranges of the words of both segments."""
    begins = [position for position, start in enumerate(starts) if start]
    words = [range(begin, end) for begin, end in pairwise([*begins, len(starts)])]
    return [word for word in words if token_ids[word.start] not in (CLS, SEP)]


@given(instances, recipes, seeds)
def test_words_are_masked_whole_or_not_at_all(instance, recipe, seed):
    token_ids, starts = instance
    recipe = replace(recipe, whole_words=True)
    masked = set(mask_words(token_ids, starts, recipe, random.Random(seed)).positions)
    for word in words_of(token_ids, starts):
        assert len(masked & set(word)) in (0, len(word))


@given(instances, recipes, seeds)
def test_budget_holds_and_something_is_masked(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    budget = max(1, round(len(token_ids) * recipe.masked_lm_prob))
    if recipe.whole_words:
        budget = max(budget, min(map(len, words_of(token_ids, starts))))
    assert 1 <= len(masked.positions) <= min(budget, recipe.max_predictions_per_seq)


@given(instances, recipes, seeds)
def test_single_tokens_use_up_the_budget(instance, recipe, seed):
    token_ids, starts = instance
    recipe = replace(recipe, whole_words=False)
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    budget = max(1, round(len(token_ids) * recipe.masked_lm_prob))
    expected = min(budget, recipe.max_predictions_per_seq, len(token_ids) - 3)
    assert len(masked.positions) == expected


@given(instances, recipes, st.integers(0, 2**32))
def test_equal_generators_mask_alike(instance, recipe, seed):
    one, other = (mask_words(*instance, recipe, random.Random(seed)) for _ in range(2))
    assert one == other


def many(recipe, *, words=(1,) * 60, times=2_000):
    instance = instance_of(words, words)
    rng = random.Random(1)
    return [(instance[0], mask_words(*instance, recipe, rng)) for _ in range(times)]


def test_80_percent_become_mask_10_stay_10_are_random():
    kinds = Counter()
    for _, masked in many(WORDS):
        for position, label in zip(masked.positions, masked.labels, strict=True):
            seen = masked.token_ids[position]
            kinds["mask" if seen == MASK else "same" if seen == label else seen] += 1
    total = sum(kinds.values())
    assert total == 2_000 * round(123 * 0.15)
    assert kinds["mask"] / total == pytest.approx(0.8, abs=0.01)
    assert kinds["same"] / total == pytest.approx(0.1, abs=0.01)
    for replacement in (5, 6, 7):
        assert kinds[replacement] / total == pytest.approx(0.1 / 3, abs=0.005)


def test_every_word_is_masked_equally_often():
    counts = Counter(position for _, masked in many(WORDS) for position in masked.positions)
    assert len(counts) == 120
    assert all(count == pytest.approx(2_000 * 18 / 120, rel=0.3) for count in counts.values())


def test_word_of_four_characters_is_masked_whole():
    masked = [set(masked.positions) for _, masked in many(WORDS, words=(1, 1, 4, 1, 1), times=500)]
    idiom = {3, 4, 5, 6}
    recipe = replace(WORDS, masked_lm_prob=0.25)
    found = [
        idiom & set(one.positions) for _, one in many(recipe, words=(1, 1, 4, 1, 1), times=500)
    ]
    assert {frozenset(one) for one in found} == {frozenset(), frozenset(idiom)}
    assert not any(idiom & one for one in masked)  # four do not fit into round(19 * 0.15) = 3


def test_word_that_would_exceed_the_budget_is_passed_over():
    recipe = replace(WORDS, masked_lm_prob=0.2)
    token_ids, starts = instance_of((3, 3, 3), (1, 3, 3))  # 19 tokens, a budget of 4
    for seed in range(50):
        masked = mask_words(token_ids, starts, recipe, random.Random(seed))
        assert len(masked.positions) in (3, 4)


def test_shortest_word_is_masked_when_none_fits():
    token_ids, starts = instance_of((3, 2), (4,))
    masked = mask_words(token_ids, starts, replace(WORDS, masked_lm_prob=0.01), random.Random(1))
    assert masked.positions == (4, 5)


def test_word_longer_than_max_predictions_falls_apart():
    token_ids, starts = instance_of((9,), (9,))
    recipe = replace(WORDS, max_predictions_per_seq=2, masked_lm_prob=0.5)
    masked = mask_words(token_ids, starts, recipe, random.Random(1))
    assert len(masked.positions) == 2


def test_nothing_is_masked_where_there_is_no_text():
    masked = mask_words((CLS, SEP, SEP), (True, True, True), WORDS, random.Random(1))
    assert masked.positions == ()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_share_outside_0_and_1_is_an_error(share):
    with pytest.raises(ValueError, match="masked_lm_prob must lie between 0 and 1"):
        replace(WORDS, masked_lm_prob=share)


def test_no_predictions_is_an_error():
    with pytest.raises(ValueError, match="max_predictions_per_seq must be at least 1, got 0"):
        replace(WORDS, max_predictions_per_seq=0)


def test_replacements_are_entries_that_text_can_contain():
    special = (
        "[PAD]",
        "[unused1]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "<S>",
        "<T>",
        "[unused99]",
    )
    never_in_text = ("", "##", "##字", "##㐀", "##\U00020bb7", "##，", "##!")
    text = ("字", "the", "##ing", "[", "<", ">", "##2", "##ー", "unused1", "a>")
    vocab = Vocab((*special, *never_in_text, *text))
    assert [vocab.tokens[index] for index in replacement_ids(vocab)] == list(text)
