"""Files that are no text: refused by name before anything is read, or skipped and counted."""

import zipfile

import pytest

from albert_zh.corpus.foreign import ForeignFile, check_not_foreign
from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.records.tfrecord import frame

KINDS = {
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an RTF document": rb"{\rtf1\ansi",
    "a document of Microsoft Office": bytes.fromhex("d0cf11e0a1b11ae1"),
    "a dump of MediaWiki": b'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/"',
    "an HTML page": b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>",
    "XML": b'<?xml version="1.0"?>\n<root>',
    "a 7z archive": bytes.fromhex("377abcaf271c0004"),
    "a RAR archive": b"Rar!\x1a\x07\x01\x00",
    "an lz4 file": bytes.fromhex("04224d186440a7"),
    "a file of compress (.Z)": b"\x1f\x9d\x90a",
    "text in UTF-32": "春".encode("utf-32"),
    "a TFRecord file": frame(b"\x0a\x10\x0a\x0e\x0a\x05input"),
    "an SQLite database": b"SQLite format 3\0",
    "an array of NumPy": b"\x93NUMPY\x01\x00",
    "a pickle of Python": b"\x80\x04\x95",
    "a program": b"\x7fELF\x02\x01",
    "a PNG image": b"\x89PNG\r\n\x1a\n\0\0",
    "a JPEG image": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "a GIF image": b"GIF89a\x40\x01\xc8\0\xf7\0\0",
    "a sound or film": b"ID3\x04\x00\x00",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_text_is_refused_by_name_or_skipped(tmp_path, kind):
    (tmp_path / "a.txt").write_bytes("春。".encode())
    (tmp_path / "b").write_bytes(KINDS[kind] + bytes(100))
    paths = [str(tmp_path / name) for name in ("a.txt", "b")]
    with pytest.raises(ValueError, match=r"b is .*, which is not read; ") as raised:
        CorpusReader(paths)
    assert f"b is {kind}, which" in str(raised.value)
    reader = CorpusReader(paths, ReadingRules(on_bad_text="skip"))
    assert list(reader) == [["春。"]]
    assert reader.counts == {"files_not_text": 1}
    assert reader.inputs[1]["left_out"] == {"files_not_text": 1}
    assert reader.inputs[1]["bytes"] == (tmp_path / "b").stat().st_size


def test_a_document_stored_as_an_archive_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "a.txt").write_bytes("春。".encode())
    with zipfile.ZipFile(tmp_path / "b.docx", "w") as file:
        file.writestr("[Content_Types].xml", "<x/>")
    with pytest.raises(ForeignFile, match=r"b\.docx is a document of an office program"):
        CorpusReader([str(tmp_path / name) for name in ("a.txt", "b.docx")])


def test_all_files_are_checked_before_the_first_is_read(tmp_path):
    for name, content in {"a": b"text", "b": KINDS["a PDF"], "c": KINDS["a PNG image"]}.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ForeignFile, match=r"b is a PDF, .* \(1 more files are no text\)"):
        CorpusReader([str(tmp_path / name) for name in "abc"])


@pytest.mark.parametrize(
    "text",
    [
        "PDF是一种格式。",
        "%PDF是它的开头。",
        "BZh是bzip2的开头。",
        "PAR1是parquet的开头。",
        "PK是他的名字。",
        "MZ是开头。",
        "GIF89a是一种图片格式，GIF87a也是。",
        "Rar!是一种压缩格式。",
        "ORC、RIFF、OggS、ID3、Obj都是开头。",
        "7z是一种压缩格式。",
        "<html是一个标记。",
        "xml很常用。\n<?xml version='1.0'?>",
        "{\\frac{1}{2}}是一半。",
        '{"春"，"夏"}是一个集合。',
        "{{引用}}春天来了。",
        "[1]春天来了。",
        "<doc>春天</doc>",
        "ustar" * 100,
    ],
)
def test_a_text_is_a_text_whatever_it_begins_with(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    check_not_foreign(text.encode(), "a.txt")
    documents = list(CorpusReader([str(tmp_path / "a.txt")]))
    assert ["\n".join(document) for document in documents] == [text]


def test_a_page_is_read_as_text_where_the_user_says_so(tmp_path):
    (tmp_path / "a.html").write_text("<html>\n春。\n</html>", encoding="utf-8")
    with pytest.raises(ValueError, match="--input_format=text"):
        CorpusReader([str(tmp_path / "a.html")])
    reader = CorpusReader([str(tmp_path / "a.html")], ReadingRules(input_format="text"))
    assert list(reader) == [["<html>", "春。", "</html>"]]
