"""Archives: their members are files, in whatever format; damage is named."""

import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import subprocess
import sys
import tarfile
import types
import zipfile

import pytest

from albert_zh.corpus.archives import detect_archive
from albert_zh.corpus.reading import CorpusReader, ReadingRules

ROOT = pathlib.Path(__file__).parent.parent
MEMBERS = {
    "corpus/a.txt": "春。\n夏。\n".encode(),
    "corpus/.hidden/x.txt": "丁。".encode(),
    "corpus/._b.txt": b"\0\5\x16\7",
    "__MACOSX/corpus/b.txt": b"\0\5\x16\7",
    "corpus/wiki_00": (json.dumps({"text": "秋。"}) + "\n").encode(),
    "corpus/c.txt.xz": lzma.compress("冬。\n\n风。".encode()),
    "corpus/d.txt": "雨。".encode("utf-16"),
    "corpus/empty.txt": b"",
}
DOCUMENTS = [["春。", "夏。"], ["秋。"], ["冬。"], ["风。"], ["雨。"]]
KINDS = ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"]


def archive(kind: str, members=None) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as stored:
            stored.writestr("corpus/", "")
            for name, content in (MEMBERS if members is None else members).items():
                stored.writestr(name, content)
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w:" + kind.partition(".")[2]) as stored:
        folder = tarfile.TarInfo("corpus")
        folder.type = tarfile.DIRTYPE
        stored.addfile(folder)
        for name, content in (MEMBERS if members is None else members).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            stored.addfile(member, io.BytesIO(content))
    return file.getvalue()


def write(directory, name, content) -> str:
    (directory / name).write_bytes(content)
    return str(directory / name)


def read(*paths, **rules) -> tuple[list[list[str]], CorpusReader]:
    reader = CorpusReader(paths, ReadingRules(**rules))
    return list(reader), reader


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["corpus.{kind}", "download"])
def test_members_are_files_of_their_own(tmp_path, kind, name):
    stored = archive(kind)
    path = write(tmp_path, name.format(kind=kind), stored)
    documents, reader = read(path)
    assert documents == list(reader) == DOCUMENTS
    assert reader.counts == {"files_empty": 1}
    assert reader.position == reader.total == len(stored)
    (entry,) = reader.inputs
    assert entry["sha256"] == hashlib.sha256(stored).hexdigest()
    assert (entry["bytes"], entry["left_out"]) == (len(stored), {"files_empty": 1})


@pytest.mark.parametrize("kind", KINDS)
def test_archives_come_through_pipes(monkeypatch, kind):
    stored = archive(kind)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(stored)))
    documents, reader = read("-")
    assert documents == DOCUMENTS
    assert reader.inputs[0]["sha256"] == hashlib.sha256(stored).hexdigest()


def test_archives_in_archives_are_read(tmp_path):
    inner = {"a.zip": archive("zip"), "b.tar.gz": archive("tar.gz")}
    documents, _ = read(write(tmp_path, "a.tar", archive("tar", inner)))
    assert documents == [*DOCUMENTS, *DOCUMENTS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_format_that_is_given_is_that_of_the_members(tmp_path, kind):
    path = write(tmp_path, f"a.{kind}", archive(kind, {"a.txt": b'{"text": "a"}'}))
    assert read(path, input_format="text")[0] == [['{"text": "a"}']]


def test_bad_lines_of_members_are_located(tmp_path):
    members = {"a.txt": "春。\n".encode(), "b.txt": "春。\n".encode() + b"\xff\n"}
    path = write(tmp_path, "a.tar", archive("tar", members))
    with pytest.raises(
        ValueError, match=r"a\.tar: b\.txt, line 2: not UTF-8 at byte 7 of the file"
    ):
        read(path)
    documents, reader = read(path, on_bad_text="skip")
    assert documents == [["春。"], ["春。"]]
    assert reader.inputs[0]["left_out"] == {"lines_not_utf8": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_an_error_that_names_the_archive(tmp_path, kind):
    content = os.urandom(30_000).hex().encode()
    stored = archive(kind, {"a.txt": content, "b.txt": content})
    for name, damaged in {
        "short": stored[: len(stored) // 2],
        "changed": stored[: len(stored) // 2] + b"\xff" * 3000 + stored[len(stored) // 2 + 3000 :],
    }.items():
        if (kind, name) == ("tar", "changed"):
            continue  # A tar file has no checksum of its content.
        path = write(tmp_path, f"{name}.{kind}", damaged)
        with pytest.raises(ValueError, match=rf"{name}\.{kind}.*(damaged|missing).*get it again"):
            read(path, on_bad_text="skip")


def _tar_in_other_states() -> dict[str, bytes]:
    """A tar archive of which tarfile alone would read the first members, and take that for all."""
    texts = {f"{number}.txt": f"第{number}个文件。\n".encode() for number in range(3)}
    stored = archive("tar", texts)  # blocks: folder, header, text, header, text, header, text, end
    header = 3 * tarfile.BLOCKSIZE
    return {
        "a byte of a header changed": stored[: header + 6] + b"X" + stored[header + 7 :],
        "a header lost": stored[:header] + bytes(512) + stored[header + 512 :],
        "cut inside a header": stored[: header + 100],
        "cut between two members": stored[:header],
        "two archives joined": stored + archive("tar", {"b.txt": b"text"}),
    }


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("state", _tar_in_other_states())
def test_no_member_of_a_tar_archive_is_lost_silently(tmp_path, state, compress):
    path = write(tmp_path, "a.tar", compress(_tar_in_other_states()[state]))
    with pytest.raises(ValueError, match=r"a\.tar: this archive is damaged \(.*get it again"):
        read(path, on_bad_text="skip")


def test_the_second_volume_of_a_tar_archive_is_no_archive(tmp_path):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as stored:
        for name, kind in (("a.txt", b"M"), ("b.txt", tarfile.REGTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, 4
            stored.addfile(member, io.BytesIO(b"text"))
    with pytest.raises(ValueError, match=r"damaged \(it continues another volume; unpack all with"):
        read(write(tmp_path, "a.tar", file.getvalue()))


def test_a_zip_archive_after_another_is_no_archive(tmp_path):
    joined = archive("zip", {"a.txt": b"text"}) + archive("zip", {"b.txt": b"text"})
    with pytest.raises(ValueError, match=r"bytes before its first member; give archives that were"):
        read(write(tmp_path, "a.zip", joined))


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
def test_an_archive_without_files_is_an_empty_file(tmp_path, name):
    stored = {"a.zip": archive("zip", {}), "a.tar": bytes(10_240), "a.tgz": bytes(10_240)}[name]
    paths = write(tmp_path, name, stored), write(tmp_path, "b.txt", b"text")
    with pytest.raises(ValueError, match=f"{name} is an archive without files; remove it"):
        read(*paths)
    assert read(*paths, on_bad_text="skip")[1].counts == {"files_empty": 1}


def test_an_encrypted_archive_is_refused(tmp_path):
    stored = bytearray(archive("zip", {"a.txt": b"text"}))
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        stored[stored.rindex(signature) + place] |= 1  # flag of the last member
    with pytest.raises(ValueError, match=r"a\.zip: .*encrypted.*unpack it first"):
        read(write(tmp_path, "a.zip", bytes(stored)))


@pytest.mark.parametrize("member", ["[Content_Types].xml", "mimetype"])
def test_documents_of_office_programs_are_refused_or_skipped(tmp_path, member):
    members = {"x/a.xml": b"<x/>", member: b"<x/>"}
    paths = write(tmp_path, "a.docx", archive("zip", members)), write(tmp_path, "b.txt", b"text")
    with pytest.raises(ValueError, match=r"a\.docx is a document of an office program"):
        read(*paths)
    documents, reader = read(*paths, on_bad_text="skip")
    assert documents == [["text"]]
    assert reader.counts == {"files_not_text": 1}
    assert len(reader.inputs) == 2


def test_members_that_are_no_text_are_refused_or_skipped(tmp_path):
    members = {"a.pdf": b"%PDF-1.4\n...", "b.txt": b"text"}
    path = write(tmp_path, "a.tar.gz", archive("tar.gz", members))
    with pytest.raises(ValueError, match=r"a\.tar\.gz: a\.pdf is a PDF, which is not read"):
        read(path)
    documents, reader = read(path, on_bad_text="skip")
    assert (documents, reader.counts) == ([["text"]], {"files_not_text": 1})


def test_a_text_is_no_archive():
    texts = [b"", b"PK", b"ustar" * 200, "春。\n".encode() * 200, gzip.compress(b"a"), bytes(1000)]
    assert [detect_archive(text) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_archive_takes_little_memory(tmp_path, kind):
    lines = "春夏秋冬东南西北。\n".encode() * 20_000
    members = {f"{number}.txt": lines for number in range(100)}
    path = write(tmp_path, f"a.{kind}", archive(kind, members))
    script = (
        "import resource, sys\n"
        "from albert_zh.corpus.reading import CorpusReader\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = used()\n"
        "count = sum(map(len, CorpusReader(sys.argv[1:])))\n"
        "print(count, (used() - before) // 1024)\n"
    )
    command = [sys.executable, "-c", script, path]
    output = subprocess.check_output(command, cwd=ROOT, text=True, timeout=60)
    count, megabytes = map(int, output.split())
    assert count == 2_000_000
    assert megabytes < 64
