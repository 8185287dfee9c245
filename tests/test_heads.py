"""Heads: what they answer, and in which type."""

import tensorflow as tf
from goldens import golden_case

from albert_zh.model.heads.sequence import Classifier


def test_masked_lm_head_scores_the_vocabulary_at_every_mask():
    case = golden_case("google")
    masked = tf.random.stateless_normal([3, 5, case.config.hidden_size], [1, 2])
    logits = case.pretraining_model().masked_lm(masked)
    assert (logits.dtype, logits.shape) == (tf.float32, [3 * 5, case.config.vocab_size])


def test_classifier_of_bfloat16_answers_in_float32():
    case = golden_case("google")
    batch = {name: case.batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    model = Classifier(case.config, 3, dtype=tf.bfloat16, recompute=True)
    logits = model(**batch)
    assert (logits.dtype, logits.shape) == (tf.float32, [len(batch["input_ids"]), 3])
