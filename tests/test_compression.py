"""Compressed files: several streams, damage, missing ends, missing packages."""

import gzip
import lzma
import sys

import pytest
import zstandard

from albert_zh.corpus.compression import PACKED_PART, packing_of, unpacked

TEXT = "".join(f"第{number}句话。\n" for number in range(3000)).encode()
PACK = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
packed_in_any_way = pytest.mark.parametrize("kind", PACK)


def unpack(stored: bytes, *, size: int = PACKED_PART) -> bytes:
    parts = [stored[begin : begin + size] for begin in range(0, len(stored), size)]
    return b"".join(unpacked(parts, packing_of(stored), "corpus"))


@packed_in_any_way
@pytest.mark.parametrize("size", [1, 7, PACKED_PART, 1 << 20])
def test_unpacked_text_is_what_was_packed_in_whatever_parts_it_comes(kind, size):
    stored = PACK[kind](TEXT)
    assert packing_of(stored).name == kind
    assert unpack(stored, size=size) == TEXT


@packed_in_any_way
@pytest.mark.parametrize("size", [1, PACKED_PART])
def test_streams_behind_each_other_are_one_text(kind, size):
    stored = PACK[kind](b"one\n") + PACK[kind](b"") + PACK[kind](TEXT) + PACK[kind](b"end")
    assert unpack(stored, size=size) == b"one\n" + TEXT + b"end"


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_zeros_between_streams_and_at_the_end_are_padding(kind):
    zeros = bytes(PACKED_PART * 4)
    assert unpack(PACK[kind](TEXT) + zeros + PACK[kind](b"end") + zeros) == TEXT + b"end"


def test_frames_of_parallel_packers_are_skipped():
    note = b"\x5a\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"
    assert unpack(note + PACK["zst"](TEXT) + note + PACK["zst"](b"end")) == TEXT + b"end"


@packed_in_any_way
@pytest.mark.parametrize("missing", [1, 5, 1000, -12])
def test_missing_end_is_an_error_that_names_the_file(kind, missing):
    stored = PACK[kind](TEXT)[:-missing]
    with pytest.raises(ValueError, match=f"corpus: the end of this {kind} file is missing"):
        unpack(stored)


@packed_in_any_way
def test_damage_is_an_error_that_names_the_file(kind):
    stored = bytearray(PACK[kind](TEXT))
    stored[len(stored) // 2] ^= 0x55
    stored[len(stored) // 2 + 1] ^= 0x55
    with pytest.raises(ValueError, match=f"corpus: this {kind} file is damaged"):
        unpack(bytes(stored))


@packed_in_any_way
def test_anything_else_behind_a_stream_is_damage(kind):
    with pytest.raises(ValueError, match="damaged"):
        unpack(PACK[kind](TEXT) + b"and a longer note")


def test_a_text_is_not_packed():
    assert packing_of(TEXT) is packing_of(b"") is packing_of(b"\xef\xbb\xbfBZh") is None


def test_no_more_than_64_mb_of_a_text_of_one_character_are_in_memory_at_once():
    stored = PACK["zst"](bytes(150_000_000))
    parts = (stored[begin : begin + PACKED_PART] for begin in range(0, len(stored), PACKED_PART))
    sizes = [len(part) for part in unpacked(parts, packing_of(stored), "corpus")]
    assert sum(sizes) == 150_000_000
    assert max(sizes) <= 64 << 20


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ValueError, match="pip install zstandard"):
        unpack(PACK["zst"](TEXT))
