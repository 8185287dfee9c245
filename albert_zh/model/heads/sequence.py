"""A head on one vector per example, and the classifier.

B batch, L length, D hidden, C classes.
"""

import tensorflow as tf

from albert_zh.config import ModelConfig, NormOrder, Pooling
from albert_zh.model.albert import Albert, AlbertOutput
from albert_zh.model.layers import DropoutSeeds, LayerNorm, dropout, matmul, shape_of
from albert_zh.model.scope import Scope

# Hard-coded in the published fine-tuning, whatever hidden_dropout_prob says.
CLASSIFIER_DROPOUT = 0.1


class SequenceHead(tf.Module):
    """`[B, D] -> logits [B, C] float32`; the weights are stored transposed, `[C, D]`."""

    def __init__(self, scope: Scope, config: ModelConfig, classes: int):
        super().__init__()
        self.weights = scope.kernel("output_weights", [classes, config.hidden_size])
        self.bias = scope.bias("output_bias", classes)

    def __call__(self, pooled: tf.Tensor) -> tf.Tensor:
        return matmul(tf.cast(pooled, tf.float32), tf.transpose(self.weights), self.bias)


class Classifier(tf.Module):
    """Encoder with a classification head on one vector per example."""

    stored_names = ("output_", "loss/")  # prefixes of the names that the head owns

    def __init__(
        self,
        config: ModelConfig,
        classes: int,
        *,
        pooling: Pooling = Pooling.POOLED,
        seed: int = 0,
        dtype: tf.DType = tf.float32,
        recompute: bool = False,
    ):
        super().__init__()
        self._pooling = pooling
        self.albert = Albert(
            config,
            seed=seed,
            dtype=dtype,
            recompute=recompute,
            trainable_pooler=pooling is Pooling.POOLED,
        )
        at = self.albert.scope
        # A pre-LN stack has no final normalisation, so the published classifier adds one.
        self.norm = None
        if config.norm_order is NormOrder.PRE:
            self.norm = LayerNorm(at / "loss" / "LayerNorm", config.hidden_size)
        self.head = SequenceHead(at, config, classes)

    def __call__(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
        *,
        seeds: DropoutSeeds | None = None,
    ) -> tf.Tensor:
        """Logits `[B, C] float32` of a batch of `[B, L] int32` inputs."""
        positions = None
        if self._pooling is Pooling.POOLED:  # which reads the first token alone
            positions = tf.zeros([shape_of(input_ids)[0], 0], tf.int32)
        encoded = self.albert(input_ids, input_mask, segment_ids, positions=positions, seeds=seeds)
        return self.logits_of(encoded, input_mask, seeds=seeds)

    def logits_of(
        self, encoded: AlbertOutput, input_mask: tf.Tensor, *, seeds: DropoutSeeds | None = None
    ) -> tf.Tensor:
        """Logits `[B, C] float32` of an encoded batch."""
        x = encoded.pooled
        if self._pooling is Pooling.MEAN:
            x = masked_mean(encoded.sequence, input_mask)
        if self.norm is not None:
            x = self.norm(x)
        return self.head(dropout(x, CLASSIFIER_DROPOUT, seeds))


def masked_mean(sequence: tf.Tensor, input_mask: tf.Tensor) -> tf.Tensor:
    """Mean `[B, D] float32` of the tokens in `[B, L, D]`.

    The published code averaged the padding too, so its result depended on the padded length.
    """
    # No slice with a new axis: TFLite cannot convert it.
    weights = tf.expand_dims(tf.cast(input_mask, tf.float32), -1)  # [B, L, 1]
    total = tf.reduce_sum(tf.cast(sequence, tf.float32) * weights, axis=1)
    return total / tf.reduce_sum(weights, axis=1)
