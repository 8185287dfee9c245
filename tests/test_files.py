"""Writing whole files or none, hashes, and lists of input files."""

import errno
import gzip
import hashlib
import json
import os
import re

import pytest

from albert_zh.util.files import (
    WriteError,
    atomic_write,
    expand_patterns,
    read_lines,
    sha256_of_file,
    write_json,
)


def test_written_file_replaces_the_old_one_whole(tmp_path):
    path = tmp_path / "result.bin"
    path.write_bytes(b"old")
    with atomic_write(str(path)) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["result.bin"]


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "result.bin"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_write(str(path)) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["result.bin"]


def test_interruption_just_after_the_file_took_its_place_stays_one(tmp_path, monkeypatch):
    replace = os.replace

    def replace_and_interrupt(*paths):
        replace(*paths)
        raise KeyboardInterrupt

    def write() -> None:
        with atomic_write(str(tmp_path / "result.bin")) as file:
            file.write(b"whole")

    monkeypatch.setattr(os, "replace", replace_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert (tmp_path / "result.bin").read_bytes() == b"whole"


def test_write_that_fails_names_the_file_and_the_way_out(tmp_path):
    path = tmp_path / "result.bin"

    def fill_the_disk() -> None:
        with atomic_write(str(path)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(
        WriteError, match=f"cannot write {path}: No space left on device; make room"
    ):
        fill_the_disk()
    (tmp_path / "file").touch()
    with pytest.raises(
        WriteError, match=f"cannot write {tmp_path}/file/a: Not a directory; a file"
    ):
        write_json(f"{tmp_path}/file/a/b", {})


def test_error_of_reading_during_a_write_stays_what_it_is(tmp_path):
    def copy() -> None:
        with atomic_write(str(tmp_path / "copy")):
            (tmp_path / "nosuch").read_bytes()

    with pytest.raises(FileNotFoundError, match="nosuch"):
        copy()


def test_missing_directories_are_made_and_text_is_utf8_with_plain_line_ends(tmp_path):
    path = tmp_path / "a/b/text.txt"
    with atomic_write(str(path), "w") as file:
        file.write("我\n爱\n")
    assert path.read_bytes() == "我\n爱\n".encode()


def test_written_file_has_the_permissions_of_an_ordinary_one(tmp_path):
    umask = os.umask(0o027)
    try:
        with atomic_write(str(tmp_path / "file")):
            pass
    finally:
        os.umask(umask)
    assert os.stat(tmp_path / "file").st_mode & 0o777 == 0o640


def test_json_holds_names_that_are_no_utf8(tmp_path):
    name = os.fsdecode(b"bad\xff.txt")
    write_json(str(tmp_path / "a.json"), {"file": name})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n  "file": "bad\\udcff.txt"\n}\n'
    assert json.loads(text) == {"file": name}


def test_json_is_readable_and_ends_with_a_line_end(tmp_path):
    path = tmp_path / "value.json"
    write_json(str(path), {"词": [1, 2]})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {"词": [1, 2]}
    assert "词" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("春\n\n夏", ["春", "", "夏"]),
        ("春\r\n夏\r\n", ["春", "夏"]),
        ("\ufeff春\n\ufeff夏\n", ["春", "\ufeff夏"]),
        ("春\r\r\n夏\r", ["春", "夏"]),
        (" 春\u2028夏\x85秋 \n", [" 春\u2028夏\x85秋 "]),
        ("", []),
    ],
)
def test_only_line_ends_end_lines(tmp_path, content, lines):
    (tmp_path / "file").write_bytes(content.encode())
    assert list(read_lines(str(tmp_path / "file"))) == lines


@pytest.mark.parametrize(
    ("content", "line", "byte", "advice"),
    [
        ("春。\n".encode() + "夏".encode("gb18030"), 2, 7, "repair the line$"),
        ("春。\n夏。".encode("gb18030"), 1, 0, "iconv -f GB18030 -t UTF-8 .*file$"),
        (b"\xef\xbb\xbf\xff", 1, 3, "repair the line$"),
        ("春".encode("utf-16"), 1, 0, "iconv -f UTF-16 "),
        (b"a" * 1500 + b"\n" + b"b\xe6\x98", 2, 1502, "give a text file$"),
        (b"a\n" * 9000 + "春。\n".encode("big5"), 9001, 18000, "iconv -f Big5 "),
    ],
)
def test_bytes_that_are_not_utf8_are_located(tmp_path, content, line, byte, advice):
    (tmp_path / "file").write_bytes(content)
    place = rf"file, line {line}: not UTF-8 at byte {byte} .*{advice}"
    with pytest.raises(ValueError, match=place):
        list(read_lines(str(tmp_path / "file")))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("春\n夏\0\n", r"line 2: a NUL at byte 7 of the file \(0x00\); .* \(tr -d '\\000'\)$"),
        ("\ufeff\0\n", "line 1: a NUL at byte 3"),
        ("春 夏\r秋 冬\r", r"line 1: a CR inside the line, .*tr '\\r' '\\n' < .*file > NEW_FILE$"),
        ("春\r\n夏\r秋\n", "line 2: a CR inside the line"),
    ],
)
def test_bytes_that_no_line_has_are_located(tmp_path, content, problem):
    path = tmp_path / "file"
    path.write_bytes(content.encode())
    with pytest.raises(ValueError, match=problem):
        list(read_lines(str(path)))


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"PK\x03\x04\x14\0\6\0", "ZIP archive, as Excel's workbooks are; save the sheet as CSV"),
        (gzip.compress(b"text,label\n"), r"packed with gzip; let its name end with \.gz"),
    ],
    ids=["ZIP", "gzip"],  # the bytes hold the time
)
def test_archives_under_the_name_of_a_text_are_told(tmp_path, content, advice):
    (tmp_path / "my.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"my\.csv, line 1: .*{advice}"):
        list(read_lines(str(tmp_path / "my.csv")))


def test_utf16_without_a_mark_is_told_from_stray_nuls(tmp_path):
    path = tmp_path / "file"
    path.write_bytes("one\ntwo\n".encode("utf-16-le"))
    with pytest.raises(ValueError, match=r"a NUL at byte 1 .*looks like UTF-16LE; convert it"):
        list(read_lines(str(path)))


def test_hash_is_that_of_the_whole_file(tmp_path):
    content = bytes(range(256)) * 9000  # more than the file is read in at a time
    (tmp_path / "file").write_bytes(content)
    assert sha256_of_file(str(tmp_path / "file")) == hashlib.sha256(content).hexdigest()


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).touch()
    (tmp_path / "folder.txt").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        ("b.txt", ["b.txt"]),
        ("*.txt", ["a.txt", "b.txt"]),
        ("c.csv, *.txt,", ["c.csv", "a.txt", "b.txt"]),
        ("b.txt,*.txt", ["b.txt", "a.txt"]),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_patterns_name_files_in_order_and_once(patterns, paths):
    assert expand_patterns(patterns) == paths


@pytest.mark.parametrize(
    ("patterns", "complaint"),
    [("a.txt,no*.txt", "no file matches 'no\\*.txt'"), (" , ", "list of input files is empty")],
)
@pytest.mark.usefixtures("corpus")
def test_pattern_without_a_file_is_an_error(patterns, complaint):
    with pytest.raises(FileNotFoundError, match=complaint):
        expand_patterns(patterns)


def test_nothing_is_written_to_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(ValueError, match=r"^gs://bucket/a is not on this machine"),
        atomic_write("gs://bucket/a"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        (
            "data/news.tfrecrd",
            "did you mean data/news.tfrecord?",
        ),
        ("dta/news.tfrecord", "there is no folder dta; did you mean data?"),
        ("data/new*.txt", "check the path (working directory: "),
        ("zzz", "check the path (working directory: "),
    ],
)
def test_near_names_of_missing_input_are_proposed(pattern, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "news.tfrecord").write_text("")
    with pytest.raises(FileNotFoundError, match=re.escape(answer)):
        expand_patterns(pattern)


def test_damaged_gzip_file_is_named(tmp_path):
    path = tmp_path / "my.csv.gz"
    whole = gzip.compress(os.urandom(4096).hex().encode())
    flipped = bytes([*whole[:2000], *(byte ^ 255 for byte in whole[2000:2100]), *whole[2100:]])
    for damaged in (whole[:-500], b"text,label\n", flipped):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"my.csv.gz cannot be decompressed \(.*copy it again"):
            list(read_lines(str(path)))


def test_lines_of_gzip_files_are_read_and_bad_bytes_in_them_named(tmp_path):
    path = tmp_path / "MY.CSV.GZ"
    path.write_bytes(gzip.compress("甲\n乙\n".encode()))
    assert list(read_lines(str(path))) == ["甲", "乙"]
    path.write_bytes(gzip.compress("甲\n".encode() + "今天天气".encode("gbk")))
    with pytest.raises(ValueError, match=r"line 2: not UTF-8 at byte 4 .*GB"):
        list(read_lines(str(path)))
