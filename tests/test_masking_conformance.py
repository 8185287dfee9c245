"""One table of claims about masking, for the form of instances and the form of batches alike.

A form turns texts, given as (token ids, word starts), into what the model reads and predicts. Some
claims hold of every text and recipe, and are checked on many random ones. Others are shares of many
draws. At last both forms are compared with each other, draw by draw of the same text.
"""

import functools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.masking.batches import BatchMasking
from albert_zh.masking.instances import mask_words
from albert_zh.masking.recipe import MaskingRecipe, ReplacePer, ngram_lengths, span_lengths

CLS, SEP, MASK = 2, 3, 4
RANDOM_IDS = (5, 6, 7)
WORDS = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    mask_id=MASK,
    special_ids=frozenset((CLS, SEP)),
    random_ids=RANDOM_IDS,
)
PAIRS = replace(WORDS, unit_lengths=(0.0, 1.0))
UNIT_LENGTHS = {
    "words": (1.0,),
    "n-grams": ngram_lengths(3),
    "spans": span_lengths(),
    "pairs alone": (0.0, 1.0),
}
# Some words of `text_of` have similar ones; all others have none.
SIMILAR = {
    **{(token,): ((1000,), (1001,)) for token in range(100, 400, 2)},
    **{(token, token + 1): ((1002, 1003),) for token in range(100, 400, 3)},
}
HASHED = {token: token + 10_000 for token in range(100, 700)}


@dataclass(frozen=True)
class Masked:
    """The tokens that the model reads, and position -> label of those it predicts."""

    tokens: list[int]
    labels: dict[int, int]


def as_instances(texts, recipe, *, seed=1):
    """Mask the texts one by one, as data creation does."""
    rng = random.Random(seed)
    results = [mask_words(*text, recipe, rng) for text in texts]
    for result in results:
        assert list(result.positions) == sorted(set(result.positions))
    return [
        Masked(list(each.token_ids), dict(zip(each.positions, each.labels, strict=True)))
        for each in results
    ]


def as_batch(texts, recipe, *, seed=1):
    """Mask the texts as one padded batch, as training does."""
    length = max(len(token_ids) for token_ids, _ in texts) + 3

    def padded(rows):
        return tf.constant([[*map(int, row), *[0] * (length - len(row))] for row in rows])

    batch = {
        "input_ids": padded(token_ids for token_ids, _ in texts),
        "input_mask": padded([1] * len(token_ids) for token_ids, _ in texts),
        "token_boundary": padded(starts for _, starts in texts),
    }
    result = BatchMasking(recipe)(batch, tf.constant([seed, 2]))
    result = {name: value.numpy() for name, value in result.items()}
    return [
        _row({name: value[row] for name, value in result.items()}, len(token_ids))
        for row, (token_ids, _) in enumerate(texts)
    ]


def _row(result, length):
    weights, tokens = result["masked_lm_weights"], result["input_ids"].tolist()
    count = int(weights.sum())
    assert weights.tolist() == [1.0] * count + [0.0] * (len(weights) - count)
    positions, labels = result["masked_lm_positions"], result["masked_lm_ids"]
    assert not positions[count:].any()
    assert not labels[count:].any()
    assert positions[:count].tolist() == sorted(set(positions[:count].tolist()))
    assert not any(tokens[length:]), "padding stays"
    return Masked(
        tokens[:length], dict(zip(positions[:count].tolist(), labels[:count].tolist(), strict=True))
    )


both_forms = pytest.mark.parametrize("mask", [as_instances, as_batch])


def text_of(*segments):
    """[CLS] segment [SEP] segment [SEP] of words of the given sizes, every text token different."""
    token_ids, starts, next_id = [CLS], [True], 100
    for words in segments:
        for size in words:
            token_ids += range(next_id, next_id + size)
            starts += [True] + [False] * (size - 1)
            next_id += size
        token_ids.append(SEP)
        starts.append(True)
    return tuple(token_ids), tuple(starts)


def words_of(text):
    """Ranges of the words of both segments."""
    token_ids, starts = text
    begins = [position for position, is_start in enumerate(starts) if is_start]
    words = [range(begin, end) for begin, end in pairwise([*begins, len(starts)])]
    return [word for word in words if token_ids[word.start] not in (CLS, SEP)]


def outcome(positions, text, masked):
    """The fate of the tokens at the positions, which are all to be predicted."""
    tokens = [masked.tokens[position] for position in positions]
    if tokens == [text[0][position] for position in positions]:
        return "same"
    if tokens == [MASK] * len(tokens):
        return "mask"
    return "random" if set(tokens) <= set(RANDOM_IDS) else "mixed"


# Claims that hold of every text and recipe.


def special_tokens_are_never_masked(text, masked, recipe):
    assert not {CLS, SEP} & {text[0][position] for position in masked.labels}


def other_tokens_stay(text, masked, recipe):
    assert len(masked.tokens) == len(text[0])
    assert all(
        token == original or position in masked.labels
        for position, (token, original) in enumerate(zip(masked.tokens, text[0], strict=True))
    )


def labels_are_the_tokens_or_hashed_in_later_tokens_of_words_of_two_or_three(text, masked, recipe):
    hashed = {}
    if recipe.continuation_ids:
        short = [word for word in words_of(text) if len(word) in (2, 3)]
        hashed = {position: HASHED[text[0][position]] for word in short for position in word[1:]}
    assert masked.labels == {
        position: hashed.get(position, text[0][position]) for position in masked.labels
    }


def words_are_masked_whole_or_not_at_all(text, masked, recipe):
    for word in words_of(text):
        if recipe.by_words and len(word) <= recipe.max_predictions_per_seq:
            assert len(masked.labels.keys() & set(word)) in (0, len(word))


def budget_holds_and_something_is_masked(text, masked, recipe):
    budget = round(len(text[0]) * recipe.masked_lm_prob)
    budget = min(recipe.max_predictions_per_seq, max(1, budget))
    if recipe.by_words:  # the shortest word is masked even if it exceeds the budget
        shortest = min(map(len, words_of(text)))
        budget = max(budget, min(shortest, recipe.max_predictions_per_seq))
    assert 1 <= len(masked.labels) <= budget * (2 if recipe.permute else 1)


def single_tokens_use_up_the_budget(text, masked, recipe):
    if not (recipe.by_words or recipe.permute) and recipe.unit_lengths == (1.0,):
        budget = max(1, round(len(text[0]) * recipe.masked_lm_prob))
        wanted = min(recipe.max_predictions_per_seq, budget, len(text[0]) - 3)
        assert len(masked.labels) == wanted


def masked_tokens_are_mask_themselves_or_random_ids(text, masked, recipe):
    if not (recipe.similar or recipe.permute):
        for position in masked.labels:
            assert masked.tokens[position] in {MASK, text[0][position], *RANDOM_IDS}


def covered(words, masked, recipe):
    """The words that are masked whole; those that exceed all predictions have fallen apart."""
    return [
        word
        for word in words
        if len(word) <= recipe.max_predictions_per_seq and masked.labels.keys() >= set(word)
    ]


def one_draw_per_word_gives_all_its_tokens_one_fate(text, masked, recipe):
    is_shared = recipe.by_words and recipe.replace_per is not ReplacePer.TOKEN
    if is_shared and not (recipe.similar or recipe.permute):
        words = covered(words_of(text), masked, recipe)
        assert "mixed" not in {outcome(word, text, masked) for word in words}


def similar_words_are_from_the_table_and_never_mask(text, masked, recipe):
    if not recipe.similar:
        return
    assert MASK not in masked.tokens
    if not recipe.by_words or recipe.permute:
        return
    for word in covered(words_of(text), masked, recipe):
        original = tuple(text[0][position] for position in word)
        tokens = tuple(masked.tokens[position] for position in word)
        assert tokens in (original, *SIMILAR.get(original, ())) or set(tokens) <= set(RANDOM_IDS)


CLAIMS = [
    special_tokens_are_never_masked,
    other_tokens_stay,
    labels_are_the_tokens_or_hashed_in_later_tokens_of_words_of_two_or_three,
    words_are_masked_whole_or_not_at_all,
    budget_holds_and_something_is_masked,
    single_tokens_use_up_the_budget,
    masked_tokens_are_mask_themselves_or_random_ids,
    one_draw_per_word_gives_all_its_tokens_one_fate,
    similar_words_are_from_the_table_and_never_mask,
]


def random_text(rng):
    def segment():
        return [rng.randint(1, 6) for _ in range(rng.choice([1, 2, rng.randint(1, 40)]))]

    return text_of(segment(), segment())


def random_recipe(rng, *, permute=False):
    """Any way of masking that both forms know, often with extreme numbers."""
    similar = rng.choice([None, SIMILAR])
    groups = [ReplacePer.WORD, ReplacePer.UNIT] if similar else list(ReplacePer)
    return replace(
        WORDS,
        masked_lm_prob=rng.choice([0.01, 0.99, rng.uniform(0.01, 0.99)]),
        max_predictions_per_seq=rng.choice([1, 2, 40, rng.randint(1, 40)]),
        by_words=rng.random() < 0.6,
        unit_lengths=rng.choice(list(UNIT_LENGTHS.values())),
        replace_per=rng.choice(groups),
        similar=similar,
        continuation_ids=rng.choice([None, HASHED]),
        permute=permute,
    )


@functools.cache
def cases(mask: Callable):
    """Texts, what became of them, and the recipe: 80 recipes, each on 25 texts."""
    rng, found = random.Random(5), []
    for seed in range(80):
        texts = [random_text(rng) for _ in range(25)]
        # Only instances can be permuted.
        recipe = random_recipe(rng, permute=mask is as_instances and seed % 2 == 1)
        found += [
            (text, masked, recipe)
            for text, masked in zip(texts, mask(texts, recipe, seed=seed), strict=True)
        ]
    return found


@both_forms
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_of_every_text_and_recipe(mask, claim):
    for case in cases(mask):
        claim(*case)


@both_forms
def test_seed_decides_alone(mask):
    rng = random.Random(6)
    texts = [random_text(rng) for _ in range(20)]
    for _ in range(4):
        recipe = replace(random_recipe(rng), masked_lm_prob=0.3, max_predictions_per_seq=20)
        one, same, other = (mask(texts, recipe, seed=seed) for seed in (1, 1, 2))
        assert one == same != other


@both_forms
def test_equal_texts_are_masked_differently(mask):
    results = mask([text_of((1, 2, 1, 1, 3, 2) * 2, (4, 1, 1, 2, 2, 1) * 2)] * 50, WORDS)
    assert len({str(masked.labels) for masked in results}) > 40


@both_forms
def test_hashed_labels_change_nothing_that_the_model_reads(mask):
    rng = random.Random(8)
    texts = [random_text(rng) for _ in range(10)]
    for seed in range(8):
        recipe = random_recipe(rng)
        plain, hashed = (
            mask(texts, replace(recipe, continuation_ids=ids), seed=seed) for ids in (None, HASHED)
        )
        assert [each.tokens for each in plain] == [each.tokens for each in hashed]
        assert [[*each.labels] for each in plain] == [[*each.labels] for each in hashed]


@both_forms
def test_one_draw_per_unit_gives_all_its_tokens_one_fate(mask):
    recipe = replace(PAIRS, replace_per=ReplacePer.UNIT, max_predictions_per_seq=40)
    rng = random.Random(9)
    checked = 0
    for seed in range(4):
        # Long enough for a budget of any two words, or they would not be masked together.
        texts = [
            text_of([rng.randint(1, 3) for _ in range(rng.randint(10, 20))] * 2, (1,))
            for _ in range(50)
        ]
        for text, masked in zip(texts, mask(texts, recipe, seed=seed), strict=True):
            words = words_of(text)[:-1]
            for first, second in zip(words[::2], words[1::2], strict=True):
                unit = range(first.start, second.stop)
                if masked.labels.keys() >= set(unit):
                    assert outcome(unit, text, masked) != "mixed"
                    checked += 1
    assert checked > 200


# Shares of many draws.


def many(mask, recipe, *, words=(1,) * 60, times=2_000):
    text = text_of(words, words)
    return text, mask([text] * times, recipe)


def fates(text, results):
    """Fates of the masked tokens, one by one; a random token by its id."""
    return Counter(
        {"mask": "mask", "same": "same"}.get(
            outcome([position], text, masked), masked.tokens[position]
        )
        for masked in results
        for position in masked.labels
    )


@both_forms
def test_80_percent_become_mask_10_stay_10_are_random(mask):
    counts = fates(*many(mask, WORDS))
    total = sum(counts.values())
    assert total == 2_000 * round(123 * 0.15)
    assert counts["mask"] / total == pytest.approx(0.8, abs=0.01)
    assert counts["same"] / total == pytest.approx(0.1, abs=0.01)
    for token in RANDOM_IDS:
        assert counts[token] / total == pytest.approx(0.1 / 3, abs=0.005)


@both_forms
@pytest.mark.parametrize("replace_per", list(ReplacePer))
@pytest.mark.parametrize("lengths", list(UNIT_LENGTHS))
def test_80_10_10_are_the_shares_of_tokens_whatever_shares_a_draw(mask, lengths, replace_per):
    recipe = replace(WORDS, unit_lengths=UNIT_LENGTHS[lengths], replace_per=replace_per)
    counts = fates(*many(mask, recipe, words=(1, 2, 1, 3) * 8))
    total = sum(counts.values())
    assert counts["mask"] / total == pytest.approx(0.8, abs=0.015)
    assert counts["same"] / total == pytest.approx(0.1, abs=0.015)
    assert sum(map(counts.get, RANDOM_IDS)) / total == pytest.approx(0.1, abs=0.015)


@both_forms
@pytest.mark.parametrize("replace_per", [ReplacePer.WORD, ReplacePer.UNIT])
def test_80_percent_become_similar_words_or_random_ones_where_none_is_known(mask, replace_per):
    words = (2,) * 30
    text = text_of(words, words)
    known = {text[0][word.start] for word in words_of(text)[::2]}
    recipe = replace(
        PAIRS,
        replace_per=replace_per,
        similar={(token, token + 1): ((1000, 1001), (1002, 1003)) for token in known},
    )
    counts = Counter()
    for masked in many(mask, recipe, words=words)[1]:
        for word in covered(words_of(text), masked, recipe):
            is_similar = masked.tokens[word.start] >= 1000
            fate = "similar" if is_similar else outcome(word, text, masked)
            counts[text[0][word.start] in known, fate] += 1
    total = sum(counts.values())
    assert {fate: count / total for fate, count in counts.items()} == pytest.approx(
        {
            (True, "similar"): 0.4,
            (True, "random"): 0.05,
            (True, "same"): 0.05,
            (False, "random"): 0.45,
            (False, "same"): 0.05,
        },
        abs=0.015,
    )


@both_forms
def test_words_of_a_unit_share_a_draw_only_if_units_do(mask):
    both = {
        replace_per: Counter(
            (masked.tokens[1] == MASK, masked.tokens[2] == MASK)
            for masked in many(
                mask, replace(PAIRS, replace_per=replace_per, masked_lm_prob=0.4), words=(1, 1)
            )[1]
            if 1 in masked.labels
        )
        for replace_per in (ReplacePer.WORD, ReplacePer.UNIT)
    }
    assert set(both[ReplacePer.WORD]) == {(a, b) for a in (True, False) for b in (True, False)}
    assert set(both[ReplacePer.UNIT]) == {(True, True), (False, False)}


def runs(positions):
    """Lengths of runs without a gap.

    >>> runs([3, 4, 7])
    [2, 1]
    """
    gaps = [
        index for index in range(1, len(positions)) if positions[index] > positions[index - 1] + 1
    ]
    return [end - begin for begin, end in pairwise([0, *gaps, len(positions)])]


@both_forms
@pytest.mark.parametrize("lengths", ["n-grams", "spans", "pairs alone"])
def test_units_have_the_lengths_asked_for(mask, lengths):
    asked = UNIT_LENGTHS[lengths]
    recipe = replace(WORDS, unit_lengths=asked, masked_lm_prob=0.02, max_predictions_per_seq=1_000)
    # Few units of many: hardly any two of them touch.
    _, results = many(mask, recipe, words=(1,) * 2_500, times=100)
    counts = Counter(run for masked in results for run in runs([*masked.labels]))
    for size, share in enumerate(asked, 1):
        assert counts[size] / sum(counts.values()) == pytest.approx(share, abs=0.035)


@both_forms
def test_every_word_is_masked_equally_often(mask):
    counts = Counter(position for masked in many(mask, WORDS)[1] for position in masked.labels)
    assert len(counts) == 120
    assert all(count == pytest.approx(2_000 * 18 / 120, rel=0.3) for count in counts.values())


# Sets of positions that are ever masked together.


@both_forms
@pytest.mark.parametrize(
    ("changes", "words", "expected"),
    [
        # Units end at special tokens.
        (
            {"unit_lengths": (0.0, 0.0, 1.0), "masked_lm_prob": 0.4},
            [(1, 1), (1, 1)],
            {(1, 2), (4, 5)},
        ),
        # A unit that can never be masked falls apart into words.
        (
            {
                "unit_lengths": (0.0, 1.0),
                "masked_lm_prob": 0.5,
                "max_predictions_per_seq": 3,
            },
            [(2, 2), (2, 2)],
            {(1, 2), (3, 4), (6, 7), (8, 9)},
        ),
        # Where no unit fits, the shortest word is masked.
        (
            {"unit_lengths": (0.0, 0.0, 1.0), "masked_lm_prob": 0.01},
            [(3, 2, 3), (3, 2, 3)],
            {(4, 5)},
        ),
        ({"masked_lm_prob": 0.01}, [(3, 2), (4,)], {(4, 5)}),
        # A word that can never be masked falls apart into tokens.
        (
            {"max_predictions_per_seq": 1, "masked_lm_prob": 0.5},
            [(3,), (2,)],
            {(1,), (2,), (3,), (5,), (6,)},
        ),
        # Nothing is masked where there is no text.
        ({}, [(), ()], {()}),
    ],
)
def test_positions_are_masked_together(mask, changes, words, expected):
    results = mask([text_of(*words)] * 100, replace(WORDS, **changes))
    assert {tuple(masked.labels) for masked in results} == expected


@both_forms
@pytest.mark.parametrize("lengths", ["words", "n-grams", "spans"])
def test_idiom_of_four_characters_is_masked_whole(mask, lengths):
    recipe = replace(WORDS, unit_lengths=UNIT_LENGTHS[lengths], masked_lm_prob=0.25)
    idiom = {3, 4, 5, 6}
    _, results = many(mask, recipe, words=(1, 1, 4, 1, 1), times=500)
    assert {frozenset(idiom & masked.labels.keys()) for masked in results} == {
        frozenset(),
        frozenset(idiom),
    }


@both_forms
def test_idiom_is_left_alone_where_the_budget_is_smaller(mask):
    idiom = {3, 4, 5, 6}  # four do not fit into round(19 * 0.15) = 3
    _, results = many(mask, WORDS, words=(1, 1, 4, 1, 1), times=500)
    assert not any(idiom & masked.labels.keys() for masked in results)


@both_forms
def test_word_that_would_exceed_the_budget_is_passed_over(mask):
    text = text_of((3, 3, 3), (1, 3, 3))  # 19 tokens, a budget of 4
    results = mask([text] * 50, replace(WORDS, masked_lm_prob=0.2))
    assert {len(masked.labels) for masked in results} <= {3, 4}


@both_forms
def test_word_longer_than_max_predictions_falls_apart_into_tokens_with_draws_of_their_own(mask):
    recipe = replace(
        WORDS, masked_lm_prob=0.9, max_predictions_per_seq=4, replace_per=ReplacePer.WORD
    )
    results = mask([text_of((5,))] * 50, recipe)
    assert {len(masked.labels) for masked in results} == {4}
    assert {masked.tokens.count(MASK) for masked in results} >= {2, 3, 4}


@both_forms
def test_budget_is_rounded_as_python_rounds(mask):
    recipe = replace(WORDS, masked_lm_prob=0.5)
    results = mask([text_of([1] * size) for size in range(1, 20)], recipe)
    wanted = [min(size, round(0.5 * (size + 2))) for size in range(1, 20)]
    assert [len(masked.labels) for masked in results] == wanted


# The two forms side by side.

SAMPLES = 4000
# Two segments of words of 1 to 4 tokens, no token twice.
TEXT = text_of((1, 2, 1, 1, 3, 2), (4, 1, 1, 2, 2, 1))
FEW = replace(WORDS, masked_lm_prob=0.3, max_predictions_per_seq=7, random_ids=(8, 9))
FEW_SIMILAR = {
    (101, 102): ((1000, 1001), (1002, 1003)),
    (103,): ((1004,),),
    (110, 111, 112, 113): ((1008,) * 4,),
}
# Hashed labels of tokens that count as Chinese: not of 101, where a word starts.
FEW_HASHED = {token: token + 50 for token in range(100, 113) if token != 101}


def frequencies(results):
    """Shares of all samples with certain events, an array per kind of event."""
    length = len(TEXT[0])
    tokens = np.stack([masked.tokens for masked in results])
    chosen = np.array([[place in masked.labels for place in range(length)] for masked in results])
    kinds = np.stack(
        [
            chosen & (tokens == MASK),
            chosen & (tokens == TEXT[0]),
            chosen & np.isin(tokens, FEW.random_ids),
            chosen & (tokens >= 1000),
        ]
    ).astype(np.float32)
    return {
        "tokens of two kinds at two places": np.einsum("asi,bsj->abij", kinds, kinds)
        / len(results),
        "numbers of chosen tokens": np.bincount(chosen.sum(axis=1), minlength=length)
        / len(results),
        "similar words": np.stack([(tokens == other).mean(axis=0) for other in range(1000, 1012)]),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"by_words": False},
        {"unit_lengths": ngram_lengths(3)},
        {"unit_lengths": span_lengths(), "replace_per": ReplacePer.UNIT},
        {"unit_lengths": (0.0, 0.0, 0.0, 1.0)},
        {"unit_lengths": ngram_lengths(4), "max_predictions_per_seq": 3},
        {"unit_lengths": ngram_lengths(3), "replace_per": ReplacePer.WORD},
        {"max_predictions_per_seq": 2, "replace_per": ReplacePer.WORD},
        {"replace_per": ReplacePer.WORD, "similar": FEW_SIMILAR},
        {
            "unit_lengths": ngram_lengths(2),
            "replace_per": ReplacePer.UNIT,
            "similar": FEW_SIMILAR,
            "continuation_ids": FEW_HASHED,
        },
        {"by_words": False, "continuation_ids": FEW_HASHED, "masked_lm_prob": 0.1},
    ],
    ids=[
        "words",
        "tokens",
        "n-grams",
        "spans",
        "units of 4 words",
        "units that fall apart",
        "n-grams, a draw per word",
        "words that fall apart",
        "similar words",
        "similar words of n-grams",
        "hashed labels",
    ],
)
def test_both_forms_have_the_same_distribution(changes):
    recipe = replace(FEW, **changes)
    batch, instances = (mask([TEXT] * SAMPLES, recipe) for mask in (as_batch, as_instances))
    expected = frequencies(instances)
    for name, shares in frequencies(batch).items():
        # 4.5 standard deviations of the difference of two shares near 0.5, less for rare ones
        spread = np.sqrt((expected[name] * (1 - expected[name]) + 0.002) * 2 / SAMPLES)
        assert (np.abs(shares - expected[name]) <= 4.5 * spread).all(), name
    assert {label for masked in batch for label in masked.labels.items()} == {
        label for masked in instances for label in masked.labels.items()
    }
