"""Small files that may be missing or damaged."""

import pytest

from albert_zh.util.small_files import read_json_if_exists


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", {}),
        (b'{"a": ', {}),
        (b"[1, 2]", {}),
        (b"7", {}),
        (b"\xff\xfe", {}),
    ],
)
def test_damaged_object_is_empty(tmp_path, content, expected):
    (tmp_path / "note.json").write_bytes(content)
    assert read_json_if_exists(str(tmp_path / "note.json")) == expected


def test_missing_object_is_none(tmp_path):
    assert read_json_if_exists(str(tmp_path / "note.json")) is None
