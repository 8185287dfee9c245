"""Text files and JSON lines: which documents they give, and which problems are reported."""

import gzip
import hashlib
import io
import json
import re
import types
from collections import Counter
from collections.abc import Iterator

import pyarrow.parquet
import pytest

from albert_zh.corpus.formats.catalog import FORMATS, detect_format
from albert_zh.corpus.formats.format import BadText, CorpusFormat, ReadContext
from albert_zh.corpus.formats.joining import LARGEST_DOCUMENT, split_text
from albert_zh.corpus.formats.json_lines import LONGEST_OBJECT, json_texts
from albert_zh.corpus.formats.text import text_lines
from albert_zh.corpus.lines import LONGEST_LINE
from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.corpus.sources import Source

REPAIR = (
    "the text around it is UTF-8; repair the line, or leave out such lines with --on_bad_text=skip"
)
LEAVE_OUT = "give a text file, or leave out such lines with --on_bad_text=skip"


@pytest.fixture
def source_of(tmp_path):
    def source_of(content: str | bytes) -> Source:
        path = tmp_path / "corpus"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(str(path))

    return source_of


def context_with(problems: list[str], *, key: str = "text") -> ReadContext:
    def skip(error: BadText) -> None:
        problems.append(str(error))

    return ReadContext(text_key=key, skip=skip, counts=Counter())


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
        ("春\x01夏\x07。\n\x01", ["春\x01夏\x07。", "\x01"]),
    ],
)
def test_only_line_ends_end_lines_and_only_outer_white_space_is_taken_away(
    source_of, content, expected
):
    assert lines(source_of(content)) == (expected, [], Counter())


@pytest.mark.parametrize(
    ("content", "good", "line", "byte", "advice"),
    [
        ("春。\n夏\n".encode() + "夏".encode("gb18030"), ["春。", "夏"], 3, 11, REPAIR),
        ("春。\na\n".encode("gb18030"), ["a"], 1, 0, "iconv -f GB18030 -t UTF-8 {path}"),
        ("春。\na\n".encode("big5"), ["a"], 1, 0, "iconv -f Big5 -t UTF-8 {path}"),
        (b"\xef\xbb\xbfa\xff\nb", ["b"], 1, 4, REPAIR),
        (b"a" * 1500 + b"\nb\xe6\x98\nc\n", ["a" * 1500, "c"], 2, 1502, LEAVE_OUT),
        (b"a\n" * 100_000 + b"\xed\xa0\x80\n", ["a"] * 100_000, 100_001, 200_000, LEAVE_OUT),
    ],
)
def test_bytes_that_are_not_utf8_are_located_with_advice_that_fits(
    source_of, content, good, line, byte, advice
):
    source = source_of(content)
    read, (problem,), _ = lines(source)
    assert read == good
    assert problem.startswith(f"{source.path}, line {line}: not UTF-8 at byte {byte} of the file")
    assert problem.endswith(advice.format(path=source.path))


def test_bad_bytes_of_a_compressed_file_are_located_in_its_text(source_of):
    _, (problem,), _ = lines(source_of(gzip.compress(b"a\n" + "春。".encode("gb18030"))))
    assert "line 2: not UTF-8 at byte 2 of the decompressed file (0xb4)" in problem
    assert problem.endswith("iconv -f GB18030 -t UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_utf16_with_its_mark_is_read(source_of, encoding, compress):
    content = "\ufeff春𝄞。\n" + "夏天。\n" * 70_000
    read, problems, _ = lines(source_of(compress(content.encode(encoding))))
    assert [line for line in read if line] == ["春𝄞。", *["夏天。"] * 70_000]
    assert problems == []
    rows = '\ufeff{"text": "春。"}\n{"text": "夏。"}\n'
    assert values(source_of(compress(rows.encode(encoding)))) == (["春。", "夏。"], [])


def test_what_is_no_character_of_utf16_takes_away_its_line(source_of):
    content = "\ufeff春。\n".encode("utf-16-le") + b"\x00\xd8"
    content += "夏。\n秋。\n冬".encode("utf-16-le") + b"!"
    read, problems, _ = lines(source_of(content))
    assert read == ["春。", "秋。"]
    assert [problem.partition(": ")[0].rpartition(", ")[2] for problem in problems] == [
        "line 2",
        "line 4",
    ]
    assert "byte 7 of the converted file" in problems[0]


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
def test_format_is_known_by_the_name_of_a_file_whose_first_bytes_tell_none(
    monkeypatch, name, expected
):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"text")))
    source = Source(name, lambda path: io.BytesIO("春。".encode()))
    assert detect_format(source).name == expected


def read_records(source: Source, context: ReadContext) -> Iterator[list[str]]:
    """A made-up format: a mark, then documents that end at a byte of their own."""
    content = b"".join(source).removeprefix(b"MADE-UP")
    for document in content.split(b"\x1e"):
        if document.startswith(b"?"):
            problem = f"{source.name}: a document in doubt"
            context.skip(BadText(problem, "documents_in_doubt"))
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
    assert reader.counts == {"documents_in_doubt": 1}
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
        ('{"text": {"body": "夏"}}', r"the value of 'text' is dict, .* such as text\.body"),
        ('{"text": ["夏", 5]}', "the value of 'text' is int, not a string"),
        (r'{"text": "\ud834"}', "'text' has half of a character"),
        ('{"text": 1' + "0" * 5000 + "}", "line 2: a number has too many digits; repair the line"),
        ('{"text": ' + "[" * 100_000, "line 2: (nested too deeply; repair the line|not JSON)"),
        ('{"text": "春", "text": "夏"}', "line 2: the key 'text' stands in one object twice"),
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


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_objects_of_an_array_are_documents(source_of, compress, indent):
    rows = [{"text": f"春{number}。\n" + "夏" * (number % 7) * 1000} for number in range(300)]
    rows += [{"text": "long" * 300_000}, {"text": None}, {"text": ["秋。", "冬。"]}]
    content = "\ufeff \n" + json.dumps(rows, ensure_ascii=False, indent=indent) + "\n"
    read, problems = values(source_of(compress(content.encode())))
    assert read == [*(row["text"] for row in rows[:-2]), "", "秋。\n冬。"]
    assert problems == []


def test_arrays_one_after_the_other_are_all_read(source_of):
    pages = '[{"text": "春"}, {"text": "夏"}]\n[]\n\n[{"text": "秋"}][{"text": 7}]\n'
    read, problems = values(source_of(pages))
    assert read == ["春", "夏", "秋"]
    (problem,) = problems
    assert problem.endswith("corpus, object 4: the value of 'text' is int, not a string")


def test_only_keys_of_the_text_may_not_be_repeated(source_of):
    content = '{"id": 1, "id": 2, "data": {"text": "春"}}\n{"data": {"text": "夏", "text": "秋"}}'
    read, problems = values(source_of(content), key="data.text")
    assert read == ["春"]
    (problem,) = problems
    assert "line 2: the key 'text' stands in one object twice" in problem


def test_bad_objects_of_an_array_are_reported_and_left_out(source_of):
    read, problems = values(source_of('[{"text": "春"}, 7, {"body": 1}, {"text": "夏"} ]'))
    assert read == ["春", "夏"]
    assert [problem.partition("corpus, ")[2] for problem in problems] == [
        "object 2: int instead of an object with the key 'text'",
        "object 3: no key 'text'; name the text's key with --json_key, there are: body",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[{"text": "春"}', ", is missing"),
        ('[{"text": "春"} {"text": "夏"}]', ", is missing"),
        ('[{"text": "春"}, ]', "object 2: Expecting value"),
        ('[{"text": "春"}, {"text" "夏"}]', "object 2: Expecting ':' delimiter"),
        (b'[{"text": "\xff"}]', "can't decode byte 0xff"),
        ('[{"text": "春", "text": "夏"}]', "object 1: the key 'text' stands in one object twice"),
        ('[{"text": "春", "id": 1' + "0" * 5000 + "}]", "object 1: a number has too many digits"),
        *(
            (f'[{{"text": "春"}}]{rest}', "after the ] of an array")
            for rest in ("xyz", "]", '\n{"text": "夏"}', ',{"text": "夏"}', "\0\0")
        ),
        ('[]\n{"text": "春"}', "'{' after the ]"),
        ('[{"text": "春"}]\n[{"text": "夏"}', ", is missing"),
        ('[{"text": "' + "a" * 3_000_000 + '"}]', "object 1 is not JSON or has more than 0 MB"),
    ],
)
def test_a_damaged_array_is_an_error_whatever_happens_to_bad_lines(source_of, content, problem):
    with pytest.raises(ValueError, match=rf"is a JSON array that cannot be read \(.*{problem}"):
        values(source_of(content), longest=100_000)


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


@pytest.mark.parametrize(
    ("key", "document", "text", "counts"),
    [
        ("title,content", {"title": "春", "content": "夏。\n秋。"}, "春\n夏。\n秋。", {}),
        (" content , title ", {"title": "春", "content": "夏。"}, "夏。\n春", {}),
        ("data.text", {"data": {"text": "春。"}}, "春。", {}),
        ("data.text", {"data.text": "夏。", "data": {"text": "春。"}}, "夏。", {}),
        ("a.b.c", {"a": {"b.c": "春。"}}, "春。", {}),
        ("text", {"text": ["春。", "夏。", ["秋。"]]}, "春。\n夏。\n秋。", {}),
        ("p.text", {"p": [{"text": "春。"}, {"id": 3}, {"text": "夏。"}]}, "春。\n夏。", {}),
        ("text", {"text": None}, "", {"texts_null": 1}),
        ("text", {"text": ["春。", None]}, "春。", {"texts_null": 1}),
        ("data.text", {"data": None}, "", {"texts_null": 1}),
        ("p.text", {"p": []}, "", {}),
        ("title,text", {"text": "春。"}, "春。", {"texts_missing": 1}),
        ("title,text", {"title": None, "text": "春。"}, "春。", {"texts_null": 1}),
    ],
)
def test_keys_lead_to_the_text(source_of, key, document, text, counts):
    context = context_with(problems := [], key=key)
    content = json.dumps(document, ensure_ascii=False)
    assert [text.decode() for text in json_texts(source_of(content), context)] == [text]
    assert (problems, context.counts) == ([], counts)


def test_keys_of_objects_in_objects_are_proposed(source_of):
    _, (problem,) = values(source_of('{"id": 1, "data": {"body": "春"}, "p": [{"text": "夏"}]}'))
    assert problem.endswith("there are: id, data.body, p.text")


def test_a_list_of_keys_without_a_key_is_an_error():
    with pytest.raises(ValueError, match="json_key names no key"):
        ReadingRules(json_key=" , ")


OBJECTS = '{"text": "春。\\n夏。"}\n{"text": "秋。"}\n'
ELEMENTS = """\
<doc id="1" url="https://zh.wikipedia.org/wiki?curid=1" title="春">
春

1 &lt; 2 &amp; 3。

夏。
</doc>

<doc id="2" url="https://zh.wikipedia.org/wiki?curid=2" title="秋">
秋

</doc>
"""


@pytest.mark.parametrize(
    "name", ["wiki_00", "a.ndjson", "a.jsonl.txt", "a.txt", "a.json", "-", "a.csv"]
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "documents"),
    [
        (OBJECTS, [["春。", "夏。"], ["秋。"]]),
        ('[\n {"text": "春。"}]', [["春。"]]),
        ("\ufeff\n  " + OBJECTS, [["春。", "夏。"], ["秋。"]]),
        ('{ "i": 1, "text": "' + "春。" * 4000 + '"}', [["春。" * 4000]]),
        (ELEMENTS, [["春", "1 < 2 & 3。", "夏。"], ["秋"]]),
        ("\ufeff" + ELEMENTS, [["春", "1 < 2 & 3。", "夏。"], ["秋"]]),
    ],
)
def test_format_is_known_by_the_first_bytes_whatever_the_name(
    tmp_path, monkeypatch, name, compress, content, documents
):
    stored = compress(content.encode())
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(stored)))
    path = tmp_path / name
    path.write_bytes(stored)
    assert list(CorpusReader([name if name == "-" else str(path)])) == documents


def test_a_text_that_begins_like_an_object_is_not_read_as_one_silently(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text('{"春": 一个季节}\n夏。', encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.txt, line 1: not JSON .* or --input_format=text"):
        list(CorpusReader([str(path)]))


@pytest.fixture
def table(tmp_path):
    """A parquet file of three documents in two groups of rows."""
    rows = [
        {"title": "春", "text": ["春天。", "花开。"], "data": {"body": "一\n二"}},
        {"title": None, "text": ["夏天。"], "data": {"body": "三"}},
        {"title": "秋", "text": [], "data": None},
    ]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=2)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "train-00000", "-", "a.parquet.gz"])
@pytest.mark.parametrize(
    ("key", "documents", "counts"),
    [
        ("text", [["春天。", "花开。"], ["夏天。"]], {}),
        ("title,text", [["春", "春天。", "花开。"], ["夏天。"], ["秋"]], {"texts_null": 1}),
        ("data.body", [["一", "二"], ["三"]], {"texts_null": 1}),
    ],
)
def test_rows_of_a_parquet_file_are_documents(
    tmp_path, monkeypatch, table, name, key, documents, counts
):
    stored = table.read_bytes()
    stored = gzip.compress(stored) if name.endswith(".gz") else stored
    (tmp_path / name).write_bytes(stored)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(stored)))
    path = name if name == "-" else str(tmp_path / name)
    reader = CorpusReader([path], ReadingRules(json_key=key))
    assert list(reader) == documents
    assert reader.counts == counts
    assert reader.inputs[0]["sha256"] == hashlib.sha256(stored).hexdigest()


def test_faults_of_a_parquet_file_are_one_line(table):
    with pytest.raises(ValueError, match=r"no column 'body'; .*there are: title, text, data$"):
        list(CorpusReader([str(table)], ReadingRules(json_key="body")))
    with pytest.raises(ValueError, match=r"a\.parquet, row 1: the value of 'data' is dict"):
        list(CorpusReader([str(table)], ReadingRules(json_key="data")))
    table.write_bytes(table.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"this parquet file is damaged .* get it again"):
        list(CorpusReader([str(table)], ReadingRules(on_bad_text="skip")))


@pytest.mark.parametrize("has_index", [False, True])
def test_joined_parquet_files_are_refused(tmp_path, has_index):
    path = tmp_path / "a.parquet"
    stored = b""
    for text in ("春天。", "夏天。"):
        rows = pyarrow.table({"text": [text] * 1000})
        pyarrow.parquet.write_table(rows, path, write_page_index=has_index)
        assert sum(map(len, CorpusReader([str(path)]))) == 1000
        stored += path.read_bytes()
    path.write_bytes(stored)
    with pytest.raises(ValueError, match=r"a\.parquet: two parquet files were joined.* one by one"):
        list(CorpusReader([str(path)], ReadingRules(on_bad_text="skip")))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_table_with_two_columns_of_the_name_is_refused(tmp_path, name):
    (tmp_path / "a.csv").write_text("text,id,text,id\n春,1,夏,1\n", encoding="utf-8")
    columns = [["春"], [1], ["夏"], [1]]
    table = pyarrow.table(columns, names=["text", "id", "text", "id"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    path = str(tmp_path / name)
    with pytest.raises(ValueError, match=r"has the column 'text' twice.*: text, id, text, id"):
        list(CorpusReader([path]))
    reader = CorpusReader([path], ReadingRules(on_bad_text="skip"))
    assert list(reader) == []
    assert reader.counts == {"files_with_column_twice": 1}


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz"])
@pytest.mark.parametrize("key", ["text", "title,text"])
def test_rows_of_a_table_are_documents(tmp_path, ending, key):
    if ending == "tsv":
        content = '\ufefftitle\tid\ttext\n"春"天\t1\t春天。\n\n夏\t2\t"花开。\n'
        titles, texts = ['"春"天', "夏"], [["春天。"], ['"花开。']]
    else:
        content = 'title,id,text\r\n"春,天",1,"春天。\n花""开""。"\r\n\r\n夏,2,\r\n'
        titles, texts = ["春,天", "夏"], [["春天。", '花"开"。'], []]
    path = tmp_path / f"a.{ending}"
    path.write_bytes((gzip.compress if ending.endswith("gz") else bytes)(content.encode()))
    expected = texts
    if key == "title,text":
        expected = [[title, *text] for title, text in zip(titles, texts, strict=True)]
    reader = CorpusReader([str(path)], ReadingRules(json_key=key))
    assert list(reader) == [document for document in expected if document]
    assert reader.counts == ({} if ending == "tsv" else {"texts_empty": 1})


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"1,2,3", "3 values for 2 columns"),
        (b"1", "1 values for 2 columns"),
        (b'1,"2"2', "',' expected after '\"'"),
        (b"1,\xff", "not UTF-8 at byte 16 of the file"),
    ],
)
def test_a_bad_row_is_reported_and_left_out(tmp_path, row, problem):
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n1,one\n" + row + b"\n3,three\n")
    with pytest.raises(ValueError, match=rf"a\.csv, line 3: {problem}"):
        list(CorpusReader([str(path)]))
    assert list(CorpusReader([str(path)], ReadingRules(on_bad_text="skip"))) == [["one"], ["three"]]


def test_a_quotation_mark_without_end_is_told_where_it_begins(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text\none\n"two\n' + "three\n" * 9, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.csv, line 3: unexpected end of data; repair the row"):
        list(CorpusReader([str(path)]))


def test_a_table_without_names_of_columns_is_not_read_silently(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("春天,花开\n夏天,下雨\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no column 'text'; .* 春天, 花开; .*--input_format=text"):
        list(CorpusReader([str(path)]))
    lines = list(CorpusReader([str(path)], ReadingRules(input_format="text")))
    assert lines == [["春天,花开", "夏天,下雨"]]


@pytest.mark.parametrize("content", ["title,id\n春,1\n", "春\r夏,1\n春,1\n", "春" * 140_000 + "\n"])
def test_a_table_without_the_column_is_skipped_like_an_object_without_the_key(tmp_path, content):
    path, good = tmp_path / "a.csv", tmp_path / "b.txt"
    path.write_text(content, encoding="utf-8", newline="")
    good.write_text("春。", encoding="utf-8")
    with pytest.raises(BadText, match="no column 'text'"):
        list(CorpusReader([str(path), str(good)]))
    reader = CorpusReader([str(path), str(good)], ReadingRules(on_bad_text="skip"))
    assert list(reader) == [["春。"]]
    assert reader.counts == {"files_without_column": 1}
    assert "sha256" in reader.inputs[0]


def test_a_parquet_file_without_the_column_is_skipped(table):
    reader = CorpusReader([str(table)], ReadingRules(json_key="body", on_bad_text="skip"))
    assert list(reader) == []
    assert reader.counts == {"files_without_column": 1}


@pytest.mark.parametrize(
    ("content", "problem", "documents", "count"),
    [
        ("春。\n夏。\n", "does not begin with an element <doc", [], "files_without_doc"),
        (ELEMENTS + "余。\n", "'余。' is outside the elements", "all", "lines_outside_doc"),
        (ELEMENTS + '<doc id="3">冬</doc>', "is outside the elements", "all", "lines_outside_doc"),
        (ELEMENTS[:-9], "</doc> is missing", "all", "documents_without_end"),
        (ELEMENTS.replace("</doc>", "", 1), "</doc> is missing", "all", "documents_without_end"),
    ],
)
def test_what_is_no_whole_element_is_bad_text(tmp_path, content, problem, documents, count):
    path = tmp_path / "wiki_00"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadText, match=problem):
        list(CorpusReader([str(path)], ReadingRules(input_format="wikiextractor")))
    rules = ReadingRules(input_format="wikiextractor", on_bad_text="skip")
    reader = CorpusReader([str(path)], rules)
    expected = [["春", "1 < 2 & 3。", "夏。"], ["秋"]] if documents == "all" else []
    assert list(reader) == expected
    assert reader.counts == {count: 1}
