"""Record bytes: what TensorFlow parses from them, and that they never vary."""

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_zh.corpus.instances import Instance
from albert_zh.records.features import feature_lengths, serialize

INSTANCE = Instance(
    token_ids=(101, 2769, 4263, 103, 103, 102, 800, 102),
    segment_ids=(0, 0, 0, 0, 0, 0, 1, 1),
    masked_positions=(3, 4),
    masked_labels=(1266, 776),
    swapped=True,
)
# What the published script writes for the instance with lengths 10 and 4.
EXPECTED = {
    "input_ids": [101, 2769, 4263, 103, 103, 102, 800, 102, 0, 0],
    "input_mask": [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
    "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0],
    "masked_lm_positions": [3, 4, 0, 0],
    "masked_lm_ids": [1266, 776, 0, 0],
    "masked_lm_weights": [1.0, 1.0, 0.0, 0.0],
    "next_sentence_labels": [1],
}


def values_of(record):
    example = tf.train.Example.FromString(record)
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in example.features.feature.items()
    }


def test_record_holds_the_published_features():
    record = serialize(INSTANCE, max_seq_length=10, max_predictions_per_seq=4)
    assert values_of(record) == EXPECTED


def test_record_is_read_by_the_published_fixed_length_parse():
    record = serialize(INSTANCE, max_seq_length=10, max_predictions_per_seq=4)
    parsed = tf.io.parse_single_example(
        record,
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
    assert {name: value.numpy().tolist() for name, value in parsed.items()} == EXPECTED


def test_record_is_canonical_protobuf():
    """TensorFlow's own deterministic serialisation of the example is the same, byte for byte."""
    record = serialize(INSTANCE, max_seq_length=10, max_predictions_per_seq=4)
    example = tf.train.Example.FromString(record)
    assert example.SerializeToString(deterministic=True) == record


@settings(max_examples=30)
@given(st.lists(st.integers(0, 300_000), min_size=5, max_size=300), st.booleans())
def test_ids_of_any_size_survive(token_ids, swapped):
    instance = Instance(
        token_ids=tuple(token_ids),
        segment_ids=(0,) * len(token_ids),
        masked_positions=(len(token_ids) - 1,),
        masked_labels=(token_ids[-1],),
        swapped=swapped,
    )
    values = values_of(serialize(instance, max_seq_length=300, max_predictions_per_seq=1))
    assert values["input_ids"][: len(token_ids)] == token_ids
    assert values["masked_lm_ids"] == token_ids[-1:]
    assert values["masked_lm_positions"] == [len(token_ids) - 1]
    assert values["next_sentence_labels"] == [int(swapped)]
    lengths = feature_lengths(max_seq_length=300, max_predictions_per_seq=1)
    assert {name: len(value) for name, value in values.items()} == lengths
