"""Documents of whole corpora: files of all kinds, bounds of memory, what is counted."""

import bz2
import gzip
import hashlib
import io
import itertools
import json
import lzma
import os
import pathlib
import random
import subprocess
import sys
import types
from collections import Counter

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from albert_zh.corpus.formats.joining import LARGEST_DOCUMENT, join_lines
from albert_zh.corpus.lines import LONGEST_LINE
from albert_zh.corpus.reading import CorpusReader, ReadingRules

ROOT = pathlib.Path(__file__).parent.parent
COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}
SKIP = ReadingRules(on_bad_text="skip")


def write(directory, name, content) -> str:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def read(*paths, rules=None) -> tuple[list[list[str]], CorpusReader]:
    reader = CorpusReader(paths, rules)
    return list(reader), reader


def naive_documents(text: str) -> list[list[str]]:
    """What a reader would give that has all the memory of the world."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").split("\n")]
    groups = itertools.groupby(lines, key=bool)
    return [list(group) for is_text, group in groups if is_text]


# Characters that programs have stumbled over, each many times, and all others.
stumbling_stones = st.sampled_from("\n\n\n\r\t \u3000\ufeff\u2028\x85\x1c\0春。")
any_text = st.text(stumbling_stones | st.characters(codec="utf-8"), min_size=1)
# Lines with NUL, and files whose lines end in CR only, are no text.
any_lines = any_text.map(lambda text: text.replace("\0", "") + "\n" * ("\n" not in text))


@given(text=any_lines, ending=st.sampled_from(list(COMPRESS)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_the_documents_of_a_naive_reader(tmp_path, text, ending):
    path = write(tmp_path, f"corpus{ending}", COMPRESS[ending](text.encode()))
    documents, reader = read(path, rules=SKIP)
    assert documents == naive_documents(text)
    assert bool(documents) != bool(reader.counts["files_empty"])


@given(texts=st.lists(any_text, min_size=1), ending=st.sampled_from(list(COMPRESS)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_of_json_lines_are_documents(tmp_path, texts, ending):
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    documents, _ = read(write(tmp_path, f"c.jsonl{ending}", COMPRESS[ending](rows.encode())))
    lines = ([line.strip() for line in text.split("\n")] for text in texts)
    expected = [[line for line in text if line] for text in lines]
    assert documents == [document for document in expected if document]


@pytest.mark.parametrize(
    ("contents", "documents"),
    [
        (["春。\n夏。\n\n秋。\n"], [["春。", "夏。"], ["秋。"]]),
        (["春。\n夏。", "秋。\n\n冬。"], [["春。", "夏。"], ["秋。"], ["冬。"]]),
        (["\n\n春。", "夏。\n\n"], [["春。"], ["夏。"]]),
    ],
)
def test_a_blank_line_and_the_end_of_a_file_end_documents(tmp_path, contents, documents):
    paths = [write(tmp_path, f"{number}.txt", text) for number, text in enumerate(contents)]
    assert read(*paths)[0] == documents


def many_texts() -> str:
    """Lines and documents of all sizes, beyond the limits, too."""
    rng = random.Random(3)
    characters = "春夏秋冬东南西北ab𝄞" * 9 + "。，”　 "
    # Choosing one by one would take seconds.
    soup = "".join(rng.choices(characters, k=20_000))
    sizes = [5, 80, LONGEST_LINE // 3, LONGEST_LINE, 10 * LONGEST_LINE]
    lines = []
    for _ in range(300):
        size = rng.choices(sizes, [100, 100, 5, 5, 1])[0]
        begin = rng.randrange(len(soup))
        line = (soup[begin:] + soup * (size // len(soup) + 1))[:size]
        lines += [line] if rng.random() < 0.99 else [line, ""]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A text, plain and compressed; and a reader of the plain one."""
    directory = tmp_path_factory.mktemp("large")
    text = many_texts().encode()
    paths = {ending: write(directory, f"c{ending}", COMPRESS[ending](text)) for ending in COMPRESS}
    return paths, CorpusReader([paths[""]])


def test_documents_are_the_same_however_the_text_is_compressed_and_how_often_it_is_read(large):
    paths, reader = large
    documents, counts = list(reader), reader.counts
    assert counts["lines_cut"] > 3
    assert counts["documents_cut"] > 1
    assert list(reader) == documents
    for path in paths.values():
        decompressed, other_reader = read(path)
        assert decompressed == documents
        assert other_reader.counts == counts


def test_limits_are_kept_and_no_character_is_lost(large):
    paths, reader = large
    documents = list(reader)
    assert max(len(text.encode()) for texts in documents for text in texts) <= LONGEST_LINE
    assert max(sum(map(len, texts)) for texts in documents) <= LARGEST_DOCUMENT
    with open(paths[""], encoding="utf-8") as file:
        expected = "".join(file.read().split())
    assert "".join("".join("".join(texts).split()) for texts in documents) == expected


@given(
    st.lists(st.sampled_from(["", "春", "春夏", "春夏秋冬"])),
    st.lists(st.integers(0, 30)),
    st.integers(1, 9),
)
def test_large_documents_are_cut_before_the_line_that_is_too_much(lines, ends, largest):
    counts = Counter()
    cuts = [0, *sorted(ends), len(lines)]
    groups = [lines[begin:end] for begin, end in itertools.pairwise(cuts)]
    joined = list(join_lines(groups, counts, largest=largest))
    whole = naive_documents("\n".join(lines))
    assert [text for texts in joined for text in texts] == [
        text for texts in whole for text in texts
    ]
    assert counts["documents_cut"] == sum(
        len(texts) > 1 and len("".join(texts)) > largest for texts in whole
    )
    parts = iter(joined)
    for texts in whole:
        while texts:
            part = next(parts)
            assert part == texts[: len(part)]
            assert len(part) == 1 or len("".join(part)) <= largest
            texts = texts[len(part) :]
            assert not texts or len("".join([*part, texts[0]])) > largest


def test_a_line_of_50_mb_takes_little_memory_and_time(tmp_path):
    path = write(tmp_path, "c.txt", "春夏秋冬东南西北，" * (50_000_000 // 27))
    script = (
        "import resource, sys\n"
        "from albert_zh.corpus.reading import CorpusReader\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = used()\n"
        "reader = CorpusReader(sys.argv[1:])\n"
        "count = sum(len(''.join(texts)) for texts in reader)\n"
        "print(count, (used() - before) // 1024, dict(reader.counts))\n"
    )
    command = [sys.executable, "-c", script, path]
    output = subprocess.check_output(command, cwd=ROOT, text=True, timeout=60)
    count, megabytes, counts = output.split(maxsplit=2)
    assert int(count) == 50_000_000 // 27 * 9
    assert int(megabytes) < 30
    assert counts == "{'lines_cut': 1, 'documents_cut': 1}\n"


def test_position_reaches_the_total_of_all_files_and_inputs_tell_what_was_read(tmp_path):
    stored = [b"a\n\nb", gzip.compress(b"c\n" * 5000), b"d"]
    paths = [write(tmp_path, str(number), data) for number, data in enumerate(stored)]
    reader = CorpusReader(paths)
    assert reader.position == 0
    positions = [reader.position for _ in reader]
    assert positions == [4, 4, 4 + len(stored[1]), 5 + len(stored[1])]
    assert reader.position == reader.total == sum(map(len, stored))
    assert reader.inputs == [
        {"file": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in zip(paths, stored, strict=True)
    ]


def test_standard_input_is_read_where_it_stands(tmp_path, monkeypatch):
    path = write(tmp_path, "a.txt", "春。")
    text = COMPRESS[".zst"]("夏。\n\n秋。".encode())
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(text)))
    documents, reader = read("-", path)
    assert documents == [["夏。"], ["秋。"], ["春。"]]
    assert reader.total is None
    assert reader.position == len(text) + len("春。".encode())
    assert [row["file"] for row in reader.inputs] == ["-", path]
    with pytest.raises(ValueError, match="standard input is empty"):
        list(reader)


def test_a_pipe_is_read_like_a_file(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    script = f"with open({path!r}, 'w', encoding='utf-8') as pipe: pipe.write('春。\\n\\n夏。')"
    with subprocess.Popen([sys.executable, "-c", script]):
        documents, reader = read(path)
    assert documents == [["春。"], ["夏。"]]
    assert (reader.total, reader.position) == (None, 14)


@pytest.mark.parametrize(
    ("name", "input_format", "documents"),
    [
        ("a.json", "auto", [["春"]]),
        ("a.txt", "auto", [["春"]]),
        ("a.txt", "json", [["春"]]),
        ("a.json", "text", [['{"text": "春"}']]),
    ],
)
def test_format_goes_by_the_first_bytes_unless_it_is_given(tmp_path, name, input_format, documents):
    path = write(tmp_path, name, '{"text": "春"}\n')
    assert read(path, rules=ReadingRules(input_format=input_format))[0] == documents


def test_bad_lines_are_errors_or_skipped_and_counted(tmp_path):
    text = write(tmp_path, "a.txt", b"a\n\xff\nb\n\n\xff\n")
    rows = write(
        tmp_path, "b.json", b'{"body": "c"}\n{"text": "d"}\n{"body": "\xff"}\n{"body": ""}'
    )
    rules = ReadingRules(json_key="body", on_bad_text="skip")
    documents, reader = read(text, rows, rules=rules)
    assert documents == [["a", "b"], ["c"]]
    assert reader.counts == {
        "lines_not_utf8": 3,
        "documents_without_text": 1,
        "texts_empty": 1,
    }
    assert [row.get("left_out") for row in reader.inputs] == [
        {"lines_not_utf8": 2},
        {"documents_without_text": 1, "lines_not_utf8": 1, "texts_empty": 1},
    ]
    with pytest.raises(ValueError, match=r"a\.txt, line 2: not UTF-8 at byte 2 "):
        read(text)
    with pytest.raises(ValueError, match=r"b\.json, line 1: no key 'text'.*--json_key.*: body"):
        read(rows)


def test_what_is_left_out_is_logged_by_file(tmp_path, caplog):
    bad = write(tmp_path, "a.txt", "春。\n夏。\n".encode() + b"\xff\n" * 2)
    good = write(tmp_path, "b.txt", "春。")
    rows = write(tmp_path, "c.json", '{"text": null}\n{"body": "a"}\n')
    with caplog.at_level("WARNING"):
        list(CorpusReader([bad, good, rows], SKIP))
    assert caplog.messages == [
        f"left out of {bad}: 2 lines not utf8; the first: {bad}, line 3: not UTF-8 at byte 14 of "
        "the file (0xff); the text around it is UTF-8; repair the line, or leave out such lines "
        "with --on_bad_text=skip",
        f"left out of {rows}: 1 documents without text, 1 texts null; the first: {rows}, line 2: "
        "no key 'text'; name the text's key with --json_key, there are: body",
    ]


def test_of_many_files_with_bad_text_the_log_names_twenty(tmp_path, caplog):
    paths = [write(tmp_path, f"{number:02}", b"a\n\xff") for number in range(30)]
    with caplog.at_level("WARNING"):
        _, reader = read(*paths, rules=SKIP)
    assert [message[: len(f"left out of {paths[0]}")] for message in caplog.messages] == [
        *(f"left out of {path}" for path in paths[:20]),
        caplog.messages[-1],
    ]
    assert caplog.messages[-1] == "text of 30 files in all was left out"
    assert sum("left_out" in entry for entry in reader.inputs) == 30


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
def test_empty_files_are_errors_or_skipped_and_counted(tmp_path, content):
    paths = write(tmp_path, "a.txt", "春。"), write(tmp_path, "b.txt", content)
    documents, reader = read(*paths, rules=SKIP)
    assert documents == [["春。"]]
    assert reader.counts == {"files_empty": 1}
    assert len(reader.inputs) == 2
    with pytest.raises(ValueError, match=r"b\.txt is empty; remove it from the input files"):
        read(*paths)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.txt", "\n \n\t\n"),
        ("b.txt", "\ufeff"),
        ("b.txt", "\n　\n" * 5000),
        ("b.txt", b"\xff\xfe"),
        ("b.jsonl", '{"text": []}\n'),
        ("b.csv", "text\n"),
        ("b.csv", "\n"),
    ],
)
def test_files_without_a_character_are_as_empty_as_those_of_no_byte(tmp_path, name, content):
    paths = write(tmp_path, "a.txt", "春。"), write(tmp_path, name, content)
    documents, reader = read(*paths, rules=SKIP)
    assert documents == [["春。"]]
    assert reader.counts in ({"files_empty": 1}, {"files_without_column": 1})
    with pytest.raises(ValueError, match=rf"{name}( is empty|.* only white space|.* no column)"):
        read(*paths)


def test_empty_texts_are_counted_like_nulls(tmp_path):
    rows = '{"text": ""}\n{"text": "春。"}\n{"text": [" ", null]}\n'
    documents, reader = read(write(tmp_path, "a.jsonl", rows))
    assert documents == [["春。"]]
    assert reader.counts == {"texts_empty": 2, "texts_null": 1}


OLD_MAC = "今天天气很好。\r我们去公园玩。\r\r他买了一本书。\r书里写了很多故事。\r"


@pytest.mark.parametrize("content", [OLD_MAC, OLD_MAC * 3000, "春" * 9000 + OLD_MAC])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_lines_that_end_in_cr_only_are_not_joined_silently(tmp_path, content, compress):
    paths = write(tmp_path, "a.txt", "春。"), write(tmp_path, "b c", compress(content.encode()))
    with pytest.raises(ValueError, match=r"b c: its lines end in CR only.*: tr '\\r' '\\n'"):
        CorpusReader(paths)
    documents, reader = read(*paths, rules=SKIP)
    assert documents == [["春。"]]
    assert reader.counts == {"files_with_cr": 1}


@pytest.mark.parametrize("content", ["春。\r夏。\n", "春。\r", "\r春。\r\n", "春\r" * 3000 + "\n"])
def test_a_cr_in_a_line_is_as_it_was(tmp_path, content):
    assert "".join(read(write(tmp_path, "a.txt", content))[0][0]) == content.strip()


def test_the_command_for_lines_that_end_in_cr_repairs_them(tmp_path):
    path = write(tmp_path, "it's.txt", OLD_MAC)
    with pytest.raises(ValueError, match="convert them: ") as caught:
        CorpusReader([path])
    command = str(caught.value).partition("convert them: ")[2]
    new = tmp_path / "new.txt"
    subprocess.run(command.replace("NEW_FILE", str(new)), shell=True, check=True)
    assert [len(texts) for texts in read(str(new))[0]] == [2, 2]


@pytest.mark.parametrize(
    ("name", "content", "documents", "lost"),
    [
        ("b.txt", "春。\n夏\0。\n秋。", [["春。", "秋。"]], {"lines_with_nul": 1}),
        ("b.csv", "text\n春。\n夏\0。\n", [["春。"]], {"lines_with_nul": 1}),
        ("b.jsonl", '{"text": "春。"}\n{"text": "\0"}', [["春。"]], {"lines_with_nul": 1}),
        ("b.txt", "\0" * 3000, [], {"lines_with_nul": 1}),
        ("b.bin", b"\x01\0\x02" * 900, [], {"lines_with_nul": 1}),
    ],
)
def test_lines_with_nul_are_bad_lines(tmp_path, name, content, documents, lost):
    path = write(tmp_path, name, content)
    found, reader = read(path, rules=SKIP)
    assert (found, reader.counts) == (documents, lost)
    place = (content if isinstance(content, bytes) else content.encode()).index(0)
    with pytest.raises(ValueError, match=rf"{name}, line \d: a NUL at byte {place} of the file"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["春天来了。\n花开了。\n", "Plain letters.\nAnd more.\n" * 500])
def test_utf16_without_its_mark_is_told_by_its_right_name(tmp_path, encoding, text):
    path = write(tmp_path, "a.txt", text.encode(encoding))
    name = encoding.upper().replace("UTF-16-", "UTF-16")
    with pytest.raises(ValueError, match=f"text looks like {name}; .*iconv -f {name} -t UTF-8"):
        read(path)


def test_keys_that_no_file_needs_are_a_warning(tmp_path, caplog):
    text, rows = write(tmp_path, "a.txt", "春。"), write(tmp_path, "b.jsonl", '{"title": "夏。"}')
    rules = ReadingRules(json_key="title")
    with caplog.at_level("WARNING"):
        read(text, rows, rules=rules)
        read(text)
        assert caplog.messages == []
        read(text, rules=rules)
    assert caplog.messages == ["--json_key=title had no effect: no input file is JSON or a table"]


def test_what_is_wrong_with_files_is_found_before_the_first_is_read(tmp_path):
    good, empty = write(tmp_path, "a.txt", "春。"), write(tmp_path, "b.txt", "")
    with pytest.raises(ValueError, match="is empty"):
        CorpusReader([good, empty])
    with pytest.raises(FileNotFoundError, match=r"c\.txt"):
        CorpusReader([good, str(tmp_path / "c.txt")])


@pytest.mark.parametrize("rules", [None, SKIP])
def test_damaged_files_are_errors_in_any_case(tmp_path, rules):
    path = write(tmp_path, "a.gz", gzip.compress(os.urandom(9000).hex().encode())[:-9])
    with pytest.raises(ValueError, match=r"a\.gz: the end of this gz file is missing.*skip does"):
        read(path, rules=rules)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        (
            {"input_format": "pdf"},
            "one of auto, text, json, parquet, csv, wikiextractor, got 'pdf'",
        ),
        ({"on_bad_text": "drop"}, "on_bad_text must be one of error, skip, got 'drop'"),
    ],
)
def test_unknown_rules_are_errors(rules, complaint):
    with pytest.raises(ValueError, match=complaint):
        ReadingRules(**rules)


def test_a_real_corpus_is_read_like_a_naive_reader_does():
    folder = os.environ.get("ALBERT_ZH_TEST_DATA")
    if not folder:
        pytest.skip("ALBERT_ZH_TEST_DATA is not set")
    path = os.path.join(folder, "corpus", "modern_6mb.txt")
    with open(path, encoding="utf-8", newline="\n") as file:
        assert read(path)[0] == naive_documents(file.read())
