"""Named outputs: the only place where logits and encodings become what users read.

B batch, L length, D hidden, C classes, P masked positions, V vocabulary.
"""

import tensorflow as tf

from albert_zh.model.albert import AlbertOutput
from albert_zh.model.heads.sequence import masked_mean

ENCODER_OUTPUTS = ("pooled_output", "sequence_output", "mean_output")
MASKED_LM_OUTPUTS = ("masked_lm_logits", "masked_lm_probabilities")


def class_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`logits` and `probabilities`, `[B, C] float32` each."""
    return {"logits": logits, "probabilities": tf.nn.softmax(logits)}


def number_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`values`, `[B] float32`, of `[B, 1]`."""
    return {"values": tf.squeeze(logits, -1)}


def span_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`start_logits` and `end_logits`, `[B, L] float32` each, of `[B, L, 2]`."""
    starts, ends = tf.unstack(logits, axis=-1)
    return {"start_logits": starts, "end_logits": ends}


def tag_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`tag_logits`, `[B, L, C] float32`."""
    return {"tag_logits": logits}


def encoder_outputs(encoded: AlbertOutput, input_mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """`pooled_output` and `mean_output` `[B, D]`, `sequence_output` `[B, L, D]`."""
    mean = masked_mean(encoded.sequence, input_mask)
    return {
        "pooled_output": encoded.pooled,
        "sequence_output": encoded.sequence,
        "mean_output": mean,
    }


def masked_lm_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`masked_lm_logits` and `masked_lm_probabilities`, `[B, P, V] float32` each."""
    return {"masked_lm_logits": logits, "masked_lm_probabilities": tf.nn.softmax(logits)}
