"""Records read back: every layout, other toolkits' records, and what is wrong with bad ones."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.corpus.instances import Instance
from albert_zh.input.decoding import decode, read_stored
from albert_zh.input.rules import RecordRules
from albert_zh.records.features import Layout, serialize
from albert_zh.records.tfrecord import frame

INSTANCE = Instance(
    token_ids=(2, 11, 12, 4, 5, 3, 13, 3),
    segment_ids=(0, 0, 0, 0, 0, 0, 1, 1),
    starts=(True, True, True, True, False, True, True, True),
    masked_positions=(3, 4),
    masked_labels=(14, 5),
    swapped=True,
)
PADDED = Layout(10, 4)
LAYOUTS = [
    Layout(10, 4, masked=masked, padded=padded)
    for masked in (True, False)
    for padded in (True, False)
]
# The record of PADDED, as the published toolkits write it.
PUBLISHED = {
    "input_ids": [2, 11, 12, 4, 5, 3, 13, 3, 0, 0],
    "input_mask": [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
    "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
    "masked_lm_positions": [3, 4, 0, 0],
    "masked_lm_ids": [14, 5, 0, 0],
    "masked_lm_weights": [1.0, 1.0, 0.0, 0.0],
    "next_sentence_labels": [1],
}


def example(values):
    """The bytes of a tf.Example, written by TensorFlow."""
    stored = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=value))
        if name == "masked_lm_weights"
        else tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        for name, value in values.items()
    }
    features = tf.train.Features(feature=stored)
    return tf.train.Example(features=features).SerializeToString()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_back_what_was_stored(layout):
    stored = decode(serialize(INSTANCE, layout))
    assert stored.token_ids.tolist() == list(INSTANCE.token_ids)
    assert stored.segment_ids.tolist() == list(INSTANCE.segment_ids)
    assert stored.swapped
    assert stored.num_segments == 2
    assert stored.masked_positions.tolist() == ([3, 4] if layout.masked else [])
    assert stored.masked_labels.tolist() == ([14, 5] if layout.masked else [])
    starts = None if stored.starts is None else stored.starts.tolist()
    assert starts == (None if layout.masked else list(INSTANCE.starts))


@pytest.mark.parametrize(
    ("layout", "found"),
    [
        (PADDED, PADDED),
        (replace(PADDED, padded=False), Layout(8, 2, padded=False)),
        (replace(PADDED, masked=False), Layout(10, 0, masked=False)),
    ],
)
def test_layout_is_told_by_the_record(layout, found):
    assert decode(serialize(INSTANCE, layout)).layout == found


def test_google_record_has_masks_and_word_starts():
    google = PUBLISHED | {
        "token_boundary": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0],
        "masked_lm_positions": [3, 4, 6, 0, 0, 0, 0, 0],
        "masked_lm_ids": [14, 5, 12, 0, 0, 0, 0, 0],
        "masked_lm_weights": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    }
    stored = decode(example(google))
    assert stored.layout == Layout(10, 8)
    assert stored.masked_positions.tolist() == [3, 4, 6]
    assert stored.starts.tolist() == list(INSTANCE.starts)


def test_word_starts_beside_masks_are_left_out_if_they_do_not_fit():
    """Training does not read them, so they make no record bad."""
    assert decode(example(PUBLISHED | {"token_boundary": [1] * 9})).starts is None


def without(name):
    return {key: value for key, value in PUBLISHED.items() if key != name}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {},
            "it lacks input_ids, segment_ids, masked_lm_positions, masked_lm_ids, next",
        ),
        (without("segment_ids"), "it lacks segment_ids"),
        (without("masked_lm_positions"), "it lacks masked_lm_positions"),
        (without("masked_lm_weights"), "it lacks masked_lm_weights"),
        (PUBLISHED | {"segment_ids": [0] * 9}, "segment_ids has 9 values, but input_ids has 10"),
        (PUBLISHED | {"masked_lm_ids": [1]}, "masked_lm_ids has 1 values, but .*positions has 4"),
        (PUBLISHED | {"input_mask": [1, 0] * 5}, "input_mask is not ones followed by zeros"),
        (PUBLISHED | {"input_mask": [0] * 10}, "input_ids has no token"),
        (PUBLISHED | {"segment_ids": [0, 1] * 5}, "segment_ids is not zeros followed by ones"),
        (PUBLISHED | {"masked_lm_positions": [3, 8, 0, 0]}, "masked_lm_positions points outside"),
        (PUBLISHED | {"masked_lm_positions": [-1, 4, 0, 0]}, "masked_lm_positions points outside"),
        (PUBLISHED | {"next_sentence_labels": [2]}, r"next_sentence_labels is \[2\], not \[0\] or"),
        (PUBLISHED | {"next_sentence_labels": []}, "next_sentence_labels has 0 values, not 1"),
    ],
)
def test_features_that_contradict_each_other_are_an_error(values, problem):
    with pytest.raises(ValueError, match=problem):
        decode(example(values))


def test_bytes_that_are_no_example_are_an_error():
    with pytest.raises(ValueError, match=r"not a tf\.Example"):
        decode(b"\xff\xff\xff")


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (RecordRules(max_seq_length=12), "input_ids has 10 values, not 12"),
        (RecordRules(max_seq_length=9), "input_ids has 10 values, not 9"),
        (RecordRules(max_predictions_per_seq=5), "masked_lm_ids has 4 values, not 5"),
        (RecordRules(vocab_size=13), "input_ids goes beyond the 13 entries"),
        (RecordRules(vocab_size=14), "masked_lm_ids goes beyond the 14 entries"),
    ],
)
def test_padded_record_has_exactly_the_lengths_of_the_recipe(rules, problem):
    with pytest.raises(ValueError, match=problem):
        decode(serialize(INSTANCE, PADDED), rules)


def test_compact_record_has_at_most_the_lengths_of_the_recipe():
    compact = serialize(INSTANCE, replace(PADDED, padded=False))
    decode(compact, RecordRules(max_seq_length=8, max_predictions_per_seq=9, vocab_size=15))
    with pytest.raises(ValueError, match="input_ids has 8 values, not at most 7"):
        decode(compact, RecordRules(max_seq_length=7))


RECORD = serialize(INSTANCE, PADDED)
SIZE = len(frame(RECORD))


def read(path):
    return [(each.number, each.offset, each.problem) for each in read_stored(str(path))]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_records_of_a_file_have_their_number_and_offset(tmp_path, pack):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(pack(frame(RECORD) * 3))
    records = list(read_stored(str(path)))
    assert read(path) == [(0, 0, None), (1, SIZE, None), (2, 2 * SIZE, None)]
    np.testing.assert_array_equal(records[2].instance.token_ids, INSTANCE.token_ids)


def damaged(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_flipped_bit_in_a_record_does_not_hide_the_next(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(damaged(frame(RECORD) * 3, SIZE + 50))
    assert read(path) == [
        (0, 0, None),
        (1, SIZE, "its checksum does not match"),
        (2, 2 * SIZE, None),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (damaged(frame(RECORD) * 3, SIZE), "no record begins here, and what follows"),
        (frame(RECORD) + "不是记录。".encode() * 9, "no record begins here, and what follows"),
        (frame(RECORD) + frame(RECORD)[:7], "no record begins here, and what follows"),
        (frame(RECORD) + frame(RECORD)[:40], "the file ends within this record"),
        (frame(RECORD) + frame(RECORD)[:-1], "the file ends within this record"),
    ],
)
def test_reading_ends_where_the_length_of_a_record_is_lost(tmp_path, content, problem):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(content)
    (first, (number, offset, found)) = read(path)
    assert first == (0, 0, None)
    assert (number, offset) == (1, SIZE)
    assert found.startswith(problem)


def test_compressed_file_that_is_cut_off_is_a_problem_at_its_end(tmp_path):
    path = tmp_path / "a.tfrecord.gz"
    rng = np.random.default_rng(1)
    noise = [frame(rng.bytes(20_000)) for _ in range(5)]
    path.write_bytes(gzip.compress(b"".join(noise))[:-30_000])
    *_, (number, offset, problem) = read(path)
    assert problem == "the compressed data is damaged or cut off"
    assert 0 < number < 4
    assert offset == number * len(noise[0])


def test_record_that_is_bad_inside_is_a_problem_of_that_record(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(RECORD) + frame(example({})) + frame(RECORD))
    (_, middle, last) = read(path)
    assert middle[:2] == (1, SIZE)
    assert middle[2].startswith("it lacks input_ids")
    assert last == (2, SIZE + len(frame(example({}))), None)


def test_records_of_the_published_script_are_whole(golden_dir):
    path = golden_dir / "data" / "wwm_seq128_dupe2.tfrecord.gz"
    rules = RecordRules(max_seq_length=128, max_predictions_per_seq=20, vocab_size=21128)
    records = list(read_stored(str(path), rules))
    assert len(records) == 140
    assert {record.problem for record in records} == {None}
    assert {record.instance.layout for record in records} == {Layout(128, 20)}
