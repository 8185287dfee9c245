"""Batches of fine-tuning: what TensorFlow gathers is what `collate` makes."""

import numpy as np
import pytest

from albert_zh.finetuning.batches import gathered_batches
from albert_zh.tasks.batches import PaddedBatch, bucket_lengths, epoch_batches
from albert_zh.tasks.features import Features, collate

NUM_EXAMPLES = 50


@pytest.fixture
def features() -> Features:
    random = np.random.default_rng(3)
    lengths = random.integers(3, 40, NUM_EXAMPLES)
    return Features(
        token_ids=random.integers(1, 100, lengths.sum(), np.int32),
        offsets=np.cumsum([0, *lengths]),
        first_lengths=np.int32(random.integers(2, lengths)),
        targets={"label_ids": random.integers(-1, 3, NUM_EXAMPLES, np.int32)},
        example_ids=np.arange(NUM_EXAMPLES),
        num_truncated=0,
    )


@pytest.mark.parametrize("batch_tokens", [None, 200])
def test_dataset_holds_what_collate_makes_of_every_batch(features, batch_tokens):
    batches = epoch_batches(
        features.lengths,
        batch_size=8,
        buckets=bucket_lengths(40),
        seed=1,
        epoch=0,
        batch_tokens=batch_tokens,
    )
    assert len({batch.padded_length for batch in batches}) > 1
    dataset = gathered_batches(features, batches)
    assert len(dataset) == len(batches)
    for padded, tensors in zip(batches, dataset, strict=True):
        expected = collate(features, padded.indices, padded_length=padded.padded_length)
        assert list(tensors) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(tensors[name], values, err_msg=name)
            assert tensors[name].dtype == values.dtype


def test_no_thread_tunes_the_batches(features):
    # On one core the end of a training would wait for that thread, for up to a minute.
    batches = gathered_batches(features, [PaddedBatch(np.arange(8), 64)])
    assert batches.options().autotune.enabled is False  # None: it is tuned


def test_shapes_are_static_as_far_as_they_are_the_same(features):
    batches = [PaddedBatch(np.arange(8), 64), PaddedBatch(np.arange(8, 16), 64)]
    varying, fixed = (
        {name: spec.shape.as_list() for name, spec in dataset.element_spec.items()}
        for dataset in (
            gathered_batches(features, batches),
            gathered_batches(features, batches, padded_length=64),
        )
    )
    names = ("input_ids", "input_mask", "segment_ids")
    assert varying == {name: [8, None] for name in names} | {"label_ids": [8]}
    assert fixed == {name: [8, 64] for name in names} | {"label_ids": [8]}
