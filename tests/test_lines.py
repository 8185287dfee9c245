"""Streams of bytes become lines, and long lines become pieces."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.lines import LONGEST_LINE, TextChunk, text_chunks, whole_lines

texts = st.text("春夏a𝄞。”，. \r\n\n\u3000\u2028", max_size=60).map(str.encode)


def in_parts(text: bytes, sizes: list[int]):
    begin = 0
    for size in sizes:
        yield text[begin : begin + size]
        begin += size
    yield text[begin:]


def pieces(text: str, *, longest: int) -> list[str]:
    return [chunk.data.decode() for chunk in text_chunks([text.encode()], longest=longest)]


@given(texts, st.lists(st.integers(0, 9)), st.integers(8, 40))
def test_text_chunks_depend_on_the_text_alone_and_are_all_of_it(text, sizes, longest):
    divided = list(text_chunks([text], longest=longest))
    assert list(text_chunks(in_parts(text, sizes), longest=longest)) == divided
    joined = b"".join(chunk.data + b"\n" * chunk.ends_line for chunk in divided)
    assert joined in (text, text + b"\n")


@given(texts, st.integers(8, 40))
def test_text_chunks_are_short_enough_and_never_end_inside_a_character(text, longest):
    for chunk in text_chunks([text], longest=longest):
        assert len(chunk.data) <= longest
        chunk.data.decode()


@given(texts, st.integers(8, 40))
def test_only_lines_that_are_too_long_are_cut(text, longest):
    cut = {chunk.number for chunk in text_chunks([text], longest=longest) if chunk.is_partial_line}
    lines = text.split(b"\n")
    assert cut == {number for number, line in enumerate(lines, 1) if len(line) > longest}


@given(texts, st.integers(8, 40))
def test_text_chunks_know_where_they_stand(text, longest):
    for chunk in text_chunks([text], longest=longest):
        assert text[chunk.offset :].startswith(chunk.data)
        assert chunk.number == text[: chunk.offset].count(b"\n") + 1


def test_a_line_as_long_as_allowed_is_whole_and_a_longer_one_is_not():
    line = b"a" * LONGEST_LINE
    assert list(text_chunks([line + b"\n" + line])) == [
        TextChunk(line, 1, 0),
        TextChunk(line, 2, LONGEST_LINE + 1),
    ]
    first, second = text_chunks([line + b"b\n"])
    assert (first.data, first.begins_line, first.ends_line) == (line, True, False)
    assert (second.data, second.begins_line, second.ends_line) == (b"b", False, True)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("一二三四五六七八九十。一，三四五", "一二三四五六七八九十。"),
        ("一二三四五六七八九十。”一二三四", "一二三四五六七八九十。”"),
        ("一二三四五六七八九十！一。三四五", "一二三四五六七八九十！一。"),
        ("一二三四五六七八九十，一\u3000三四五", "一二三四五六七八九十，"),
        ("一二三四五六七八九十\u3000一二三四", "一二三四五六七八九十\u3000"),
        ("一二三。四五六七八九十一二三四五", "一二三。四五六七八九十一二"),
        ("ab一二三四五六七八九十一二三四五", "ab一二三四五六七八九十一二"),
        ("abcdefghijklmnopqrstuvwxyz1234. u v, wxyz", "abcdefghijklmnopqrstuvwxyz1234."),
        ("abcdefghijklmnopqrstuvwxyz1234.567, u v w", "abcdefghijklmnopqrstuvwxyz1234.567,"),
    ],
)
def test_a_long_line_is_cut_at_the_best_place_of_its_last_quarter(text, first):
    assert pieces(text, longest=40)[0] == first


def test_bytes_that_are_no_text_are_cut_too():
    assert b"".join(chunk.data for chunk in text_chunks([b"\x80" * 50], longest=8)) == b"\x80" * 50


@given(texts, st.lists(st.integers(0, 9)), st.integers(1, 40))
def test_whole_lines_are_those_of_the_text_whatever_parts_it_comes_in(text, sizes, longest):
    lines = list(whole_lines(in_parts(text, sizes), longest=longest))
    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    assert [line.data for line in lines] == [line[:longest] for line in expected]
    assert [line.is_partial_line for line in lines] == [len(line) > longest for line in expected]
    assert [line.number for line in lines] == list(range(1, len(expected) + 1))
    assert all(text[line.offset :].startswith(line.data) for line in lines)


@pytest.mark.parametrize("divide", [text_chunks, whole_lines])
def test_no_more_of_a_line_without_an_end_is_in_memory_than_is_needed(divide):
    parts = (bytes(100_000) for _ in range(100))
    tracemalloc.start()
    try:
        assert {chunk.is_partial_line for chunk in divide(parts, longest=50_000)} == {True}
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
