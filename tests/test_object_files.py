"""Files written through TensorFlow: whole or not at all."""

import os

import pytest

from albert_zh.util.object_files import append_line, write_bytes, write_json, write_text


def test_text_takes_the_place_of_older_text(tmp_path):
    path = str(tmp_path / "checkpoint")
    for text in ("old, and longer\n", "new\n"):
        write_text(path, text)
    assert (tmp_path / "checkpoint").read_text() == "new\n"
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_json_is_indented_and_missing_directories_are_made(tmp_path):
    path = tmp_path / "new/value.json"
    write_json(str(path), {"词": [1]})
    assert path.read_text(encoding="utf-8") == '{\n  "词": [\n    1\n  ]\n}\n'


def test_lines_are_added_at_the_end(tmp_path):
    path = str(tmp_path / "history.jsonl")
    append_line(path, "1")
    append_line(path, "2")
    assert (tmp_path / "history.jsonl").read_text() == "1\n2\n"


def test_failed_write_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match=r"taken: Is a directory; a folder is .*; remove it, or name"):
        write_bytes(str(tmp_path / "taken"), b"content")
    assert os.listdir(tmp_path) == ["taken"]
