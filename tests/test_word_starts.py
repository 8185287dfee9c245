"""Which tokens begin a word."""

import json

import pytest

from albert_zh.text.encoding import Encoding
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer
from albert_zh.words.segmenters import jieba_words
from albert_zh.words.word_starts import word_starts

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
DROPPED = {0x200B: None, 0xAD: None}  # zero-width space, soft hyphen
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def tokenizer_of(text):
    """One entry a Chinese character or sign, and all letters."""
    signs = dict.fromkeys(sign for sign in text.lower() if sign.strip() and sign not in LETTERS)
    return WordPieceTokenizer(Vocab((*SPECIAL, *LETTERS, *(f"##{x}" for x in LETTERS), *signs)))


def masked_units(text):
    """The text cut where whole-word masking may cut it."""
    encoding = tokenizer_of(text).encode(text)
    starts = word_starts(encoding, jieba_words(text), text)
    units = []
    for (start, end), begins in zip(encoding.spans, starts, strict=True):
        if begins:
            units.append(text[start:end])
        else:
            units[-1] += text[start:end]
    return [unit.translate(DROPPED) for unit in units]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("技术培训专家", ["技术培训", "专家"]),
        ("中华人民共和国成立了", ["中华人民共和国", "成立", "了"]),
        ("研究生命，研究生", ["研究", "生命", "，", "研究生"]),
        ("这件T恤AA制", ["这件", "T恤", "AA制"]),
        ("我用iPhone14拍", ["我用", "iPhone14", "拍"]),
        ("2019年，iPhone 14", ["2019", "年", "，", "iPhone", "14"]),
        ("iPho\u200bne\u00ad14", ["iPhone14"]),
        ("他说：“好……”", ["他", "说", "：", "“", "好", "…", "…", "”"]),
    ],
)
def test_words_are_masked_whole(text, units):
    assert masked_units(text) == units


def test_word_counts_only_where_it_stands():
    text = "和服务的和服"
    words = [text[start:end] for start, end in jieba_words(text)]
    assert words == ["和", "服务", "的", "和服"]
    assert masked_units(text) == words


def starts(text, tokens, spans, words):
    return word_starts(Encoding(list(range(len(tokens))), tokens, spans), words, text)


def test_no_tokens_have_no_starts():
    assert starts(" ", [], [], [(0, 1)]) == []


def test_continuation_belongs_to_its_word_whatever_the_segmenter_says():
    assert starts(
        "ab c", ["a", "##b", "c"], [(0, 1), (1, 2), (3, 4)], [(0, 1), (1, 2), (2, 3), (3, 4)]
    ) == [True, False, True]


def test_word_without_chinese_joins_nothing():
    assert starts("a-b", ["a", "-", "b"], [(0, 1), (1, 2), (2, 3)], [(0, 3)]) == [True] * 3


def test_dropped_characters_inside_a_word_do_not_split_it():
    assert starts("中\u200b国", ["中", "国"], [(0, 1), (2, 3)], [(0, 3)]) == [True, False]


def test_pieces_without_marks_are_joined_inside_a_written_word():
    text = "un seen, 我们"
    tokens = ["▁un", "▁se", "en", ",", "▁", "我", "们"]
    spans = [(0, 2), (3, 5), (5, 7), (7, 8), (9, 9), (9, 10), (10, 11)]
    words = [(0, 2), (2, 3), (3, 7), (7, 8), (8, 9), (9, 11)]
    assert starts(text, tokens, spans, words) == [True, True, False, True, True, False, False]


def test_piece_across_two_words_joins_both():
    assert starts("中国人民", ["中", "国人", "民"], [(0, 1), (1, 3), (3, 4)], [(0, 2), (2, 4)]) == [
        True,
        False,
        False,
    ]


def test_first_token_begins_a_word_even_inside_one():
    assert starts("中国", ["国"], [(1, 2)], [(0, 2)]) == [True]


def test_nearly_all_words_of_the_published_marks_are_words_here(golden_dir, test_data_dir):
    tokenizer = load_tokenizer(str(test_data_dir / "vocab" / "bert_zh_vocab.txt"))
    rows = json.loads((golden_dir / "marker" / "jieba_marker.json").read_text())
    published, shared, equal, total = 0, 0, 0, 0
    for row in rows:
        encoding = tokenizer.encode(row["text"])
        assert encoding.tokens == row["tokens"]
        ours = word_starts(encoding, jieba_words(row["text"]), row["text"])
        theirs = [not mark.startswith("##") for mark in row["marked"]]
        published += len(groups(theirs))
        shared += len(groups(theirs) & groups(ours))
        equal += sum(a == b for a, b in zip(ours, theirs, strict=True))
        total += len(ours)
    assert shared / published > 0.98
    assert equal / total > 0.93


def groups(starts):
    """First and last token of every word of several tokens."""
    firsts = [index for index, begins in enumerate(starts) if begins]
    lasts = [index - 1 for index in [*firsts[1:], len(starts)]]
    return {pair for pair in zip(firsts, lasts, strict=True) if pair[0] < pair[1]}
