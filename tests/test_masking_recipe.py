"""The recipe: impossible values are refused, and what a vocabulary gives to it."""

import pickle
import random
from dataclasses import replace

import pytest

from albert_zh.masking.instances import mask_words
from albert_zh.masking.recipe import (
    MaskingRecipe,
    ReplacePer,
    continuation_ids,
    ngram_lengths,
    replacement_ids,
    span_lengths,
)
from albert_zh.text.vocab import Vocab

RECIPE = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    mask_id=4,
    special_ids=frozenset((2, 3)),
    random_ids=(5, 6, 7),
)
SIMILAR = {(9,): ((10,), (11,)), (9, 10): ((11, 12),)}


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_share_outside_0_and_1_is_an_error(share):
    with pytest.raises(ValueError, match="masked_lm_prob must lie between 0 and 1"):
        replace(RECIPE, masked_lm_prob=share)


def test_no_predictions_is_an_error():
    with pytest.raises(ValueError, match="max_predictions_per_seq must be at least 1, got 0"):
        replace(RECIPE, max_predictions_per_seq=0)


@pytest.mark.parametrize("lengths", [(), (0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0)])
def test_unit_lengths_that_are_no_probabilities_are_an_error(lengths):
    with pytest.raises(ValueError, match="unit_lengths must be probabilities that add up to 1"):
        replace(RECIPE, unit_lengths=lengths)


def test_similar_words_for_single_tokens_are_an_error():
    with pytest.raises(ValueError, match="similar words replace words, not single tokens"):
        replace(RECIPE, similar=SIMILAR)


def test_vocabulary_without_replacements_is_an_error():
    with pytest.raises(ValueError, match="random_ids is empty"):
        replace(RECIPE, random_ids=())


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (lambda: ngram_lengths(0), "n-grams have at least 1 word, got 0"),
        (lambda: span_lengths(longest=0), "spans have at least 1 word, got 0"),
        (lambda: span_lengths(probability=0.0), "between 0 and 1, got 0.0"),
        (lambda: span_lengths(probability=1.0), "between 0 and 1, got 1.0"),
    ],
)
def test_impossible_lengths_are_an_error(lengths, message):
    with pytest.raises(ValueError, match=message):
        lengths()


@pytest.mark.parametrize("longest", [1, 2, 3, 10])
def test_ngram_lengths_are_in_proportion_to_1_over_n(longest):
    shares = ngram_lengths(longest)
    assert sum(shares) == pytest.approx(1)
    assert [share * words / shares[0] for words, share in enumerate(shares, 1)] == pytest.approx(
        [1] * longest
    )
    assert ngram_lengths(longest, favor_shorter=False) == shares[::-1]


def test_recipe_with_everything_in_it_can_be_sent_to_a_worker():
    recipe = replace(
        RECIPE,
        unit_lengths=(0.0, 1.0),
        replace_per=ReplacePer.UNIT,
        similar=SIMILAR,
        continuation_ids={9: 10},
    )
    mask_words((2, 9, 3), (True,) * 3, recipe, random.Random(1))
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_continuation_ids_are_those_of_the_published_range_that_have_a_piece():
    entries = [
        "一",
        "龥",
        "龦",
        "㐀",
        "字",
        "的",
        "##一",
        "##龥",
        "##龦",
        "##㐀",
        "##字",
        "t",
        "##t",
    ]
    vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *entries))
    pieces = continuation_ids(vocab)
    assert {vocab.tokens[one]: vocab.tokens[two] for one, two in pieces.items()} == {
        "一": "##一",
        "龥": "##龥",
        "字": "##字",
    }


def test_replacements_are_entries_that_text_can_contain():
    special = [
        "[PAD]",
        "[unused1]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "<S>",
        "<T>",
        "[unused99]",
        "[unused_1]",
        "[NUM]",
        "[BLANK]",
        "<eop>",
        "<num-1>",
    ]
    never_in_text = ("", "##", "##字", "##㐀", "##\U00020bb7", "##，", "##!")
    text = ("字", "the", "##ing", "[", "<", ">", "##2", "##ー", "unused1", "a>")
    vocab = Vocab((*special, *never_in_text, *text))
    assert [vocab.tokens[index] for index in replacement_ids(vocab)] == list(text)
