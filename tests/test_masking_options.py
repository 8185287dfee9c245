"""The masking flags: which recipe they make, and which of them do not go together."""

import pytest

from albert_zh.masking.options import MASKINGS, MaskingOptions, masking_recipe
from albert_zh.masking.recipe import ReplacePer, ngram_lengths, span_lengths
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOKENIZER = WordPieceTokenizer(Vocab((*SPECIAL, *"好看美丽", "##看")))


def recipe_of(masking="word", **options):
    return masking_recipe(
        MaskingOptions(**options), TOKENIZER, masking=masking, max_predictions_per_seq=9
    )


@pytest.mark.parametrize(
    ("masking", "by_words", "unit_lengths"),
    [
        ("word", True, (1.0,)),
        ("token", False, (1.0,)),
        ("ngram", True, ngram_lengths(3)),
        ("span", True, span_lengths()),
    ],
)
def test_masking_says_what_is_masked_together(masking, by_words, unit_lengths):
    recipe = recipe_of(masking)
    assert (recipe.by_words, recipe.unit_lengths) == (by_words, unit_lengths)
    assert masking in MASKINGS


def test_vocabulary_gives_the_ids():
    recipe = recipe_of()
    assert recipe.mask_id == 4
    assert recipe.special_ids == {0, 2, 3, 4}
    assert recipe.random_ids == (5, 6, 7, 8)


def test_vocabulary_of_special_entries_alone_is_refused_by_its_flag():
    tokenizer = WordPieceTokenizer(Vocab(SPECIAL))
    with pytest.raises(ValueError, match=r"of --vocab_file has \d+ entries, none of which a text"):
        masking_recipe(MaskingOptions(), tokenizer, masking="word", max_predictions_per_seq=5)


def test_defaults_are_the_published_ones():
    recipe = recipe_of()
    assert recipe.masked_lm_prob == 0.15
    assert recipe.replace_per is ReplacePer.TOKEN
    assert recipe.similar is recipe.continuation_ids is None
    assert not recipe.permute


def test_longer_ngrams_can_be_preferred():
    recipe = recipe_of("ngram", ngram=2, favor_shorter_ngram=False)
    assert recipe.unit_lengths == pytest.approx((1 / 3, 2 / 3))


def test_hashed_labels_are_the_twins_of_chinese_characters():
    assert recipe_of(continuation_labels="hashed").continuation_ids == {6: 9}


def test_hashed_labels_need_twins_in_the_vocabulary():
    tokenizer = WordPieceTokenizer(Vocab((*SPECIAL, "好")))
    with pytest.raises(ValueError, match="needs a vocabulary with ## pieces"):
        masking_recipe(
            MaskingOptions(continuation_labels="hashed"),
            tokenizer,
            masking="word",
            max_predictions_per_seq=9,
        )


def test_table_of_similar_words_is_read(tmp_path):
    path = tmp_path / "similar.txt"
    path.write_text("好看 美丽 美\n", encoding="utf-8")
    recipe = recipe_of(similar_words=str(path))
    assert recipe.similar == {(5, 6): ((7, 8),)}
    assert recipe.replace_per is ReplacePer.WORD


@pytest.mark.parametrize("options", [{"ngram": 2}, {"favor_shorter_ngram": False}])
@pytest.mark.parametrize("masking", ["word", "span", "token"])
def test_ngram_flags_without_ngrams_are_an_error(masking, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"--{name} is for --masking=ngram, not {masking}"):
        recipe_of(masking, **options)


def test_ngrams_of_no_word_are_an_error():
    with pytest.raises(ValueError, match="at least 1 word, got 0"):
        recipe_of("ngram", ngram=0)
