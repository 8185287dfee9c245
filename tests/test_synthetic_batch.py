"""Made-up batches: of the right form, and the same for the same seed."""

import numpy as np
import pytest
import small

from albert_zh.testing.synthetic_batch import made_up_batch

SIZES = {
    "batch_size": 5,
    "max_seq_length": 10,
    "max_predictions_per_seq": 4,
    "vocab_size": len(small.VOCABULARY),
}


def test_the_batch_has_the_features_of_a_training_batch():
    batch = made_up_batch(**SIZES)
    assert {name: (values.shape, values.dtype.name) for name, values in batch.items()} == {
        "input_ids": ((5, 10), "int32"),
        "input_mask": ((5, 10), "int32"),
        "segment_ids": ((5, 10), "int32"),
        "masked_lm_positions": ((5, 4), "int32"),
        "masked_lm_ids": ((5, 4), "int32"),
        "masked_lm_weights": ((5, 4), "float32"),
        "sentence_order": ((5,), "int32"),
    }


def test_ids_are_of_the_vocabulary_and_a_row_masks_no_token_twice():
    batch = made_up_batch(**SIZES | {"batch_size": 200})
    for name in ("input_ids", "masked_lm_ids"):
        assert set(np.unique(batch[name])) == set(range(SIZES["vocab_size"]))
    positions = batch["masked_lm_positions"]
    assert set(np.unique(positions)) == set(range(1, 10))
    assert (np.diff(positions) > 0).all()
    assert (np.diff(batch["segment_ids"]) >= 0).all()  # one segment, then the other
    assert (batch["segment_ids"][:, [0, -1]] == [0, 1]).all()
    assert set(batch["sentence_order"]) == {0, 1}


def test_the_seed_decides_the_batch():
    first, again, other = (made_up_batch(**SIZES, seed=seed) for seed in (3, 3, 4))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    assert (first["input_ids"] != other["input_ids"]).any()


def test_more_masks_than_tokens_are_an_error():
    with pytest.raises(ValueError, match="max_predictions_per_seq 10 is too large"):
        made_up_batch(**SIZES | {"max_predictions_per_seq": 10})
