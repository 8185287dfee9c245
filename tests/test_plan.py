"""Flags of data creation become a plan, or one clear error."""

import pytest
import small
from absl.flags import FlagValues

from albert_zh.corpus.instances import Pairing
from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.options import DataOptions
from albert_zh.creation.plan import make_plan
from albert_zh.flags import parse_flags
from albert_zh.masking.options import MaskingOptions
from albert_zh.masking.recipe import ngram_lengths, span_lengths


@pytest.fixture
def plan(tmp_path):
    vocab_file = small.write_vocabulary(tmp_path)

    def make(masking=None, /, **options):
        given = {"input_file": "a", "output_file": "b", "vocab_file": vocab_file} | options
        return make_plan(DataOptions(**given), ReadingOptions(), masking or MaskingOptions())

    return make


@pytest.mark.parametrize(
    ("options", "by_words", "unit_lengths"),
    [
        ({}, False, (1.0,)),
        ({"do_whole_word_mask": True}, True, (1.0,)),
        ({"masking": "token", "do_whole_word_mask": False}, False, (1.0,)),
        ({"masking": "word"}, True, (1.0,)),
        ({"masking": "ngram"}, True, ngram_lengths(3)),
        ({"masking": "span"}, True, span_lengths()),
    ],
)
def test_masking_follows_its_flags(plan, options, by_words, unit_lengths):
    masking = plan(**options).maker.recipe.masking
    assert (masking.by_words, masking.unit_lengths) == (by_words, unit_lengths)


def test_ngrams_may_be_longer_or_prefer_length(plan):
    masking = MaskingOptions(ngram=2, favor_shorter_ngram=False)
    found = plan(masking, masking="ngram").maker.recipe.masking.unit_lengths
    assert found == ngram_lengths(2, favor_shorter=False)


@pytest.mark.parametrize(
    ("length", "share", "given", "predictions"),
    [(128, 0.15, None, 20), (512, 0.1, None, 52), (512, 0.15, 76, 76), (64, 0.25, None, 16)],
)
def test_number_of_predictions_is_derived_unless_given(plan, length, share, given, predictions):
    made = plan(
        MaskingOptions(masked_lm_prob=share), max_seq_length=length, max_predictions_per_seq=given
    )
    assert made.maker.layout.max_predictions_per_seq == predictions
    assert made.maker.recipe.masking.max_predictions_per_seq == predictions


def test_permutation_doubles_the_places_of_a_record(plan):
    made = plan(do_permutation=True, max_predictions_per_seq=20)
    assert made.maker.layout.max_predictions_per_seq == 40
    assert made.record_set.recipe["max_predictions_per_seq"] == 40
    assert made.maker.recipe.masking.max_predictions_per_seq == 20


def test_dynamic_records_are_not_masked(plan):
    made = plan(masking="dynamic")
    assert made.maker.recipe.masking is None
    assert not made.maker.layout.masked


@pytest.mark.parametrize(
    ("options", "pairing"),
    [
        ({}, Pairing.SENTENCE_ORDER),
        ({"random_next_sentence": True}, Pairing.NEXT_SENTENCE),
        ({"full_sentences": True}, Pairing.NONE),
    ],
)
def test_pairs_follow_their_flags(plan, options, pairing):
    assert plan(**options).maker.recipe.pairing is pairing


@pytest.mark.parametrize(
    ("options", "segmenter"),
    [({}, "jieba"), ({"non_chinese": True}, "none"), ({"segmenter": "spaces"}, "spaces")],
)
def test_segmenter_follows_its_flags(plan, options, segmenter):
    assert plan(**options).maker.tools.segmenter_name == segmenter


def test_hashed_labels_need_a_vocabulary_that_has_them(plan):
    with pytest.raises(ValueError, match="## pieces"):
        plan(MaskingOptions(continuation_labels="hashed"))


def test_recipe_holds_the_content_of_small_files_not_their_names(plan, tmp_path):
    (tmp_path / "words.txt").write_text("今天 5\n", encoding="utf-8")
    recipe = plan(user_dict=str(tmp_path / "words.txt")).record_set.recipe
    assert len(recipe["user_dict_sha256"]) == 64
    assert not {"user_dict", "input_file", "output_file", "vocab_file", "num_workers"} & {*recipe}


@pytest.mark.parametrize(
    ("options", "masking", "message"),
    [
        ({"random_next_sentence": True, "full_sentences": True}, {}, "has no second segment"),
        ({"non_chinese": True, "segmenter": "jieba"}, {}, "means --segmenter=none, not jieba"),
        ({"masking": "dynamic"}, {"ngram": 2}, "give --ngram there"),
        ({"masking": "dynamic", "do_whole_word_mask": True}, {}, "give --do_whole_word_mask there"),
        ({"masking": "dynamic", "do_permutation": True}, {}, "give --do_permutation there"),
        ({"masking": "dynamic", "max_predictions_per_seq": 9}, {}, "--max_predictions_per_seq"),
        ({"masking": "word"}, {"ngram": 2}, "--ngram is for --masking=ngram"),
        ({"masking": "token", "do_whole_word_mask": True}, {}, "--masking=token"),
    ],
)
def test_flags_that_contradict_each_other_are_errors(plan, options, masking, message):
    with pytest.raises(ValueError, match=message):
        plan(MaskingOptions(**masking), **options)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--ngram=3"], "--ngram is for --masking=ngram, not token; leave it out or give"),
        (["--favor_shorter_ngram=True"], "--favor_shorter_ngram is for --masking=ngram"),
        (["--masking=dynamic", "--masked_lm_prob=0.15"], "give --masked_lm_prob there"),
        (["--masking=word", "--do_whole_word_mask=False"], "leave out --do_whole_word_mask=False"),
    ],
)
def test_flag_without_effect_is_an_error_even_with_its_default(tmp_path, flags, message):
    vocab_file = small.write_vocabulary(tmp_path)
    arguments = ["script", "--input_file=a", "--output_file=b", f"--vocab_file={vocab_file}"]
    options = parse_flags(
        [*arguments, *flags],
        DataOptions,
        ReadingOptions,
        MaskingOptions,
        flag_values=FlagValues(),
    )
    with pytest.raises(ValueError, match=message):
        make_plan(*options)
