"""Which files are read, and what is known of a file while it is read."""

import gzip
import hashlib
import io
import os
import pathlib
import socket
import subprocess
import sys
import types

import pytest

from albert_zh.corpus.paths import expand_inputs, stored_bytes
from albert_zh.corpus.sources import Source
from albert_zh.util.files import expand_patterns

ROOT = pathlib.Path(__file__).parent.parent


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
        ("a.txt,empty", "no input file in empty"),
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
@pytest.mark.parametrize("patterns", ["part", "part/*", "part/link.txt", "b.txt,part/l*"])
def test_a_link_to_nowhere_is_one_line_before_anything_is_read(patterns):
    os.symlink("gone.txt", "part/link.txt")
    with pytest.raises(FileNotFoundError, match=r"^part/link\.txt is a link to gone\.txt, which"):
        expand_inputs(patterns)


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


@pytest.mark.usefixtures("corpus")
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "a named pipe"), (make_socket, "a socket")])
@pytest.mark.parametrize("patterns", ["part", "part/*", "**"])
def test_pipes_and_sockets_that_nobody_named_are_one_line(make, kind, patterns):
    make("part/odd")
    with pytest.raises(ValueError, match=f"^part/odd is {kind}, not a file; remove it, or name"):
        expand_inputs(patterns)


@pytest.mark.usefixtures("corpus")
def test_a_pipe_that_is_named_is_read():
    os.mkfifo("pipe")
    assert expand_inputs("pipe") == ["pipe"]


def test_what_may_not_be_read_is_one_line(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o700)
    (tmp_path / "a.txt").write_text("春。", encoding="utf-8")
    (tmp_path / "a.txt").chmod(0o600)
    tmp_path.chmod(0o755)
    lines = read_as_nobody(tmp_path)
    assert lines == [
        "cannot read the folder locked: Permission denied; change its permissions, or name the "
        "files that are wanted in --input_file",
        "cannot read a.txt: Permission denied; change its permissions, or leave it out of "
        "--input_file",
    ]


def read_as_nobody(directory) -> list[str]:
    """Errors of a reader that may read nothing of root's."""
    script = """
import os
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
else:
    os.chmod("locked", 0), os.chmod("a.txt", 0)
for patterns in ("locked", "a.txt"):
    try:
        CorpusReader(expand_inputs(patterns))
    except OSError as error:
        print(error)
"""
    imports = (
        "from albert_zh.corpus.paths import expand_inputs\n"
        "from albert_zh.corpus.reading import CorpusReader\n"
    )
    output = subprocess.check_output(
        [sys.executable, "-c", imports + script],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    return output.splitlines()


@pytest.mark.usefixtures("corpus")
@pytest.mark.parametrize("name", ["_SUCCESS", "_metadata", "_temporary/x.txt", "_committed_123"])
def test_marks_of_other_programs_are_no_input(name):
    os.makedirs(os.path.dirname(f"part/{name}"), exist_ok=True)
    with open(f"part/{name}", "w", encoding="utf-8"):
        pass
    assert expand_inputs("part") == ["part/a.txt", "part/a/1.txt", "part/z.txt"]
    assert expand_inputs(f"part/{name}") == [f"part/{name}"]


@pytest.mark.usefixtures("corpus")
def test_own_output_is_left_out_where_nobody_named_it():
    def is_output(path: str) -> bool:
        return path.endswith(("z.txt", "part/a"))

    assert expand_inputs("part", is_output=is_output) == ["part/a.txt"]
    assert expand_inputs("part/*", is_output=is_output) == ["part/a.txt"]
    assert expand_inputs("part/z.txt,part/a", is_output=is_output) == ["part/z.txt", "part/a/1.txt"]
    with pytest.raises(FileNotFoundError, match=r"no input file in part/z\*"):
        expand_inputs("part/z*", is_output=is_output)


@pytest.mark.usefixtures("corpus")
def test_a_folder_whose_name_has_signs_of_a_glob_is_searched():
    os.rename("part", "part[1]")
    assert expand_inputs("part[1]/*.txt") == ["part[1]/a.txt", "part[1]/z.txt"]
    assert expand_inputs("part[1]") == ["part[1]/a.txt", "part[1]/a/1.txt", "part[1]/z.txt"]


@pytest.mark.usefixtures("corpus")
def test_other_spellings_of_a_file_are_the_same_file(caplog):
    os.symlink("../a.txt", "part/link.txt")
    with caplog.at_level("INFO", logger="absl"):
        assert expand_inputs("a.txt,part/../a.txt,part/link.txt,b.txt") == ["a.txt", "b.txt"]
    assert caplog.messages == [
        "used once, as it is the same file: part/../a.txt is a.txt and 1 more"
    ]


@pytest.mark.usefixtures("corpus")
@pytest.mark.parametrize("name", ["x,y.txt", "part/x, y,z.txt", "[x],.txt"])
@pytest.mark.parametrize("expand", [expand_inputs, expand_patterns])
def test_a_comma_in_a_name_is_told_with_the_way_out(name, expand):
    with open(name, "w", encoding="utf-8"):
        pass
    with pytest.raises(FileNotFoundError, match="because commas separate names") as caught:
        expand(f"a.txt,{name},b.txt")
    assert str(caught.value).startswith(name)
    pattern = str(caught.value).partition("the comma (")[2].partition(")")[0]
    assert expand(f"a.txt,{pattern}") == ["a.txt", name]


@pytest.mark.usefixtures("corpus")
def test_a_url_is_refused_with_the_script_that_reads_it():
    with pytest.raises(ValueError, match=r"gs://b/a\.txt is not on this machine.*_beam\.py"):
        expand_inputs("b.txt,gs://b/a.txt")


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
