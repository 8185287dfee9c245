"""The TFRecord format: the same bytes as TensorFlow's, and damage found."""

import gzip
import struct

import pytest
import tensorflow as tf
from small import payloads_of

from albert_zh.records.tfrecord import count_records, frame, scan_frames

PAYLOADS = [b"", b"x", b"abc", b"\x00" * 700, bytes(range(256)) * 40]


def test_frames_are_the_bytes_tensorflow_writes(tmp_path):
    path = str(tmp_path / "tf.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert b"".join(map(frame, PAYLOADS)) == (tmp_path / "tf.tfrecord").read_bytes()


@pytest.fixture
def record_file(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(map(frame, PAYLOADS)))
    return path


def test_records_are_read_and_counted(record_file):
    assert payloads_of(record_file) == PAYLOADS
    assert count_records(str(record_file)) == len(PAYLOADS)


@pytest.mark.parametrize("kept", [5, 11, 14, 16 + 12, 16 + 17 + 12 + 2])
def test_cut_off_file_is_an_error_with_the_offset(record_file, kept):
    record_file.write_bytes(record_file.read_bytes()[:kept])
    number, offset = (0, 0) if kept < 16 else (1, 16) if kept < 33 else (2, 33)
    with pytest.raises(ValueError, match=rf"a\.tfrecord: record {number}, at byte {offset}: "):
        count_records(str(record_file))


def test_empty_file_and_other_format_are_errors(tmp_path):
    path = tmp_path / "b.tfrecord"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"b\.tfrecord is empty"):
        count_records(str(path))
    path.write_text("春天来了。\n" * 10, encoding="utf-8")
    with pytest.raises(ValueError, match="record 0, at byte 0: no record begins here"):
        count_records(str(path))


def test_compressed_records_are_read_and_counted(record_file):
    record_file.write_bytes(gzip.compress(record_file.read_bytes()))
    assert payloads_of(record_file) == PAYLOADS
    assert count_records(str(record_file)) == len(PAYLOADS)


def test_plain_file_that_begins_like_a_compressed_one_is_read(tmp_path):
    payload = bytes(struct.unpack("<H", b"\x1f\x8b")[0])
    (tmp_path / "a").write_bytes(frame(payload))
    assert (tmp_path / "a").read_bytes()[:2] == b"\x1f\x8b"
    assert payloads_of(tmp_path / "a") == [payload]


def test_compressed_file_cut_off_anywhere_is_an_error(record_file):
    whole = gzip.compress(record_file.read_bytes())
    for kept in range(12, len(whole), 3):
        record_file.write_bytes(whole[:kept])
        with pytest.raises(ValueError, match=r"a\.tfrecord: record \d, at byte [\d,]+: "):
            count_records(str(record_file))


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_scan_tells_where_frames_are_and_what_is_wrong_with_them(record_file, compress):
    content = bytearray(record_file.read_bytes())
    content[16 + 12] ^= 1
    record_file.write_bytes(compress(bytes(content[:-1])))
    found = [(each.number, each.offset, each.problem) for each in scan_frames(str(record_file))]
    ends = [16, 33, 52, 768]
    assert found == [
        (0, 0, None),
        (1, 16, "its checksum does not match"),
        *((number + 1, end, None) for number, end in enumerate(ends[1:-1], start=1)),
        (4, 768, "the file ends within this record"),
    ]


def framed_length(length):
    """The length of a frame with its checksum."""
    return frame(struct.pack("<Q", length))[12:20] + frame(struct.pack("<Q", length))[-4:]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("payloads", [True, False])
@pytest.mark.parametrize("length", [1 << 20, 1 << 31, 1 << 62, (1 << 64) - 1])
def test_absurd_length_is_no_reason_to_ask_for_memory(tmp_path, length, payloads, compress):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(compress(frame(b"abc") + framed_length(length) + bytes(2000)))
    first, last = scan_frames(str(path), payloads=payloads)
    assert (first.problem, last.number) == (None, 1)
    assert last.problem == "the file ends within this record"
