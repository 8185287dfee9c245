"""Masking in TensorFlow: the distribution of `mask_words`, and what always holds."""

import dataclasses
import random

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.masking.batches import DynamicMasking
from albert_zh.masking.instances import (
    MaskingRecipe,
    ReplacePer,
    mask_words,
    ngram_lengths,
    span_lengths,
)

CLS, SEP, MASK = 2, 3, 4
RANDOM_IDS = (8, 9)
RECIPE = MaskingRecipe(
    masked_lm_prob=0.3,
    max_predictions_per_seq=7,
    mask_id=MASK,
    special_ids=frozenset((CLS, SEP)),
    random_ids=RANDOM_IDS,
)
# Two segments of words of 1 to 4 tokens, no token twice.
WORD_SIZES = ((1, 2, 1, 1, 3, 2), (4, 1, 1, 2, 2, 1))
SAMPLES = 4000


def text_of(segments):
    """Token ids and word starts of `[CLS] segment [SEP] segment [SEP]`, from the sizes of words."""
    token_ids, starts = [CLS], [1]
    for sizes in segments:
        for size in sizes:
            token_ids += range(len(token_ids) + 10, len(token_ids) + 10 + size)
            starts += [1] + [0] * (size - 1)
        token_ids.append(SEP)
        starts.append(1)
    return token_ids, starts


TEXT, STARTS = text_of(WORD_SIZES)


def batch_of(texts, length):
    """The batch of texts given as (token ids, word starts)."""
    rows = [(ids, [1] * len(ids), starts) for ids, starts in texts]
    columns = zip(*rows, strict=True)
    return {
        name: tf.constant([values + [0] * (length - len(values)) for values in column])
        for name, column in zip(("input_ids", "input_mask", "token_boundary"), columns, strict=True)
    }


def masked_here(texts, recipe, *, length, seed=(1, 2)):
    """Per text what the model sees `[N]`, and position -> label."""
    batch = batch_of(texts, length)
    masked = DynamicMasking(recipe)(batch, tf.constant(seed))
    masked = {name: value.numpy() for name, value in masked.items()}
    found = []
    for row, weights in enumerate(masked["masked_lm_weights"]):
        count = int(weights.sum())
        assert weights.tolist() == [1.0] * count + [0.0] * (len(weights) - count)
        positions, labels = masked["masked_lm_positions"][row], masked["masked_lm_ids"][row]
        assert not positions[count:].any()
        assert not labels[count:].any()
        assert sorted(set(positions[:count].tolist())) == positions[:count].tolist()
        labels = dict(zip(positions[:count].tolist(), labels[:count].tolist(), strict=True))
        found.append((masked["input_ids"][row], labels))
    return found


def masked_there(recipe):
    rng = random.Random(1)
    results = (mask_words(TEXT, [*map(bool, STARTS)], recipe, rng) for _ in range(SAMPLES))
    return [
        (np.array(result.token_ids), dict(zip(result.positions, result.labels, strict=True)))
        for result in results
    ]


def frequencies(results):
    """How often, out of all samples, ...: each one an array of shares."""
    length = len(TEXT)
    seen = np.stack([tokens[:length] for tokens, _ in results])
    chosen = np.array([[place in labels for place in range(length)] for _, labels in results])
    kinds = np.stack(
        [
            chosen & (seen == MASK),
            chosen & (seen == TEXT),
            chosen & np.isin(seen, RANDOM_IDS),
            chosen & (seen >= 100),
        ]
    ).astype(np.float32)
    both = np.einsum("asi,bsj->abij", kinds, kinds) / len(results)
    sizes = np.bincount(chosen.sum(axis=1), minlength=length) / len(results)
    return {
        "tokens of two kinds at two places": both,
        "numbers of chosen tokens": sizes,
        "similar words": np.stack([(seen == other).mean(axis=0) for other in range(100, 112)]),
    }


SIMILAR = {(12, 13): ((100, 101), (102, 103)), (14,): ((104,),), (22, 23, 24, 25): ((108,) * 4,)}
# Labels as published, for tokens that count as Chinese: not for 12, where a word starts.
CONTINUATIONS = {token: token + 50 for token in range(11, 25) if token != 12}


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
        {"replace_per": ReplacePer.WORD, "similar": SIMILAR},
        {
            "unit_lengths": ngram_lengths(2),
            "replace_per": ReplacePer.UNIT,
            "similar": SIMILAR,
            "continuation_ids": CONTINUATIONS,
        },
        {"by_words": False, "continuation_ids": CONTINUATIONS, "masked_lm_prob": 0.1},
    ],
    ids=[
        "words",
        "tokens",
        "n-grams",
        "spans",
        "units of 4 words",
        "units that fall apart",
        "n-grams, lots per word",
        "words that fall apart",
        "similar words",
        "similar words of n-grams",
        "published labels",
    ],
)
def test_distribution_is_that_of_mask_words(changes):
    recipe = dataclasses.replace(RECIPE, **changes)
    here = masked_here([(TEXT, STARTS)] * SAMPLES, recipe, length=len(TEXT) + 3)
    there = masked_there(recipe)
    expected = frequencies(there)
    for name, shares in frequencies(here).items():
        # 4.5 standard deviations of the difference of two shares near 0.5, less for rare ones
        spread = np.sqrt((expected[name] * (1 - expected[name]) + 0.002) * 2 / SAMPLES)
        assert (np.abs(shares - expected[name]) <= 4.5 * spread).all(), name
    labels = [
        {label for _, found in results for label in found.items()} for results in (here, there)
    ]
    assert labels[0] == labels[1]


def words_of(starts):
    begins = [place for place, start in enumerate(starts) if start]
    return [
        range(begin, end) for begin, end in zip(begins, [*begins[1:], len(starts)], strict=True)
    ]


def test_words_stay_whole_and_everything_else_stays_as_it_was():
    rng = random.Random(3)
    texts = [
        text_of([[rng.randint(1, 4) for _ in range(rng.randint(1, 9))] for _ in range(2)])
        for _ in range(200)
    ]
    recipe = dataclasses.replace(RECIPE, unit_lengths=ngram_lengths(3))
    found = masked_here(texts, recipe, length=80)
    for (token_ids, starts), (seen, labels) in zip(texts, found, strict=True):
        budget = min(7, max(1, round(0.3 * len(token_ids))))
        assert 1 <= len(labels) <= budget
        assert all(label == token_ids[place] for place, label in labels.items())
        for word in words_of(starts):
            assert len({place in labels for place in word}) == 1
        for place, token in enumerate(token_ids):
            assert place in labels or seen[place] == token
            assert place not in labels or token not in (CLS, SEP)
        assert not seen[len(token_ids) :].any()


def test_budget_is_rounded_as_python_rounds():
    recipe = dataclasses.replace(RECIPE, masked_lm_prob=0.5, max_predictions_per_seq=20)
    texts = [text_of([[1] * size]) for size in range(1, 20)]
    found = masked_here(texts, recipe, length=30)
    wanted = [min(size, round(0.5 * (size + 2))) for size in range(1, 20)]
    assert [len(labels) for _, labels in found] == wanted


def test_shortest_word_is_masked_where_none_fits():
    recipe = dataclasses.replace(RECIPE, masked_lm_prob=0.01)
    found = masked_here([text_of([[3, 2], [4, 2]])] * 9, recipe, length=20)
    assert [[*labels] for _, labels in found] == [[4, 5]] * 9


def test_tokens_of_a_word_that_fell_apart_draw_apart_what_they_become():
    recipe = dataclasses.replace(
        RECIPE, masked_lm_prob=0.9, max_predictions_per_seq=4, replace_per=ReplacePer.WORD
    )
    found = masked_here([text_of([[5]])] * 50, recipe, length=7)
    assert all(len(labels) == 4 for _, labels in found)
    assert {(seen == MASK).sum() for seen, _ in found} >= {2, 3, 4}


def test_text_of_special_tokens_alone_has_nothing_masked():
    ((seen, labels),) = masked_here([([CLS, SEP], [1, 1])], RECIPE, length=4)
    assert seen.tolist() == [CLS, SEP, 0, 0]
    assert labels == {}


def test_seed_decides_alone():
    texts = [(TEXT, STARTS)] * 20
    one, same, other = (
        masked_here(texts, RECIPE, length=40, seed=seed) for seed in ((1, 2), (1, 2), (1, 3))
    )
    assert str(one) == str(same) != str(other)


def test_rows_of_a_batch_are_masked_apart():
    found = masked_here([(TEXT, STARTS)] * 50, RECIPE, length=40)
    assert len({str(labels) for _, labels in found}) > 25


def test_shapes_are_static():
    traced = tf.function(DynamicMasking(RECIPE), autograph=False)
    concrete = traced.get_concrete_function(
        {
            name: tf.TensorSpec([5, 40], tf.int32)
            for name in ("input_ids", "input_mask", "token_boundary")
        },
        tf.TensorSpec([2], tf.int64),
    )
    shapes = {name: spec.shape.as_list() for name, spec in concrete.structured_outputs.items()}
    assert shapes == {
        "input_ids": [5, 40],
        "masked_lm_positions": [5, 7],
        "masked_lm_ids": [5, 7],
        "masked_lm_weights": [5, 7],
    }


def test_permutation_is_refused():
    with pytest.raises(ValueError, match="tokens are permuted while records are written"):
        DynamicMasking(dataclasses.replace(RECIPE, permute=True))
