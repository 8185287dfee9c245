"""Damaged files: the good records are found, whatever happened to the others."""

import gzip
import random

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.corpus.instances import Instance
from albert_zh.input.batches import evaluation_batches
from albert_zh.input.damage import brief
from albert_zh.input.files import check_records
from albert_zh.input.reading import RecordRange
from albert_zh.input.rules import OnCorrupt
from albert_zh.records.features import Layout, serialize
from albert_zh.records.manifest import RecordSet, Shard, add_set
from albert_zh.records.tfrecord import frame

LAYOUT = Layout(64, 3)
COUNT = 60


def record(number):
    """A record of random tokens, so that it can hardly be compressed."""
    rng = np.random.default_rng(number)
    return serialize(
        Instance(
            token_ids=tuple(rng.integers(9, 20_000, 64).tolist()),
            segment_ids=(0,) * 30 + (1,) * 34,
            starts=(True,) * 64,
            masked_positions=(2,),
            masked_labels=(number,),
            swapped=False,
        ),
        LAYOUT,
    )


FRAMES = [frame(record(number)) for number in range(20 * COUNT)]
CONTENT = b"".join(FRAMES[:COUNT])
ENDS = np.cumsum([len(each) for each in FRAMES[:COUNT]]).tolist()


def check(path, content, **options):
    path.write_bytes(content)
    return check_records([str(path)], on_corrupt=OnCorrupt.SKIP, **options)


def labels(files):
    """The numbers of the records, as they are read."""
    batches = evaluation_batches(files, batch_size=16, pad_last=False)
    return [number for batch in batches for number in batch["masked_lm_ids"][:, 0].numpy().tolist()]


def test_bad_records_are_left_out_and_counted(tmp_path):
    content = bytearray(CONTENT)
    for number in (7, 8, 30):
        content[ENDS[number] - 20] ^= 1
    path = tmp_path / "a.tfrecord"
    files = check(path, bytes(content))
    places = [(0, 7), (9, 21), (31, 29)]
    assert files.ranges == tuple(RecordRange(str(path), *place) for place in places)
    assert files.num_skipped == 3
    assert labels(files) == [number for number in range(COUNT) if number not in (7, 8, 30)]


@pytest.mark.parametrize("kept", [ENDS[20] - 1, ENDS[20] - 300, ENDS[19] + 5])
def test_file_that_is_cut_off_ends_with_its_last_whole_record(tmp_path, kept):
    files = check(tmp_path / "a.tfrecord", CONTENT[:kept])
    assert labels(files) == [*range(20)]
    assert files.num_skipped == 1


def test_manifest_tells_how_much_of_a_file_is_lost(tmp_path):
    shard = Shard("a.tfrecord", records=COUNT, bytes=len(CONTENT), sha256="")
    made_of = {"vocabulary": {"fingerprint": "f00d", "size": 20_000}, "inputs": []}
    add_set(str(tmp_path), RecordSet({"max_seq_length": 64}, **made_of, shards=(shard,)))
    assert check(tmp_path / "a.tfrecord", CONTENT[: ENDS[19]]).num_skipped == COUNT - 20
    assert check(tmp_path / "a.tfrecord", CONTENT[: ENDS[19] + 9]).num_skipped == COUNT - 20


def test_first_record_may_be_bad(tmp_path):
    assert labels(check(tmp_path / "a.tfrecord", frame(b"?") + CONTENT)) == [*range(COUNT)]


def test_compressed_file_that_is_cut_off_ends_with_its_last_whole_record(tmp_path):
    packed = gzip.compress(CONTENT)
    for kept in (len(packed) // 9, len(packed) // 2, len(packed) - 4):
        files = check(tmp_path / "a.tfrecord", packed[:kept])
        assert labels(files) == [*range(files.num_records)]
        assert files.num_records >= COUNT * kept // len(packed) - 5
        assert files.num_skipped >= 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_any_damage_leaves_records_that_can_be_read(tmp_path, pack):
    # TensorFlow unpacks 256 KiB at a time, which are lost where they are damaged.
    content, rng = pack(b"".join(FRAMES)), random.Random(5)
    for _ in range(6):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.randrange(len(content) * 2 // 3, len(content))] ^= 1 << rng.randrange(8)
        files = check(tmp_path / "a.tfrecord", bytes(damaged))
        found = labels(files)
        assert len(found) == files.num_records > 100
        assert found == sorted(set(found))
        assert files.num_skipped >= 1


def test_absurd_length_ends_the_file(tmp_path):
    length = (1 << 62).to_bytes(8, "little")
    absurd = length + frame(length)[-4:] + bytes(500)
    files = check(tmp_path / "a.tfrecord", CONTENT[: ENDS[4]] + absurd)
    assert labels(files) == [*range(5)]


def test_file_without_a_good_record_is_left_out_if_others_have_some(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(b"")
    (tmp_path / "b.tfrecord").write_bytes("不是记录。".encode() * 9)
    bad = [str(tmp_path / name) for name in ("a.tfrecord", "b.tfrecord")]
    with pytest.raises(ValueError, match=r"no record in .*a\.tfrecord, .*b\.tfrecord is good"):
        check_records(bad, on_corrupt=OnCorrupt.SKIP)
    (tmp_path / "c.tfrecord").write_bytes(CONTENT)
    files = check_records([*bad, str(tmp_path / "c.tfrecord")], on_corrupt=OnCorrupt.SKIP)
    assert (files.num_records, files.num_skipped) == (COUNT, 2)


def test_whole_files_have_nothing_left_out(tmp_path):
    files = check(tmp_path / "a.tfrecord", CONTENT)
    assert (files.num_records, files.num_skipped) == (COUNT, 0)


def test_brief_error_names_no_node():
    text = "{{function_node f_device_/job:x}} corrupted record at 3 [Op:IteratorGetNext] name: "
    assert brief(tf.errors.DataLossError(None, None, text)) == "corrupted record at 3"
