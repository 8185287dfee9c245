"""Where a paragraph is cut into sentences, and that nothing is lost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_zh.words.sentences import LONGEST_KEPT, split_sentences


def check(*sentences, text=None):
    """The sentences are found in the text that they make up together."""
    assert split_sentences(text or "".join(sentences)) == list(sentences)


@pytest.mark.parametrize("text", ["", " ", "\u3000\n"])
def test_blank_text_has_no_sentences(text):
    assert split_sentences(text) == []


def test_text_without_an_end_is_one_sentence():
    check("第一章", text="\u3000第一章 ")


def test_chinese_marks_end_sentences():
    check("他来了。", "你呢？", "我也是！！", "真的？！", "好｡", "我……", "嗯")


def test_commas_colons_and_semicolons_end_none():
    check("春天来了，花开了；夏天呢：不远了、不远了…再见。")


def test_spaces_between_sentences_belong_to_none():
    check("他来了。", "你呢?", "好.", "OK", text=" 他来了。 你呢?\u3000好. OK")


def test_sentence_goes_on_where_a_comma_follows():
    check("“好！”，他说，“走吧！”、“走……”，都是他。", "对！：不对。")


def test_closing_marks_stay_with_their_sentence():
    check("”好。”", "他走了。）", "“（走。）”", "【走。】」", "好。’”")


@pytest.mark.parametrize("marks", ["“”", "‘’", "「」", "『』", '""', "''"])
def test_speech_is_kept_together_and_ends_with_its_end(marks):
    opening, closing = marks
    check(f"{opening}你好。我走了。{closing}", "他说。")
    check(f"他走了：{opening}好！{closing}", f"{opening}走！{closing}", "她说。")


@pytest.mark.parametrize(
    "text",
    [
        "他问“为什么？”就走了。",
        "你知道「我爱你。」的意思吗？",
        "《你好吗？》是一部电影。",
        "他（真的吗？！）走了。",
        "“他说‘好！’就走了。走了。”",
        "a(b?)c",
    ],
)
def test_what_is_quoted_within_a_sentence_does_not_end_it(text):
    check(text)


def test_quotation_that_was_left_open_is_cut_inside():
    check("“你好。", "我走了。", "他说。")
    check("“" + "很" * LONGEST_KEPT + "。", "我走了。”", "他说。")


def test_longest_quotation_that_is_kept():
    speech = "“走。" + "很" * (LONGEST_KEPT - 4) + "。”"
    check(speech, "他说。")
    check("“走。", "很" * (LONGEST_KEPT - 3) + "。”", "他说。")


def test_straight_quotes_open_and_close_in_turn():
    check(
        "他走了。",
        '"你好。我走了。"',
        "她说。",
        '"再见!"',
        "他走了.",
        text=('他走了。"你好。我走了。"她说。"再见!" 他走了.'),
    )


def test_apostrophe_quotes_nothing():
    check("It's OK.", "He isn't.", text="It's OK. He isn't.")


@pytest.mark.parametrize(
    "text",
    [
        "3.5版的Node.js和index.html。",
        "1. 苹果 2. 香蕉",
        "J. Smith在U.S. 出生",
        "Tom said hi. he left",
        "a.b",
        "等...等",
        "http://a.cn/b?c=1&d=2",
        "a != b",
        "Yahoo!Japan和PHP!go",
    ],
)
def test_marks_inside_numbers_names_and_addresses_end_nothing(text):
    check(text)


def test_full_stop_before_white_space_ends_a_sentence():
    check(
        "He left.",
        "She (too).",
        "他走了.",
        "等...",
        "好",
        text=("He left. She (too). 他走了. 等... 好"),
    )


@given(st.text(st.sampled_from("他aA1。！?.…，“”‘’\"'「」（）()《》 \u3000\n\ud800"), max_size=60))
@settings(max_examples=1000)
def test_nothing_but_white_space_between_sentences_is_lost(text):
    place = 0
    for sentence in split_sentences(text):
        assert sentence == sentence.strip() != ""
        found = text.index(sentence, place)
        assert not text[place:found].strip()
        place = found + len(sentence)
    assert not text[place:].strip()


@pytest.mark.parametrize(
    "text", ["“", "“。", "。”", '"', "'", "(?)", "！ ", "a.", ".", "“。”", "…", "？（", " ", "a. "]
)
def test_time_grows_with_the_length_whatever_the_text(text):
    started = time.process_time()
    split_sentences(text * 200_000)
    assert time.process_time() - started < 5  # Squared, it would take hours.
