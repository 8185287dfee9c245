"""Record bytes: their values in TensorFlow, and their one canonical form."""

import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_zh.corpus.instances import Instance
from albert_zh.records.features import Layout, serialize

ROOT = pathlib.Path(__file__).parent.parent

INSTANCE = Instance(
    token_ids=(101, 2769, 4263, 103, 103, 102, 800, 102),
    segment_ids=(0, 0, 0, 0, 0, 0, 1, 1),
    starts=(True, True, True, True, False, True, True, True),
    masked_positions=(3, 4),
    masked_labels=(1266, 776),
    swapped=True,
)
# What the published script writes for the instance with lengths 10 and 4.
PUBLISHED = {
    "input_ids": [101, 2769, 4263, 103, 103, 102, 800, 102, 0, 0],
    "input_mask": [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
    "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
    "masked_lm_positions": [3, 4, 0, 0],
    "masked_lm_ids": [1266, 776, 0, 0],
    "masked_lm_weights": [1.0, 1.0, 0.0, 0.0],
    "next_sentence_labels": [1],
}
EXPECTED = {
    Layout(10, 4): PUBLISHED,
    Layout(10, 4, padded=False): {
        "input_ids": [101, 2769, 4263, 103, 103, 102, 800, 102],
        "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1],
        "masked_lm_positions": [3, 4],
        "masked_lm_ids": [1266, 776],
        "next_sentence_labels": [1],
    },
    Layout(10, 4, masked=False): {
        "input_ids": [101, 2769, 4263, 103, 103, 102, 800, 102, 0, 0],
        "input_mask": [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
        "token_boundary": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0],
        "next_sentence_labels": [1],
    },
    Layout(10, 4, masked=False, padded=False): {
        "input_ids": [101, 2769, 4263, 103, 103, 102, 800, 102],
        "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1],
        "token_boundary": [1, 1, 1, 1, 0, 1, 1, 1],
        "next_sentence_labels": [1],
    },
}
layouts = pytest.mark.parametrize(
    "layout", EXPECTED, ids=["published", "compact", "dynamic", "dynamic and compact"]
)


def values_of(record):
    example = tf.train.Example.FromString(record)
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in example.features.feature.items()
    }


@layouts
def test_record_holds_the_features_of_its_layout(layout):
    assert values_of(serialize(INSTANCE, layout)) == EXPECTED[layout]


@layouts
def test_lengths_are_those_of_the_longest_record(layout):
    full = Layout(8, 2, masked=layout.masked, padded=layout.padded)
    values = values_of(serialize(INSTANCE, full))
    assert {name: len(found) for name, found in values.items()} == full.lengths()


@layouts
def test_record_is_canonical_protobuf(layout):
    """TensorFlow's own deterministic serialisation of the example is the same, byte for byte."""
    record = serialize(INSTANCE, layout)
    example = tf.train.Example.FromString(record)
    assert example.SerializeToString(deterministic=True) == record


def test_record_is_read_by_the_published_fixed_length_parse():
    parsed = tf.io.parse_single_example(
        serialize(INSTANCE, Layout(10, 4)),
        {
            "input_ids": tf.io.FixedLenFeature([10], tf.int64),
            "input_mask": tf.io.FixedLenFeature([10], tf.int64),
            "segment_ids": tf.io.FixedLenFeature([10], tf.int64),
            "masked_lm_positions": tf.io.FixedLenFeature([4], tf.int64),
            "masked_lm_ids": tf.io.FixedLenFeature([4], tf.int64),
            "masked_lm_weights": tf.io.FixedLenFeature([4], tf.float32),
            "next_sentence_labels": tf.io.FixedLenFeature([1], tf.int64),
        },
    )
    assert {name: value.numpy().tolist() for name, value in parsed.items()} == PUBLISHED


@settings(max_examples=30)
@given(st.lists(st.integers(0, 300_000), min_size=5, max_size=300), st.booleans())
def test_ids_of_any_size_survive(token_ids, swapped):
    instance = Instance(
        token_ids=tuple(token_ids),
        segment_ids=(0,) * len(token_ids),
        starts=(True,) * len(token_ids),
        masked_positions=(len(token_ids) - 1,),
        masked_labels=(token_ids[-1],),
        swapped=swapped,
    )
    values = values_of(serialize(instance, Layout(300, 1)))
    assert values["input_ids"][: len(token_ids)] == token_ids
    assert values["masked_lm_ids"] == token_ids[-1:]
    assert values["masked_lm_positions"] == [len(token_ids) - 1]
    assert values["next_sentence_labels"] == [int(swapped)]


def test_benchmark_compares_all_layouts_with_the_protobuf_runtime(tmp_path):
    (tmp_path / "corpus.txt").write_text("今天下雨。\n我们在家看书。\n", encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "benchmarks" / "records.py"),
            f"--input_file={tmp_path / 'corpus.txt'}",
            "--rounds=1",
        ],
        capture_output=True,
        text=True,
    )
    names = [line.partition("  ")[0] for line in done.stdout.splitlines()[2:]]
    assert names == ["masked, padded", "masked, compact", "dynamic, padded", "dynamic, compact"], (
        done.stderr
    )
