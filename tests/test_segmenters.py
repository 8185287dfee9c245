"""Segmenters by name, words of the user, traditional script."""

import multiprocessing
import pathlib
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from albert_zh.words.names import SEGMENTERS
from albert_zh.words.segmenters import load_segmenter, simplified_characters

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE_OF = {"rjieba": "rjieba"}
WITH_DICTIONARY = ("jieba", "rjieba")


def load(name, **options):
    """The segmenter; a test that needs a package that is not there is skipped."""
    if name in PACKAGE_OF:
        pytest.importorskip(PACKAGE_OF[name])
    if options.get("traditional"):
        pytest.importorskip("opencc")
    return load_segmenter(name, **options)


def words(segmenter, text):
    return [text[start:end] for start, end in segmenter(text)]


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jieba", ["研究", "生命", "的", "起源", " ", "iPhone14"]),
        ("rjieba", ["研究", "生命", "的", "起源", " ", "iPhone14"]),
        ("spaces", ["研究生命的起源", " ", "iPhone14"]),
        ("none", [*"研究生命的起源 iPhone14"]),
    ],
)
def test_every_segmenter_has_its_words(name, expected):
    assert words(load(name), "研究生命的起源 iPhone14") == expected


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("name", SEGMENTERS)
def test_words_cover_any_text_without_gaps(name, traditional):
    segmenter = load(name, traditional=traditional)

    @given(st.text(st.characters() | st.sampled_from("研究生命學習漢語𠮷aB1.% \r\n\0\ud800😀")))
    @settings(max_examples=150)
    @example("")
    @example("\ud800中\udfff")
    @example("中國" * 50_000)
    @example(" " * 100_000)
    def check(text):
        spans = segmenter(text)
        assert "".join(text[start:end] for start, end in spans) == text
        assert all(start < end for start, end in spans)

    check()


def test_spans_of_rjieba_count_characters_beyond_the_first_plane():
    text = "😀研究𠮷生命"
    assert words(load("rjieba"), text) == ["😀", "研究", "𠮷", "生命"]


def test_rjieba_agrees_with_jieba_on_the_sample():
    jieba, rjieba = load("jieba"), load("rjieba")
    lines = (ROOT / "data" / "news_zh_1.txt").read_text(encoding="utf-8").split("\n")
    pairs = [(set(jieba(line)), set(rjieba(line))) for line in lines]
    shared = sum(len(ours & theirs) for ours, theirs in pairs)
    assert shared / sum(len(ours) for ours, _ in pairs) > 0.999
    assert shared / sum(len(theirs) for _, theirs in pairs) > 0.999


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_words_of_the_user_are_found_in_this_segmenter_only(name, tmp_path):
    dictionary = "\ufeff云边小馆 5 n\n\n李家村道\r\n海星号 n\n蓝莓派\t20\n"
    user_dict = write(tmp_path / "words.txt", dictionary)
    text = "云边小馆在李家村道，海星号卖蓝莓派"
    found = words(load(name, user_dict=user_dict), text)
    assert {"云边小馆", "李家村道", "海星号", "蓝莓派"} <= {*found}
    assert not {"云边小馆", "李家村道", "海星号", "蓝莓派"} & {*words(load(name), text)}


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_count_decides_between_a_word_of_the_user_and_others(name, tmp_path):
    rare = load(name, user_dict=write(tmp_path / "rare.txt", "生命的 1\n"))
    common = load(name, user_dict=write(tmp_path / "common.txt", "生命的 100000000\n"))
    assert words(rare, "生命的起源") == ["生命", "的", "起源"]
    assert words(common, "生命的起源") == ["生命的", "起源"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("云计算 -5", "'-5' is no count"),
        ("云计算 0 n", "'0' is no count"),
        ("云计算 3.5", "'3.5' is no count"),
        ("云计算 5 N", "'5' is no count"),
        ("云计算 1000000000000", "'1000000000000' is no count"),
    ],
)
@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_wrong_count_names_file_and_line(name, line, message, tmp_path):
    path = write(tmp_path / "words.txt", f"小明 3\n{line}\n")
    with pytest.raises(ValueError, match=f"words.txt, line 2: {message}"):
        load_segmenter(name, user_dict=path)


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_words_that_can_never_be_found_are_warned_of(name, tmp_path, caplog):
    lines = "云计算\n深度 学习 模型\n《三体》 9 nz\n[NUM]\nC++\n生命的 1\n"
    load_segmenter(name, user_dict=write(tmp_path / "words.txt", lines))
    (warning,) = caplog.messages
    assert "words.txt: 4 words are never found in a text" in warning
    assert warning.endswith("'深度 学习 模型', '《三体》', '[NUM]', '生命的'")


@pytest.mark.parametrize("traditional", [False, True])
def test_words_that_can_be_found_are_not_warned_of(traditional, tmp_path, caplog):
    path = write(tmp_path / "words.txt", "云计算\n雲計算 5 n\nT恤衫\n囧\n")
    load("jieba", user_dict=path, traditional=traditional)
    assert caplog.messages == []


def test_user_dictionary_that_is_not_utf8_names_file_and_line(tmp_path):
    path = write(tmp_path / "words.txt", "小明\n".encode() + "小红\n".encode("gb18030"))
    with pytest.raises(ValueError, match=r"words.txt, line 2: not UTF-8"):
        load_segmenter("jieba", user_dict=path)


def test_user_dictionary_without_words_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"words.txt has no words"):
        load_segmenter("jieba", user_dict=write(tmp_path / "words.txt", "\n \n"))


def test_missing_user_dictionary_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_segmenter("jieba", user_dict=str(tmp_path / "none.txt"))


@pytest.mark.parametrize("name", ["spaces", "none"])
def test_segmenter_without_dictionary_takes_no_words(name):
    with pytest.raises(ValueError, match=r"no dictionary to add words\.txt to"):
        load_segmenter(name, user_dict="words.txt")


def test_unknown_segmenter_is_an_error_that_lists_them():
    with pytest.raises(ValueError, match=r"'hanlp'.*jieba, rjieba, spaces, none"):
        load_segmenter("hanlp")


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_traditional_text_has_the_words_of_its_simplified_form(name):
    text, simplified = "他們學習漢語的語法，買「頭髮」用品", "他们学习汉语的语法，买「头发」用品"
    assert load(name, traditional=True)(text) == load(name)(simplified)
    assert load(name)(text) != load(name)(simplified)


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_words_of_the_user_may_be_in_traditional_script(name, tmp_path):
    user_dict = write(tmp_path / "words.txt", "雲邊小館\n")
    segmenter = load(name, user_dict=user_dict, traditional=True)
    assert words(segmenter, "去雲邊小館") == ["去", "雲邊小館"]


@pytest.mark.parametrize("name", ["spaces", "none"])
def test_words_without_a_dictionary_do_not_depend_on_the_script(name):
    # The package that converts script is not needed, either.
    assert load_segmenter(name, traditional=True)("學習 漢語") == load_segmenter(name)("学习 汉语")


@pytest.mark.parametrize(
    ("package", "name", "traditional"), [("rjieba", "rjieba", False), ("opencc", "jieba", True)]
)
def test_missing_package_is_named_with_its_installation(package, name, traditional, monkeypatch):
    simplified_characters.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=f"needs the package {package}; .* pip install {package}"):
        load_segmenter(name, traditional=traditional)


def _word_counts(name):
    return len(load_segmenter(name)("研究生命的起源"))


@pytest.mark.parametrize("name", SEGMENTERS)
def test_workers_load_their_own_after_the_parent_used_one(name):
    in_parent = load(name)("研究生命的起源")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_word_counts, [name] * 2) == [len(in_parent)] * 2


def test_benchmark_compares_jieba_with_itself_and_rjieba(tmp_path):
    pytest.importorskip("rjieba")
    corpus = write(tmp_path / "corpus.txt", "研究生命的起源。\n\n他们学习汉语。\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "segmenters.py"), f"--input_file={corpus}"],
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "2 lines, 15 characters", done.stderr
    for table in (lines[2:5], lines[6:9]):
        assert [line.split()[-3:] for line in table] == [["100.00%"] * 3] * 3
