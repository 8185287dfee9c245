"""Loss functions: one value per position, not reduced. The caller averages."""

import tensorflow as tf


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Negative log-probability `[N]` of labels `[N] int32` under logits `[N, C]`, in float32."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=tf.cast(logits, tf.float32)
    )
