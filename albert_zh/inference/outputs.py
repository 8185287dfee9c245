"""Named outputs: the only place where logits and encodings become what users read.

B batch, L length, D hidden, C classes.
"""

import tensorflow as tf

from albert_zh.model.albert import AlbertOutput

ENCODER_OUTPUTS = ("pooled_output", "sequence_output")


def class_outputs(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """`logits` and `probabilities`, `[B, C] float32` each."""
    return {"logits": logits, "probabilities": tf.nn.softmax(logits)}


def encoder_outputs(encoded: AlbertOutput) -> dict[str, tf.Tensor]:
    """`pooled_output` `[B, D]` and `sequence_output` `[B, L, D]`."""
    return {"pooled_output": encoded.pooled, "sequence_output": encoded.sequence}
