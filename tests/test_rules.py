"""One idea of a bad record: training, which reads batches, and the decoder always agree."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_zh.corpus.instances import Instance
from albert_zh.input.damage import READ_ERRORS
from albert_zh.input.decoding import decode
from albert_zh.input.reading import RecordReader
from albert_zh.records.features import Layout, serialize

L, P, VOCAB_SIZE = 8, 3, 50
LAYOUTS = [
    Layout(L, P, masked=masked, padded=padded)
    for masked in (True, False)
    for padded in (True, False)
]
INSTANCE = Instance(
    token_ids=(2, 11, 4, 3, 13, 3),
    segment_ids=(0, 0, 0, 0, 1, 1),
    starts=(True, True, False, True, True, True),
    masked_positions=(2, 4),
    masked_labels=(14, 13),
    swapped=True,
)
NAMES = sorted({*Layout(L, P).lengths(), *Layout(L, P, masked=False).lengths()})
INTEGERS = [-(2**63), -(2**32), -1, 0, 1, 2, 3, 5, 6, 7, 8, 49, 50, 2**31, 2**32 + 1, 2**63 - 1]
NUMBERS = [-1.0, 0.0, 0.5, 1.0, 2.0, math.inf, math.nan]


@functools.cache
def parser(layout):
    return tf.function(
        RecordReader(layout, vocab_size=VOCAB_SIZE).parser(),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def parsed(records, layout):
    """The batch of the records; None if training fails."""
    try:
        batch = parser(layout)(tf.constant(records))
    except READ_ERRORS:
        return None
    return {name: value.numpy() for name, value in batch.items()}


def decoded(record, layout):
    """The instance of the record; None if it is bad."""
    try:
        return decode(record, RecordReader(layout, vocab_size=VOCAB_SIZE).rules)
    except ValueError:
        return None


def assert_agree(record, layout):
    """Both call the record bad, or both read the same from it."""
    batch, instance = parsed([record], layout), decoded(record, layout)
    assert (batch is None) == (instance is None)
    if instance is None:
        return
    size, count = len(instance.token_ids), len(instance.masked_labels)
    assert batch["input_mask"][0].tolist() == [1] * size + [0] * (L - size)
    assert batch["input_ids"][0, :size].tolist() == instance.token_ids.tolist()
    assert batch["segment_ids"][0, :size].tolist() == instance.segment_ids.tolist()
    assert batch["next_sentence_labels"][0].tolist() == [instance.swapped]
    if layout.masked:
        assert batch["masked_lm_weights"][0].tolist() == [1.0] * count + [0.0] * (P - count)
        positions, labels = batch["masked_lm_positions"][0], batch["masked_lm_ids"][0]
        assert positions[:count].tolist() == instance.masked_positions.tolist()
        assert labels[:count].tolist() == instance.masked_labels.tolist()
    else:
        assert (batch["token_boundary"][0, :size] > 0).tolist() == instance.starts.tolist()


def change_value(draw, feature):
    values = getattr(feature, feature.WhichOneof("kind")).value
    if values and not feature.HasField("bytes_list"):
        numbers = NUMBERS if feature.HasField("float_list") else INTEGERS
        values[draw(st.integers(0, len(values) - 1))] = draw(st.sampled_from(numbers))


def change_length(draw, feature):
    values = getattr(feature, feature.WhichOneof("kind")).value
    if draw(st.booleans()):
        values.extend(values[-1:])
    else:
        del values[draw(st.integers(0, len(values))) :]


def change_type(draw, feature):
    kind = draw(st.sampled_from(["int64_list", "float_list", "bytes_list"]))
    value = b"1" if kind == "bytes_list" else 1
    getattr(feature, kind).value.extend([value] * draw(st.integers(0, L)))


def forget_type(draw, feature):
    feature.Clear()


@st.composite
def mutated(draw):
    """A record of some layout, spoilt in up to three places, and a layout to read it with."""
    stored, wanted = draw(st.sampled_from(LAYOUTS)), draw(st.sampled_from(LAYOUTS))
    layout = stored if draw(st.integers(0, 3)) else wanted
    example = tf.train.Example.FromString(serialize(INSTANCE, stored))
    stored = example.features.feature
    changes = [change_value, change_value, change_value, change_length, change_type, forget_type]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(NAMES))
        if name in stored and not draw(st.integers(0, 9)):
            del stored[name]
        elif name in stored and stored[name].WhichOneof("kind"):
            draw(st.sampled_from(changes))(draw, stored[name])
        else:
            change_type(draw, stored[name])
    return example.SerializeToString(), layout


@settings(max_examples=600)
@given(mutated())
def test_training_and_decoder_agree_on_records_that_were_spoilt(case):
    assert_agree(*case)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NAMES)
def test_training_and_decoder_agree_on_every_change_of_one_value(layout, name):
    good = tf.train.Example.FromString(serialize(INSTANCE, layout))
    if name not in layout.lengths():
        return
    kind = good.features.feature[name].WhichOneof("kind")
    for place in range(len(getattr(good.features.feature[name], kind).value)):
        for number in NUMBERS if kind == "float_list" else INTEGERS:
            example = tf.train.Example()
            example.CopyFrom(good)
            getattr(example.features.feature[name], kind).value[place] = number
            assert_agree(example.SerializeToString(), layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_bad_record_spoils_its_batch_wherever_it_stands(layout):
    good = serialize(INSTANCE, layout)
    example = tf.train.Example.FromString(good)
    example.features.feature["segment_ids"].int64_list.value[1] = 1
    bad = example.SerializeToString()
    assert parsed([good] * 3, layout) is not None
    for place in range(3):
        records = [good] * 3
        records[place] = bad
        assert parsed(records, layout) is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_good_record_is_read_by_both(layout):
    record = serialize(INSTANCE, layout)
    assert decoded(record, layout) is not None
    assert_agree(record, layout)


def test_batch_has_32_bit_integers_and_floats():
    batch = parsed([serialize(INSTANCE, LAYOUTS[0])], LAYOUTS[0])
    assert {value.dtype for value in batch.values()} == {np.dtype("int32"), np.dtype("float32")}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("input_ids", [2, 11, 4, 3, 13, 3, 50, 0]),
        ("segment_ids", [0, 0, 0, 0, 1, 1, 2, 0]),
        ("masked_lm_ids", [14, 13, -1]),
        ("masked_lm_positions", [2, 4, 8]),
    ],
)
def test_padding_that_a_model_could_not_read_is_bad_for_both(name, values):
    example = tf.train.Example.FromString(serialize(INSTANCE, LAYOUTS[0]))
    example.features.feature[name].int64_list.value[:] = values
    record = example.SerializeToString()
    assert decoded(record, LAYOUTS[0]) is None
    assert parsed([record], LAYOUTS[0]) is None
