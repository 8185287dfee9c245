"""Masking of instances alone: permutation, the count of words without similar ones, hashed labels.

The claims that hold of instances and batches alike are in `test_masking_conformance.py`.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.masking.instances import mask_words
from albert_zh.masking.recipe import (
    MaskingRecipe,
    ReplacePer,
    continuation_ids,
    ngram_lengths,
    span_lengths,
)
from albert_zh.text.vocab import Vocab

CLS, SEP, MASK = 2, 3, 4
WORDS = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    mask_id=MASK,
    special_ids=frozenset((CLS, SEP)),
    random_ids=(5, 6, 7),
)


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
seeds = st.integers(0, 2**32)

# Some words of `instance_of` have similar ones; all others have none.
SIMILAR = {
    **{(token,): ((1000,), (1001,)) for token in range(100, 400, 2)},
    **{(token, token + 1): ((1002, 1003),) for token in range(100, 400, 3)},
}


@st.composite
def recipes(draw):
    similar = draw(st.sampled_from([None, SIMILAR]))
    groups = [ReplacePer.WORD, ReplacePer.UNIT] if similar else list(ReplacePer)
    return replace(
        WORDS,
        masked_lm_prob=draw(st.floats(0.01, 0.99)),
        max_predictions_per_seq=draw(st.integers(1, 40)),
        by_words=draw(st.booleans()),
        unit_lengths=draw(st.sampled_from([(1.0,), (0.0, 1.0), ngram_lengths(3), span_lengths()])),
        replace_per=draw(st.sampled_from(groups)),
        similar=similar,
    )


@given(instances, recipes(), seeds)
def test_permutation_comes_on_top_and_keeps_the_tokens_it_moves(instance, recipe, seed):
    token_ids, starts = instance
    plain, permuted = (
        mask_words(token_ids, starts, replace(recipe, permute=permute), random.Random(seed))
        for permute in (False, True)
    )
    assert set(plain.positions) <= set(permuted.positions)
    assert all(permuted.token_ids[p] == plain.token_ids[p] for p in plain.positions)
    moved = set(permuted.positions) - set(plain.positions)
    assert len(moved) <= recipe.budget(len(token_ids))
    assert Counter(permuted.token_ids[p] for p in moved) == Counter(token_ids[p] for p in moved)


def test_permuted_tokens_change_places():
    recipe = replace(WORDS, permute=True, max_predictions_per_seq=3)
    token_ids, starts = instance_of((1,) * 10, (1,) * 10)
    masked = mask_words(token_ids, starts, recipe, random.Random(1))
    moved = {
        position: masked.token_ids[position]
        for position in masked.positions
        if masked.token_ids[position] not in (MASK, *WORDS.random_ids)
    }
    assert len(masked.positions) == 6
    assert sorted(moved.values()) == sorted(token_ids[position] for position in moved)
    assert any(token != token_ids[position] for position, token in moved.items())


@pytest.mark.parametrize("replace_per", [ReplacePer.WORD, ReplacePer.UNIT])
def test_words_without_similar_ones_are_counted(replace_per):
    token_ids, starts = instance_of((2,) * 30, (2,) * 30)
    recipe = replace(
        WORDS,
        unit_lengths=(0.0, 1.0),
        replace_per=replace_per,
        similar={(token, token + 1): ((1000, 1001),) for token in range(100, 220, 4)},
    )
    rng = random.Random(1)
    results = [mask_words(token_ids, starts, recipe, rng) for _ in range(2_000)]
    words = sum(len(masked.positions) // 2 for masked in results)
    # Of 80 % of the masked words, every second one has none.
    without = sum(masked.without_similar for masked in results)
    assert without / words == pytest.approx(0.4, abs=0.015)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["江南"], ["江", "##南"]),
        (["降血糖"], ["降", "##血", "##糖"]),
        (["中华人民"], ["中", "华", "人", "民"]),
        (["江", "南"], ["江", "南"]),
        (["t血"], ["t", "血"]),
        (["江t"], ["江", "t"]),
        (["江㐀"], ["江", "㐀"]),
    ],
    ids=["two", "three", "four stay plain", "two words", "Latin first", "Latin last", "no piece"],
)
def test_hashed_labels_are_those_of_the_published_script(words, expected):
    text = "".join(words)
    characters = list(dict.fromkeys([*text, "字"]))
    pieces = [f"##{character}" for character in characters if "\u4e00" <= character <= "\u9fa5"]
    vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *pieces))
    token_ids = [vocab.cls_id, *(vocab.ids[character] for character in text), vocab.sep_id]
    starts = [True, *(index == 0 for word in words for index in range(len(word))), True]
    recipe = replace(
        WORDS,
        by_words=False,  # marking follows the words whatever is masked
        masked_lm_prob=0.99,
        random_ids=(vocab.ids["字"],),
        continuation_ids=continuation_ids(vocab),
    )
    masked = mask_words(token_ids, starts, recipe, random.Random(1))
    assert [vocab.tokens[label] for label in masked.labels] == expected
