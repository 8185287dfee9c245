"""Instances: their layout, where their randomness comes from, and what is counted."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.documents import Document, Sentence
from albert_zh.corpus.instances import Instance, InstanceRecipe, Pairing, lay_out, make_instances
from albert_zh.corpus.pairs import SegmentPair
from albert_zh.masking.instances import mask_words
from albert_zh.masking.recipe import MaskingRecipe, ReplacePer

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


def test_pair_is_laid_out_as_published():
    pair = SegmentPair(
        Sentence((11, 12), (True, True)), Sentence((13, 14, 15), (True, False, True)), swapped=True
    )
    assert lay_out(pair, cls_id=CLS, sep_id=SEP) == Instance(
        token_ids=(CLS, 11, 12, SEP, 13, 14, 15, SEP),
        segment_ids=(0, 0, 0, 0, 1, 1, 1, 1),
        starts=(True, True, True, True, True, False, True, True),
        masked_positions=(),
        masked_labels=(),
        swapped=True,
    )


def test_single_segment_has_one_separator_and_segment_0():
    instance = lay_out(
        SegmentPair(Sentence((11, 12), (True, False)), None, swapped=True), cls_id=CLS, sep_id=SEP
    )
    assert instance.token_ids == (CLS, 11, 12, SEP)
    assert instance.segment_ids == (0, 0, 0, 0)
    assert instance.starts == (True, True, False, True)


def test_no_word_reaches_across_a_separator():
    """Also where a cut word leaves its second half at the front of a segment."""
    pair = SegmentPair(
        Sentence((11, 12), (True, False)), Sentence((13, 14), (False, True)), swapped=False
    )
    instance = lay_out(pair, cls_id=CLS, sep_id=SEP)
    assert instance.starts == (True, True, False, True, True, True, True)


sizes = st.lists(st.integers(1, 50), min_size=1, max_size=10)


@given(sizes, st.integers(0, 2**40), st.integers(8, 64))
def test_instances_are_well_formed(sizes, seed, length):
    recipe = replace(RECIPE, random_seed=seed, max_seq_length=length)
    for instance in make_instances(document_of(*sizes), number=0, recipe=recipe).instances:
        tokens = answers(instance)
        assert (tokens[0], tokens[-1]) == (CLS, SEP)
        if tokens.count(SEP) == 1:  # a sentence alone
            assert 5 <= len(tokens) < length
            assert (set(instance.segment_ids), instance.swapped) == ({0}, False)
            continue
        assert 5 <= len(tokens) <= length
        assert tokens.count(SEP) == 2
        middle = tokens.index(SEP)
        assert instance.segment_ids == (0,) * (middle + 1) + (1,) * (len(tokens) - middle - 1)
        assert instance.swapped == (tokens[1] > tokens[middle + 1])
        assert len(instance.starts) == len(tokens)
        assert 1 <= len(instance.masked_labels) <= 5


@given(sizes)
def test_every_token_is_used_or_counted(sizes):
    document = document_of(*sizes)
    result = make_instances(document, number=0, recipe=RECIPE)
    used = sum(len(answers(each)) - 1 - answers(each).count(SEP) for each in result.instances)
    unused = result.counts["tokens_cut"] + result.counts["tokens_left_over"]
    assert used + unused == RECIPE.dupe_factor * document.num_tokens


@given(sizes, sizes)
def test_every_token_of_next_sentences_is_used_or_counted(sizes, other_sizes):
    document, others = document_of(*sizes), [document_of(*other_sizes)]
    recipe = replace(RECIPE, pairing=Pairing.NEXT_SENTENCE)
    result = make_instances(document, number=0, recipe=recipe, others=others)
    used = sum(len(instance.token_ids) - 3 for instance in result.instances)
    unused = result.counts["tokens_cut"] + result.counts["tokens_left_over"]
    available = RECIPE.dupe_factor * document.num_tokens + result.counts["tokens_borrowed"]
    assert used + unused == available


@given(sizes, st.integers(8, 64))
def test_single_segments_use_every_token(sizes, length):
    document = document_of(*sizes)
    recipe = replace(RECIPE, pairing=Pairing.NONE, max_seq_length=length, dupe_factor=1)
    result = make_instances(document, number=0, recipe=recipe)
    used = []
    for instance in result.instances:
        tokens = answers(instance)
        assert len(tokens) <= length
        assert (tokens[0], tokens[-1], tokens.count(SEP)) == (CLS, SEP, 1)
        assert set(instance.segment_ids) == {0}
        assert instance.swapped
        used += tokens[1:-1]
    assert used == list(range(100, 100 + document.num_tokens))


def test_single_segment_can_fill_the_instance():
    recipe = replace(RECIPE, pairing=Pairing.NONE, short_seq_prob=0.0, dupe_factor=1)
    result = make_instances(document_of(20, 10, 100), number=0, recipe=recipe)
    assert [len(instance.token_ids) for instance in result.instances] == [32, 32, 32, 32, 12]


def test_counts_are_those_of_the_instances():
    result = make_instances(document_of(9, 9, 9, 9, 9), number=0, recipe=RECIPE)
    assert result.counts["instances"] == len(result.instances)
    assert result.counts["swapped"] == sum(instance.swapped for instance in result.instances)
    assert result.counts["masked_tokens"] == sum(
        len(instance.masked_labels) for instance in result.instances
    )


def test_document_of_one_sentence_is_used_and_one_of_one_word_is_counted():
    recipe = replace(RECIPE, short_seq_prob=0.0)
    assert (
        len(make_instances(document_of(10), number=0, recipe=recipe).instances)
        == recipe.dupe_factor
    )
    result = make_instances(document_of(2), number=0, recipe=recipe)
    assert result.instances == []
    assert result.counts["tokens_left_over"] == 2 * recipe.dupe_factor


def test_short_documents_are_used_completely():
    result = make_instances(
        document_of(8, 8, 8), number=0, recipe=replace(RECIPE, short_seq_prob=0.0)
    )
    assert [len(instance.token_ids) for instance in result.instances] == [27, 27, 27]


def test_instances_depend_on_seed_document_and_pass_alone():
    document = document_of(9, 9, 9)
    first = make_instances(document, number=0, recipe=RECIPE).instances
    assert make_instances(document, number=0, recipe=RECIPE).instances == first
    assert make_instances(document, number=1, recipe=RECIPE).instances != first
    assert (
        make_instances(document, number=0, recipe=replace(RECIPE, random_seed=8)).instances != first
    )
    one_pass = make_instances(document, number=0, recipe=replace(RECIPE, dupe_factor=1)).instances
    assert one_pass == first[: len(one_pass)]
    assert len(set(first)) == len(first)


def test_random_next_sentences_are_taken_from_others_that_have_text():
    others = [Document(()), Document((Sentence((5_000, 5_001), (True, True)),)), Document(())]
    recipe = replace(RECIPE, pairing=Pairing.NEXT_SENTENCE, dupe_factor=20)
    result = make_instances(document_of(9, 9, 9), number=0, recipe=recipe, others=others)
    seconds = {
        (instance.swapped, answers(instance)[instance.segment_ids.index(1)])
        for instance in result.instances
    }
    assert {first for swapped, first in seconds if swapped} == {5_000}
    assert all(first < 5_000 for swapped, first in seconds if not swapped)
    assert result.counts["tokens_borrowed"] == 2 * result.counts["swapped"]


def test_next_sentences_of_a_lonely_document_are_counted():
    recipe = replace(RECIPE, pairing=Pairing.NEXT_SENTENCE, dupe_factor=20)
    result = make_instances(document_of(9, 9, 9), number=0, recipe=recipe)
    assert result.counts["swapped"] == 0
    assert 0 < result.counts["without_other_document"] < len(result.instances)


def test_other_documents_matter_to_next_sentences_alone():
    document, others = document_of(9, 9, 9), [document_of(4, 4)]
    for pairing in (Pairing.SENTENCE_ORDER, Pairing.NONE):
        recipe = replace(RECIPE, pairing=pairing)
        alone = make_instances(document, number=0, recipe=recipe)
        assert make_instances(document, number=0, recipe=recipe, others=others) == alone


@pytest.mark.parametrize("pairing", list(Pairing))
def test_instances_without_masking_show_the_text(pairing):
    document = document_of(9, 9, 9)
    recipe = replace(RECIPE, pairing=pairing, masking=None, dupe_factor=1)
    result = make_instances(document, number=0, recipe=recipe, others=[document_of(8)])
    assert result.counts["masked_tokens"] == 0
    for instance in result.instances:
        assert MASK not in instance.token_ids
        assert (instance.masked_positions, instance.masked_labels) == ((), ())


@pytest.mark.parametrize("pairing", list(Pairing))
def test_starts_are_those_that_masking_goes_by(pairing):
    """So that records of unmasked instances can be masked later as well."""
    document = document_of(9, 9, 9)
    plain = make_instances(
        document, number=0, recipe=replace(RECIPE, pairing=pairing, masking=None, dupe_factor=1)
    ).instances[0]
    masked = make_instances(document, number=0, recipe=replace(RECIPE, pairing=pairing)).instances[
        0
    ]
    assert (plain.starts, plain.token_ids) == (masked.starts, tuple(answers(masked)))
    assert all(
        start
        for start, token in zip(plain.starts, plain.token_ids, strict=True)
        if token in (CLS, SEP)
    )
    words = replace(RECIPE.masking, max_predictions_per_seq=2, masked_lm_prob=0.1)
    begin, end = mask_words(plain.token_ids, plain.starts, words, random.Random(1)).positions
    assert (plain.starts[begin], plain.starts[end]) == (True, False)


def test_words_without_similar_ones_are_counted():
    masking = replace(RECIPE.masking, similar={(0,): ((1,),)}, replace_per=ReplacePer.WORD)
    document = document_of(*[9] * 20)
    result = make_instances(document, number=0, recipe=replace(RECIPE, masking=masking))
    changed = sum(
        any(instance.token_ids[position] != label for position, label in pairs)
        for instance in result.instances
        if (pairs := list(zip(instance.masked_positions, instance.masked_labels, strict=True)))
    )
    assert result.counts["without_similar"] >= changed > 0
    assert "without_similar" not in make_instances(document, number=0, recipe=RECIPE).counts


def test_recorded_instance_stays_what_it_is():
    """Whoever changes the random choices changes everybody's records: let it be on purpose."""
    masking = replace(RECIPE.masking, masked_lm_prob=0.35)
    recipe = replace(RECIPE, dupe_factor=1, masking=masking)
    (instance,) = make_instances(document_of(6, 5), number=0, recipe=recipe).instances
    assert instance == Instance(
        token_ids=(2, 106, 107, 4, 4, 4, 3, 4, 4, 102, 103, 104, 105, 3),
        segment_ids=(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1),
        starts=tuple(mark == "T" for mark in "TTFTFTTTFTFTFT"),
        masked_positions=(3, 4, 5, 7, 8),
        masked_labels=(108, 109, 110, 100, 101),
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
