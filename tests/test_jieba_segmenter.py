"""The words are those of the package jieba, on any text and with any words added."""

import os
import subprocess
import sys

import jieba
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from albert_zh.words.jieba_segmenter import JiebaSegmenter, jieba_dictionary, jieba_tokenizer

# Words, single characters, names and unknown characters of the dictionary; written words; signs.
PARTS = [
    *("研究生命", "中华人民共和国", "起源", "的", "和服务", "小明", "网易杭研", "韩玉赏鉴"),
    *("他", "了", "一", "不", "龘", "鿔", "㐂", "𠮷", "々", "T恤", "AA制", "B超", "c#", "C++"),
    *("iPhone14", "3.5%", "3.", ".5", "%", "v1.2.3", "a-b_c&d", "++", "..", "１２", "²"),
    *(
        " ",
        "\u3000",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\x1c",
        "\u2028",
        "。",
        "“",
        "…",
        "é",
        "가",
        "\ud800",
    ),
]
texts = st.lists(st.sampled_from(PARTS) | st.characters(), max_size=12).map("".join)
chinese = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD6), max_size=12)
ADDED = [("小明同学", None), ("研究生命", 5), ("的和", 10**6), ("网易杭研", 1), ("c#的", None)]


@pytest.fixture(scope="module")
def package():
    return jieba_tokenizer()


@pytest.fixture(scope="module")
def segmenter():
    return JiebaSegmenter()


@pytest.fixture(scope="module")
def with_added_words():
    package = jieba_tokenizer()
    for word, count in ADDED:
        package.add_word(word, count)
    return package, JiebaSegmenter(ADDED)


def words(package, text):
    return [(start, end) for _, start, end in package.tokenize(text)]


@given(texts | chinese)
@settings(max_examples=500)
@example("他来到了网易杭研大厦")
@example("３.٣3.٣%")
@example("")
def test_words_are_those_of_the_package(package, segmenter, text):
    assert segmenter(text) == words(package, text)


@given(texts)
@settings(max_examples=300)
def test_words_with_some_added_are_those_of_the_package(with_added_words, text):
    package, segmenter = with_added_words
    assert segmenter(text) == words(package, text)


def test_words_of_real_text_are_those_of_the_package(package, segmenter, test_data_dir):
    with open(test_data_dir / "corpus" / "valid.txt", encoding="utf-8") as file:
        for line in file.readlines()[:1500]:
            assert segmenter(line) == words(package, line)


def test_long_text_is_segmented(segmenter):
    text = "中" * 100_000
    spans = segmenter(text)
    assert (spans[0][0], spans[-1][1]) == (0, len(text))


def test_words_added_to_the_package_change_nothing_here(segmenter):
    text = "小明同学研究生命"
    before = segmenter(text)
    jieba.finalseg.add_force_split("研究")
    try:
        assert segmenter(text) == before
    finally:
        jieba.finalseg.Force_Split_Words.clear()


def test_added_words_stay_in_their_segmenter(with_added_words, segmenter):
    text = "小明同学"
    _, added = with_added_words
    assert added(text) == [(0, 4)]
    assert segmenter(text) != [(0, 4)]


def test_dictionary_gives_words_with_their_counts():
    counts = dict(jieba_dictionary())
    assert len(counts) > 300_000
    assert counts["中国"] > counts["中华人民共和国"] > 0


PROGRAM = "from albert_zh.words.segmenters import jieba_words; print(jieba_words('我们'))"


def run_python(*arguments, temporary):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )


def test_jieba_prints_nothing_and_leaves_no_file(tmp_path):
    done = run_python("-W", "always", "-c", PROGRAM, temporary=tmp_path)
    assert (done.stdout, done.stderr) == ("[(0, 2)]\n", "")
    assert list(tmp_path.iterdir()) == []


def test_foreign_cache_file_is_not_read(tmp_path):
    (tmp_path / "jieba.cache").write_bytes(b"i\x00\x00\x00\x00")  # marshal of 0
    done = run_python("-c", PROGRAM, temporary=tmp_path)
    assert done.stdout == "[(0, 2)]\n"
    assert (tmp_path / "jieba.cache").read_bytes() == b"i\x00\x00\x00\x00"
