"""Heads: in which type they answer."""

import tensorflow as tf
from goldens import golden_case

from albert_zh.model.heads import Classifier


def test_classifier_of_bfloat16_answers_in_float32():
    case = golden_case("google")
    batch = {name: case.batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    model = Classifier(case.config, 3, dtype=tf.bfloat16, recompute=True)
    logits = model(**batch)
    assert (logits.dtype, logits.shape) == (tf.float32, [len(batch["input_ids"]), 3])
