"""Heads: where they read, and in which type they answer."""

import numpy as np
import tensorflow as tf
from goldens import golden_case

from albert_zh.model.heads import Classifier


def test_masked_lm_head_reads_the_positions_or_gets_what_stands_there():
    case = golden_case("google")
    model, positions = case.pretraining_model(), case.batch()["masked_lm_positions"]
    length, width = int(tf.reduce_max(positions)) + 1, case.config.hidden_size
    sequence = tf.random.stateless_normal([positions.shape[0], length, width], [1, 2])
    there = tf.gather(sequence, positions, batch_dims=1)
    logits = model.masked_lm(sequence, positions)
    assert logits.shape == [positions.shape.num_elements(), case.config.vocab_size]
    np.testing.assert_array_equal(logits, model.masked_lm(there))


def test_classifier_of_bfloat16_answers_in_float32():
    case = golden_case("google")
    batch = {name: case.batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    model = Classifier(case.config, 3, dtype=tf.bfloat16, recompute=True)
    logits = model(**batch)
    assert (logits.dtype, logits.shape) == (tf.float32, [len(batch["input_ids"]), 3])
