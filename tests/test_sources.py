"""Which files are read, and what is known of a file while it is read."""

import gzip
import hashlib
import io
import os
import types

import pytest

from albert_zh.corpus.sources import Source, expand_inputs, stored_bytes


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    files = "b.txt a.txt c.csv .hidden [1].txt"
    files += " part/z.txt part/a/1.txt part/a.txt part/.git/x.txt part/a/.y.txt"
    for file in files.split():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty/.git").mkdir(parents=True)
    (tmp_path / "empty/.git/x.txt").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        ("b.txt", ["b.txt"]),
        ("c.csv, ?.txt,", ["c.csv", "a.txt", "b.txt"]),
        ("b.txt,?.txt", ["b.txt", "a.txt"]),
        ("part", ["part/a.txt", "part/a/1.txt", "part/z.txt"]),
        ("part/", ["part/a.txt", "part/a/1.txt", "part/z.txt"]),
        ("part/a*", ["part/a/1.txt", "part/a.txt"]),
        ("part/**/*.txt", ["part/a.txt", "part/a/1.txt", "part/z.txt"]),
        ("[1].txt", ["[1].txt"]),
        ("-", ["-"]),
        ("b.txt,-,part/a,-", ["b.txt", "-", "part/a/1.txt"]),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_patterns_name_files_in_order_and_once(patterns, paths):
    assert expand_inputs(patterns) == paths


@pytest.mark.parametrize(
    ("patterns", "complaint"),
    [
        ("a.txt,no*.txt", "no file matches 'no\\*.txt'"),
        ("a.txt,empty", "no file in the directory empty"),
        (" , ", "list of input files is empty"),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_pattern_without_a_file_is_an_error(patterns, complaint):
    with pytest.raises(FileNotFoundError, match=complaint):
        expand_inputs(patterns)


@pytest.mark.usefixtures("corpus")
def test_links_to_folders_are_followed_but_not_in_circles():
    os.symlink("../part", "empty/other")
    os.symlink("..", "part/a/back")
    assert expand_inputs("empty") == [
        "empty/other/a.txt",
        "empty/other/a/1.txt",
        "empty/other/z.txt",
    ]


@pytest.mark.usefixtures("corpus")
def test_a_link_to_nowhere_is_missed_before_anything_is_read():
    os.symlink("gone.txt", "part/link.txt")
    with pytest.raises(FileNotFoundError, match=r"part/link\.txt"):
        list(map(stored_bytes, expand_inputs("part")))


def test_size_is_that_of_the_file_as_stored_and_unknown_of_pipes(tmp_path):
    (tmp_path / "text").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe")
    assert stored_bytes(str(tmp_path / "text")) == 3
    assert stored_bytes(str(tmp_path / "pipe")) is None
    assert stored_bytes("-") is None


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_file_is_hashed_and_counted_as_stored_while_its_text_is_read(tmp_path, compress):
    text = os.urandom(5000).hex().encode() * 300
    stored = compress(text)
    path = tmp_path / "text"
    path.write_bytes(stored)
    source = Source(str(path))
    positions, read = [], []
    for part in source:
        positions.append(source.position)
        read.append(part)
    assert b"".join(read) == text
    assert len(positions) > 2
    assert positions == sorted(positions)
    assert source.position == len(stored)
    assert source.manifest_entry() == {
        "file": str(path),
        "bytes": len(stored),
        "sha256": hashlib.sha256(stored).hexdigest(),
    }
    assert (source.is_compressed, source.is_empty) == (compress is gzip.compress, False)


@pytest.mark.parametrize("stored", [b"", gzip.compress(b"", mtime=0)])
def test_file_without_text_is_empty(tmp_path, stored):
    (tmp_path / "text").write_bytes(stored)
    source = Source(str(tmp_path / "text"))
    assert list(source) == []
    assert source.is_empty


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_dash_is_standard_input_compressed_or_not(monkeypatch, compress):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(compress(b"text"))))
    source = Source("-")
    assert b"".join(source) == b"text"
    assert source.name == "standard input"
    assert source.manifest_entry()["sha256"] == hashlib.sha256(compress(b"text")).hexdigest()
