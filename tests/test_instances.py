"""Instances: their layout, where their randomness comes from, and what is counted."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.documents import Document, Sentence
from albert_zh.corpus.instances import Instance, InstanceRecipe, harvest, make_instance
from albert_zh.corpus.masking import MaskingRecipe
from albert_zh.corpus.pairs import SegmentPair

CLS, SEP, MASK = 2, 3, 4
RECIPE = InstanceRecipe(
    max_seq_length=32,
    short_seq_prob=0.1,
    dupe_factor=3,
    random_seed=7,
    cls_id=CLS,
    sep_id=SEP,
    masking=MaskingRecipe(
        masked_lm_prob=0.15,
        max_predictions_per_seq=5,
        whole_words=True,
        mask_id=MASK,
        special_ids=frozenset((CLS, SEP)),
        random_ids=(5, 6),
    ),
)


def document_of(*sizes):
    """A document of sentences of the given lengths, words of two tokens, all tokens different."""
    sentences, next_id = [], 100
    for size in sizes:
        token_ids = tuple(range(next_id, next_id + size))
        sentences.append(Sentence(token_ids, tuple(index % 2 == 0 for index in range(size))))
        next_id += size
    return Document(tuple(sentences))


def answers(instance):
    """The tokens before masking."""
    tokens = list(instance.token_ids)
    for position, label in zip(instance.masked_positions, instance.masked_labels, strict=True):
        tokens[position] = label
    return tokens


def test_instance_is_laid_out_as_published():
    pair = SegmentPair(
        Sentence((11, 12), (True, True)), Sentence((13, 14, 15), (True, False, True)), swapped=True
    )
    recipe = replace(RECIPE, masking=replace(RECIPE.masking, masked_lm_prob=0.25))
    instance = make_instance(pair, recipe=recipe, rng=random.Random(3))
    assert answers(instance) == [CLS, 11, 12, SEP, 13, 14, 15, SEP]
    assert instance.segment_ids == (0, 0, 0, 0, 1, 1, 1, 1)
    assert instance.swapped is True
    assert len(instance.masked_positions) == 2


def test_no_word_reaches_across_a_separator():
    """Also where a cut word leaves its second half at the front of a segment."""
    pair = SegmentPair(
        Sentence((11, 12), (True, False)), Sentence((13, 14), (False, True)), swapped=False
    )
    recipe = replace(RECIPE, masking=replace(RECIPE.masking, masked_lm_prob=0.25))
    masked = {
        make_instance(pair, recipe=recipe, rng=random.Random(seed)).masked_positions
        for seed in range(200)
    }
    assert masked == {(1, 2), (4, 5)}


sizes = st.lists(st.integers(1, 50), min_size=1, max_size=10)


@given(sizes, st.integers(0, 2**40), st.integers(8, 64))
def test_instances_are_well_formed(sizes, seed, length):
    recipe = replace(RECIPE, random_seed=seed, max_seq_length=length)
    for instance in harvest(document_of(*sizes), number=0, recipe=recipe).instances:
        tokens = answers(instance)
        assert 5 <= len(tokens) <= length
        assert (tokens[0], tokens[-1], tokens.count(SEP)) == (CLS, SEP, 2)
        middle = tokens.index(SEP)
        assert instance.segment_ids == (0,) * (middle + 1) + (1,) * (len(tokens) - middle - 1)
        assert instance.swapped == (tokens[1] > tokens[middle + 1])
        assert 1 <= len(instance.masked_labels) <= 5


@given(sizes)
def test_every_token_is_used_or_counted(sizes):
    document = document_of(*sizes)
    result = harvest(document, number=0, recipe=RECIPE)
    used = sum(len(instance.token_ids) - 3 for instance in result.instances)
    unused = result.counts["tokens_cut"] + result.counts["tokens_left_over"]
    assert used + unused == RECIPE.dupe_factor * document.num_tokens


def test_counts_are_those_of_the_instances():
    result = harvest(document_of(9, 9, 9, 9, 9), number=0, recipe=RECIPE)
    assert result.counts["instances"] == len(result.instances)
    assert result.counts["swapped"] == sum(instance.swapped for instance in result.instances)
    assert result.counts["masked_tokens"] == sum(
        len(instance.masked_labels) for instance in result.instances
    )


def test_document_of_one_sentence_is_used_and_one_of_one_word_is_counted():
    recipe = replace(RECIPE, short_seq_prob=0.0)
    assert len(harvest(document_of(10), number=0, recipe=recipe).instances) == recipe.dupe_factor
    result = harvest(document_of(2), number=0, recipe=recipe)
    assert result.instances == []
    assert result.counts["tokens_left_over"] == 2 * recipe.dupe_factor


def test_short_documents_are_used_completely():
    result = harvest(document_of(8, 8, 8), number=0, recipe=replace(RECIPE, short_seq_prob=0.0))
    assert [len(instance.token_ids) for instance in result.instances] == [27, 27, 27]


def test_instances_depend_on_seed_document_and_pass_alone():
    document = document_of(9, 9, 9)
    first = harvest(document, number=0, recipe=RECIPE).instances
    assert harvest(document, number=0, recipe=RECIPE).instances == first
    assert harvest(document, number=1, recipe=RECIPE).instances != first
    assert harvest(document, number=0, recipe=replace(RECIPE, random_seed=8)).instances != first
    one_pass = harvest(document, number=0, recipe=replace(RECIPE, dupe_factor=1)).instances
    assert one_pass == first[: len(one_pass)]
    assert len(set(first)) == len(first)


def test_recorded_instance_stays_what_it_is():
    """Whoever changes the random choices changes everybody's records: let it be on purpose."""
    masking = replace(RECIPE.masking, masked_lm_prob=0.35)
    recipe = replace(RECIPE, dupe_factor=1, masking=masking)
    (instance,) = harvest(document_of(6, 5), number=0, recipe=recipe).instances
    assert instance == Instance(
        token_ids=(2, 106, 107, 108, 109, 4, 3, 100, 101, 4, 4, 4, 4, 3),
        segment_ids=(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1),
        masked_positions=(5, 9, 10, 11, 12),
        masked_labels=(110, 102, 103, 104, 105),
        swapped=True,
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("max_seq_length", 7, "max_seq_length must be at least 8, got 7"),
        ("short_seq_prob", 1.5, "short_seq_prob must be 0 to 1, got 1.5"),
        ("dupe_factor", 0, "dupe_factor must be at least 1, got 0"),
    ],
)
def test_impossible_recipe_is_an_error(field, value, message):
    with pytest.raises(ValueError, match=message):
        replace(RECIPE, **{field: value})
