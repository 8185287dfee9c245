"""Text files and JSON lines: which documents they give, and which problems are reported."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from albert_zh.corpus.formats.catalog import FORMATS, detect_format
from albert_zh.corpus.formats.format import CorpusFormat, ReadContext
from albert_zh.corpus.formats.joining import LARGEST_DOCUMENT, split_text
from albert_zh.corpus.formats.json_lines import LONGEST_OBJECT, json_texts
from albert_zh.corpus.formats.text import text_lines
from albert_zh.corpus.lines import LONGEST_LINE
from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.corpus.sources import Source


@pytest.fixture
def source_of(tmp_path):
    def source_of(content: str | bytes) -> Source:
        path = tmp_path / "corpus"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(str(path))

    return source_of


def context_with(problems: list[str], *, key: str = "text") -> ReadContext:
    return ReadContext(text_key=key, skip=problems.append, counts=Counter())


def lines(source) -> tuple[list[str], list[str], Counter]:
    """Lines, problems, counts."""
    context = context_with(problems := [])
    groups = text_lines(source, context)
    return [line for group in groups for line in group], problems, context.counts


def values(source, *, key="text", longest=LONGEST_OBJECT) -> tuple[list[str], list[str]]:
    """Values, problems."""
    texts = json_texts(source, context_with(problems := [], key=key), longest=longest)
    return [text.decode() for text in texts], problems


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
    read, (problem,), _ = lines(source)
    assert read == good
    assert problem.startswith(f"{source.path}, line {line}: not UTF-8 at byte {byte} of the file")
    assert problem.endswith(f"iconv -f GB18030 -t UTF-8 {source.path}")


def test_bad_bytes_of_a_compressed_file_are_located_in_its_text(source_of):
    _, (problem,), _ = lines(source_of(gzip.compress("春\n".encode() + b"\xff")))
    assert "line 2: not UTF-8 at byte 4 of the decompressed file (0xff)" in problem
    assert problem.endswith("iconv -f GB18030 -t UTF-8")


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
    read, problems, counts = lines(source_of(bytes(line) + b"\nb"))
    assert read == ["a" * LONGEST_LINE, "a" * LONGEST_LINE, "b"]
    assert len(problems) == 1
    assert f"line 1: not UTF-8 at byte {LONGEST_LINE + 7}" in problems[0]
    assert counts == {"lines_cut": 1}


def test_a_long_line_that_cannot_be_read_is_not_a_blank_one(source_of):
    assert lines(source_of(b"\xff" * (2 * LONGEST_LINE + 1) + b"\nb"))[0] == ["b"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.json", "json"),
        ("a.jsonl", "json"),
        ("a.json.gz", "json"),
        ("A.JSONL.ZST", "json"),
        ("a.jsonl.xz", "json"),
        ("a.json.txt", "text"),
        ("json", "text"),
        ("-", "text"),
    ],
)
def test_format_is_known_by_the_name_of_the_file(name, expected):
    assert detect_format(Source(name)).name == expected


def read_records(source: Source, context: ReadContext) -> Iterator[list[str]]:
    """A made-up format: a mark, then documents that end at a byte of their own."""
    content = b"".join(source).removeprefix(b"MADE-UP")
    for document in content.split(b"\x1e"):
        if document.startswith(b"?"):
            context.skip(f"{source.name}: a document in doubt")
        else:
            yield from split_text(document, context.counts)


@pytest.fixture
def made_up_format(monkeypatch):
    row = CorpusFormat(
        "made-up",
        "documents between record separators",
        read_records,
        endings=(".made",),
        signatures=(b"MADE-UP",),
    )
    monkeypatch.setitem(FORMATS, row.name, row)


@pytest.mark.usefixtures("made_up_format")
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("name", "mark", "input_format"),
    [
        ("a.made", b"", "auto"),
        ("a.MADE.gz", b"", "auto"),
        ("a.bin", b"MADE-UP", "auto"),
        ("a.txt", b"", "made-up"),
    ],
)
def test_a_new_format_is_one_row_and_one_function(tmp_path, compress, name, mark, input_format):
    path = tmp_path / name
    path.write_bytes(compress(mark + "春。\n夏。\x1e?\x1e秋。".encode()))
    rules = ReadingRules(input_format=input_format, on_bad_text="skip")
    reader = CorpusReader([str(path)], rules)
    assert list(reader) == list(reader) == [["春。", "夏。"], ["秋。"]]
    assert reader.counts == {"lines_skipped": 1}
    assert reader.position == reader.total == path.stat().st_size
    with pytest.raises(ValueError, match="a document in doubt"):
        list(CorpusReader([str(path)], ReadingRules(input_format=input_format)))


@pytest.mark.usefixtures("made_up_format")
def test_looking_for_the_first_bytes_of_a_format_loses_no_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" * LARGEST_DOCUMENT)
    assert sum(map(len, CorpusReader([str(path)]))) == LARGEST_DOCUMENT


def test_values_are_those_of_the_key_and_blank_lines_are_nothing(source_of):
    rows = [{"text": "春。\n夏。", "id": 1}, {"text": ""}, {"other": [], "text": "\0𝄞\u2028"}]
    content = "\n\n".join(json.dumps(row, ensure_ascii=row is rows[0]) for row in rows)
    assert values(source_of(f"\ufeff\r\n{content}\r\n  \n")) == (
        ["春。\n夏。", "", "\0𝄞\u2028"],
        [],
    )
    assert values(source_of('{"body": "春"}'), key="body") == (["春"], [])


@pytest.mark.parametrize(
    ("line", "problem"),
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
def test_a_bad_object_is_reported_and_left_out(source_of, line, problem):
    line = line if isinstance(line, bytes) else line.encode()
    longest = 100 if "more than" in problem else LONGEST_OBJECT
    content = b'{"text": "1"}\n' + line + b'\n{"text": "3"}\n'
    read, problems = values(source_of(content), longest=longest)
    assert read == ["1", "3"]
    assert len(problems) == 1
    assert ", line 2: " in problems[0]
    assert re.search(problem, problems[0])


@pytest.mark.parametrize("content", ['[{"text": "春"}]', '\ufeff\n [\n{"text": "春"},\n'])
def test_an_array_is_an_error_whatever_happens_to_bad_lines(source_of, content):
    with pytest.raises(ValueError, match=r"is a JSON array, not JSON lines; .* jq -c"):
        values(source_of(content))


def test_lines_of_a_value_are_not_blank_and_not_too_long():
    counts = Counter()
    text = "春。\n\n \n夏。\r\n" + "秋。" * LONGEST_LINE
    first, second, *pieces = [
        line for document in split_text(text.encode(), counts) for line in document
    ]
    assert (first, second) == ("春。", "夏。")
    assert "".join(pieces) == "秋。" * LONGEST_LINE
    assert max(len(piece.encode()) for piece in pieces) <= LONGEST_LINE
    assert counts == {"lines_cut": 1, "documents_cut": 1}
