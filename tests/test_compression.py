"""Compressed files: several streams, damage, missing ends, missing packages."""

import bz2
import gzip
import lzma
import sys

import pytest
import zstandard

from albert_zh.corpus.compression import COMPRESSED_PART, decompress, detect_compression

TEXT = "".join(f"第{number}句话。\n" for number in range(3000)).encode()
COMPRESS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
compressed_in_any_way = pytest.mark.parametrize("kind", COMPRESS)


def decompressed(stored: bytes, *, size: int = COMPRESSED_PART) -> bytes:
    parts = [stored[begin : begin + size] for begin in range(0, len(stored), size)]
    return b"".join(decompress(parts, detect_compression(stored), "corpus"))


@compressed_in_any_way
@pytest.mark.parametrize("size", [1, 7, COMPRESSED_PART, 1 << 20])
def test_decompressed_text_is_what_was_compressed_in_whatever_parts_it_comes(kind, size):
    stored = COMPRESS[kind](TEXT)
    assert detect_compression(stored).name == kind
    assert decompressed(stored, size=size) == TEXT


@compressed_in_any_way
@pytest.mark.parametrize("size", [1, COMPRESSED_PART])
def test_streams_behind_each_other_are_one_text(kind, size):
    stored = (
        COMPRESS[kind](b"one\n")
        + COMPRESS[kind](b"")
        + COMPRESS[kind](TEXT)
        + COMPRESS[kind](b"end")
    )
    assert decompressed(stored, size=size) == b"one\n" + TEXT + b"end"


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_zeros_between_streams_and_at_the_end_are_padding(kind):
    zeros = bytes(COMPRESSED_PART * 4)
    assert (
        decompressed(COMPRESS[kind](TEXT) + zeros + COMPRESS[kind](b"end") + zeros) == TEXT + b"end"
    )


def test_frames_of_parallel_compressors_are_skipped():
    note = b"\x5a\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"
    assert (
        decompressed(note + COMPRESS["zst"](TEXT) + note + COMPRESS["zst"](b"end")) == TEXT + b"end"
    )


@compressed_in_any_way
@pytest.mark.parametrize("missing", [1, 5, 1000, -12])
def test_missing_end_is_an_error_that_names_the_file(kind, missing):
    stored = COMPRESS[kind](TEXT)[:-missing]
    with pytest.raises(ValueError, match=f"corpus: the end of this {kind} file is missing"):
        decompressed(stored)


@compressed_in_any_way
def test_damage_is_an_error_that_names_the_file(kind):
    stored = bytearray(COMPRESS[kind](TEXT))
    stored[len(stored) // 2] ^= 0x55
    stored[len(stored) // 2 + 1] ^= 0x55
    with pytest.raises(ValueError, match=f"corpus: this {kind} file is damaged"):
        decompressed(bytes(stored))


@compressed_in_any_way
def test_anything_else_behind_a_stream_is_damage(kind):
    with pytest.raises(ValueError, match="damaged"):
        decompressed(COMPRESS[kind](TEXT) + b"and a longer note")


def test_a_text_is_not_compressed():
    assert (
        detect_compression(TEXT)
        is detect_compression(b"")
        is detect_compression(b"\xef\xbb\xbfBZh")
        is detect_compression("BZh9是文件的开头".encode())
        is None
    )


@compressed_in_any_way
def test_no_more_than_64_mb_of_a_text_of_one_character_are_in_memory_at_once(kind):
    stored = COMPRESS[kind](bytes(150_000_000))
    parts = (
        stored[begin : begin + COMPRESSED_PART] for begin in range(0, len(stored), COMPRESSED_PART)
    )
    sizes = [len(part) for part in decompress(parts, detect_compression(stored), "corpus")]
    assert sum(sizes) == 150_000_000
    assert max(sizes) <= 64 << 20


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ValueError, match="pip install zstandard"):
        decompressed(COMPRESS["zst"](TEXT))
