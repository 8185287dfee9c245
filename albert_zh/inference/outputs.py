"""Named outputs: the only place where logits and encodings become what users read.

B batch, L length, D hidden, C classes.
"""

import tensorflow as tf

from albert_zh.model.albert import AlbertOutput

ENCODER_OUTPUTS = ("pooled_output", "sequence_output")


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


def encoder_outputs(encoded: AlbertOutput) -> dict[str, tf.Tensor]:
    """`pooled_output` `[B, D]` and `sequence_output` `[B, L, D]`."""
    return {"pooled_output": encoded.pooled, "sequence_output": encoded.sequence}
