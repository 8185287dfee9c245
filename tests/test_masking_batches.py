"""Masking of batches alone: static shapes, and the one way of masking that it refuses.

The claims that hold of instances and batches alike are in `test_masking_conformance.py`.
"""

import dataclasses

import pytest
import tensorflow as tf

from albert_zh.masking.batches import BatchMasking
from albert_zh.masking.recipe import MaskingRecipe

RECIPE = MaskingRecipe(
    masked_lm_prob=0.3,
    max_predictions_per_seq=7,
    mask_id=4,
    special_ids=frozenset((2, 3)),
    random_ids=(8, 9),
)


def test_text_of_special_tokens_alone_has_nothing_masked():
    batch = {
        "input_ids": tf.constant([[2, 3, 0, 0]]),
        "input_mask": tf.constant([[1, 1, 0, 0]]),
        "token_boundary": tf.constant([[1, 1, 0, 0]]),
    }
    masked = BatchMasking(RECIPE)(batch, tf.constant([1, 2]))
    assert masked["input_ids"].numpy().tolist() == [[2, 3, 0, 0]]
    assert masked["masked_lm_weights"].numpy().tolist() == [[0.0] * 7]


def test_shapes_are_static():
    traced = tf.function(BatchMasking(RECIPE), autograph=False)
    concrete = traced.get_concrete_function(
        {
            name: tf.TensorSpec([5, 40], tf.int32)
            for name in ("input_ids", "input_mask", "token_boundary")
        },
        tf.TensorSpec([2], tf.int64),
    )
    shapes = {name: spec.shape.as_list() for name, spec in concrete.structured_outputs.items()}
    assert shapes == {
        "input_ids": [5, 40],
        "masked_lm_positions": [5, 7],
        "masked_lm_ids": [5, 7],
        "masked_lm_weights": [5, 7],
    }


def test_permutation_is_refused():
    with pytest.raises(ValueError, match="tokens are permuted while records are written"):
        BatchMasking(dataclasses.replace(RECIPE, permute=True))
