"""Text files and JSON lines: what is read, and what is pointed out."""

import gzip
import json
import re
from collections import Counter

import pytest

from albert_zh.corpus import formats
from albert_zh.corpus.formats import is_named_json, json_texts, lines_of_value, text_lines
from albert_zh.corpus.lines import LONGEST_LINE
from albert_zh.corpus.sources import Source


@pytest.fixture
def source_of(tmp_path):
    def source_of(content: str | bytes) -> Source:
        path = tmp_path / "corpus"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(str(path))

    return source_of


def lines(source) -> tuple[list[str], list[str], Counter]:
    """Lines, complaints, counts."""
    complaints, counts = [], Counter()
    groups = text_lines(source, skip=complaints.append, counts=counts)
    return [line for group in groups for line in group], complaints, counts


def values(source, *, key="text") -> tuple[list[str], list[str]]:
    """Values, complaints."""
    complaints = []
    texts = json_texts(source, key=key, skip=complaints.append)
    return [text.decode() for text in texts], complaints


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("春。\n夏。\n\n秋。\n", ["春。", "夏。", "", "秋。"]),
        ("春。\r\n\r\n秋。\r\n", ["春。", "", "秋。"]),
        ("春\r夏。\n", ["春\r夏。"]),
        ("　　春 夏 \n \n\t\n", ["春 夏", "", ""]),
        ("\ufeff春。\n\ufeff夏。", ["春。", "\ufeff夏。"]),
        ("\ufeff\n春。", ["", "春。"]),
        ("春\u2028夏。\x85秋\x1c冬\n", ["春\u2028夏。\x85秋\x1c冬"]),
        ("春\0夏\x07。\n\0", ["春\0夏\x07。", "\0"]),
    ],
)
def test_only_line_ends_end_lines_and_only_outer_white_space_is_taken_away(
    source_of, content, expected
):
    assert lines(source_of(content)) == (expected, [], Counter())


@pytest.mark.parametrize(
    ("content", "good", "line", "byte"),
    [
        ("春。\n夏\n".encode() + "夏".encode("gb18030"), ["春。", "夏"], 3, 11),
        (b"\xef\xbb\xbfa\xff\nb", ["b"], 1, 4),
        (b"a" * 1500 + b"\nb\xe6\x98\nc\n", ["a" * 1500, "c"], 2, 1502),
        (b"a\n" * 100_000 + b"\xed\xa0\x80\n", ["a"] * 100_000, 100_001, 200_000),
    ],
)
def test_bytes_that_are_not_utf8_are_located(source_of, content, good, line, byte):
    source = source_of(content)
    read, (complaint,), _ = lines(source)
    assert read == good
    assert complaint.startswith(f"{source.path}, line {line}: not UTF-8 at byte {byte} of the file")
    assert complaint.endswith(f"iconv -f GB18030 -t UTF-8 {source.path}")


def test_bad_bytes_of_a_packed_file_are_located_in_its_text(source_of):
    _, (complaint,), _ = lines(source_of(gzip.compress("春\n".encode() + b"\xff")))
    assert "line 2: not UTF-8 at byte 4 of the unpacked file (0xff)" in complaint
    assert complaint.endswith("iconv -f GB18030 -t UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("read", [lines, values])
def test_utf16_is_an_error_whatever_happens_to_bad_lines(source_of, encoding, read):
    with pytest.raises(ValueError, match=r"is UTF-16, not UTF-8; convert it.*iconv -f UTF-16"):
        read(source_of("\ufeff春\n夏".encode(encoding)))


def test_a_long_line_comes_in_pieces_without_blank_ones(source_of):
    sentence = "春夏秋冬。"
    spaces = " " * LONGEST_LINE
    read, _, counts = lines(source_of(f"一\n{spaces}{sentence * 9999}{spaces}\n二\n\n三"))
    assert read[0] == "一"
    assert "".join(read[1:-3]) == sentence * 9999
    assert all(piece.endswith("。") for piece in read[1:-3])
    assert read[-3:] == ["二", "", "三"]
    assert counts == {"lines_cut": 1}


def test_a_long_line_of_white_space_is_one_blank_line(source_of):
    spaces = " \u3000" * LONGEST_LINE
    assert lines(source_of(f"一\n{spaces}\n二"))[0] == ["一", "", "二"]
    assert lines(source_of(f"{spaces}一\n{spaces}\n{spaces}\n二"))[0] == ["一", "", "", "二"]


def test_a_bad_byte_takes_away_only_its_piece_of_a_long_line(source_of):
    line = bytearray(b"a" * (3 * LONGEST_LINE))
    line[LONGEST_LINE + 7] = 0xFF
    read, complaints, counts = lines(source_of(bytes(line) + b"\nb"))
    assert read == ["a" * LONGEST_LINE, "a" * LONGEST_LINE, "b"]
    assert len(complaints) == 1
    assert f"line 1: not UTF-8 at byte {LONGEST_LINE + 7}" in complaints[0]
    assert counts == {"lines_cut": 1}


def test_a_long_line_that_cannot_be_read_is_not_a_blank_one(source_of):
    assert lines(source_of(b"\xff" * (2 * LONGEST_LINE + 1) + b"\nb"))[0] == ["b"]


@pytest.mark.parametrize(
    ("name", "is_json"),
    [
        *(("a.json", True), ("a.jsonl", True), ("a.json.gz", True), ("A.JSONL.ZST", True)),
        *(("a.jsonl.xz", True), ("a.json.txt", False), ("json", False), ("-", False)),
    ],
)
def test_json_is_known_by_its_name(name, is_json):
    assert is_named_json(name) == is_json


def test_values_are_those_of_the_key_and_blank_lines_are_nothing(source_of):
    rows = [{"text": "春。\n夏。", "id": 1}, {"text": ""}, {"other": [], "text": "\0𝄞\u2028"}]
    content = "\n\n".join(json.dumps(row, ensure_ascii=row is rows[0]) for row in rows)
    assert values(source_of(f"\ufeff\r\n{content}\r\n  \n")) == (
        ["春。\n夏。", "", "\0𝄞\u2028"],
        [],
    )
    assert values(source_of('{"body": "春"}'), key="body") == (["春"], [])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"text": "夏"', r"not JSON \(.*\); give one whole object a line"),
        ("夏。", "not JSON"),
        ("{" * 20, "not JSON"),
        ("7", "int instead of an object with the key 'text'"),
        ('["夏"]', "list instead of an object"),
        ('{"title": 1, "body": 2}', "no key 'text'; .* --json_key, there are: title, body"),
        ("{}", "no key 'text'; .* there are: none"),
        ('{"text": null}', "the value of 'text' is NoneType, not a string"),
        (r'{"text": "\ud834"}', "'text' has half of a character"),
        ('{"text": 1' + "0" * 5000 + "}", "line 2: "),
        ('{"text": ' + "[" * 100_000, "line 2: "),
        (b'{"text": "\xff"}', r"not UTF-8 at byte 24 of the file \(0xff\)"),
        ('{"text": "' + "a" * 100 + '"}', "more than 0 MB"),
    ],
)
def test_a_bad_object_is_pointed_out_and_left_out(source_of, monkeypatch, line, complaint):
    if "more than" in complaint:
        monkeypatch.setattr(formats, "LONGEST_OBJECT", 100)
    line = line if isinstance(line, bytes) else line.encode()
    read, complaints = values(source_of(b'{"text": "1"}\n' + line + b'\n{"text": "3"}\n'))
    assert read == ["1", "3"]
    assert len(complaints) == 1
    assert ", line 2: " in complaints[0]
    assert re.search(complaint, complaints[0])


@pytest.mark.parametrize("content", ['[{"text": "春"}]', '\ufeff\n [\n{"text": "春"},\n'])
def test_an_array_is_an_error_whatever_happens_to_bad_lines(source_of, content):
    with pytest.raises(ValueError, match=r"is a JSON array, not JSON lines; .* jq -c"):
        values(source_of(content))


def test_lines_of_a_value_are_not_blank_and_not_too_long():
    counts = Counter()
    text = "春。\n\n \n夏。\r\n" + "秋。" * LONGEST_LINE
    groups = lines_of_value(text.encode(), counts=counts)
    first, second, *pieces = [line for group in groups for line in group]
    assert (first, second) == ("春。", "夏。")
    assert "".join(pieces) == "秋。" * LONGEST_LINE
    assert max(len(piece.encode()) for piece in pieces) <= LONGEST_LINE
    assert counts == {"lines_cut": 1}
