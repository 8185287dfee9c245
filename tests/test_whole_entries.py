"""Entries of the vocabulary that a text holds by name stay whole, on request."""

import pytest
import small

from albert_zh.corpus.options import ReadingOptions
from albert_zh.corpus.slices import CorpusSlice
from albert_zh.creation.options import DataOptions
from albert_zh.creation.plan import make_plan
from albert_zh.input.decoding import decode
from albert_zh.masking.options import MaskingOptions
from albert_zh.text.tokenizers import load_tokenizer

ENTRIES = [*small.VOCABULARY, "[", "]", "[NUM]", "[NUM]s", "num", "mask", "<x>"]


@pytest.fixture
def vocab_file(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(ENTRIES) + "\n", encoding="utf-8")
    return str(path)


def test_entries_stay_whole_with_the_places_of_the_text(vocab_file):
    encoding = load_tokenizer(vocab_file, whole_entries=["[NUM]", "[SEP]"]).encode(
        "今天[NUM]人[SEP][NUM] 雨[MASK]"
    )
    assert encoding.tokens == [*"今天", "[NUM]", "[UNK]", "[SEP]", "[NUM]", "雨", "[", "mask", "]"]
    assert encoding.ids == [ENTRIES.index(token) for token in encoding.tokens]
    assert encoding.spans[:4] == [(0, 1), (1, 2), (2, 7), (7, 8)]
    assert encoding.spans[4:] == [(8, 13), (13, 18), (19, 20), (20, 21), (21, 25), (25, 26)]


def test_names_are_plain_text_unless_they_are_kept_whole(vocab_file):
    assert load_tokenizer(vocab_file).encode("[NUM]").tokens == ["[", "num", "]"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [("[BLANK]", "has no entry .BLANK. to keep whole"), ("num", "only entries in brackets")],
)
def test_entry_that_cannot_be_kept_whole_is_an_error(vocab_file, entry, message):
    with pytest.raises(ValueError, match=message):
        load_tokenizer(vocab_file, whole_entries=[entry])


def instances(vocab_file, texts, *, whole_entries, **options):
    given = DataOptions(
        input_file="a",
        output_file="b",
        vocab_file=vocab_file,
        max_seq_length=32,
        do_whole_word_mask=True,
        whole_entries=whole_entries,
        **options,
    )
    plan = make_plan(given, ReadingOptions(), MaskingOptions(masked_lm_prob=0.5))
    records = plan.maker(CorpusSlice(0, 0, [texts])).records
    return [decode(record) for _, record in records], plan.record_set.recipe


@pytest.mark.parametrize("segmenter", ["jieba", "spaces", "none"])
def test_structural_entries_are_never_masked_and_others_are_words_of_their_own(
    vocab_file, segmenter
):
    texts = ["今天[NUM]很冷[MASK]吗[SEP]。", "今天有[NUM]雨[PAD]很热。"] * 2
    found, recipe = instances(
        vocab_file, texts, whole_entries="[NUM], [MASK],[SEP],[PAD]", segmenter=segmenter
    )
    assert recipe["whole_entries"] == "[NUM], [MASK],[SEP],[PAD]"
    labels = {label for each in found for label in each.masked_labels.tolist()}
    ids = {name: ENTRIES.index(name) for name in ("[NUM]", "[MASK]", "[SEP]", "[PAD]", "[CLS]")}
    assert ids["[NUM]"] in labels
    assert not labels & {ids[name] for name in ("[MASK]", "[SEP]", "[PAD]", "[CLS]")}


def test_recipe_of_records_without_whole_entries_is_that_of_older_records(vocab_file):
    _, recipe = instances(vocab_file, ["今天很冷。", "今天很热。"], whole_entries=None)
    assert not {"whole_entries", "drop_duplicates"} & {*recipe}


def test_text_of_nothing_but_structural_entries_makes_records_without_masks_or_none(vocab_file):
    found, _ = instances(vocab_file, ["[MASK]", "[SEP]"], whole_entries="[MASK],[SEP]")
    assert all(len(each.masked_labels) == 0 for each in found)
