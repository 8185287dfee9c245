"""What is put on the encoder: masked-LM, sentence-order and classifier heads, and whole models.

B batch, L length, P masked positions, D hidden, E embedding, V vocabulary, C classes.
"""

import enum

import tensorflow as tf

from albert_zh.config import ModelConfig, NormOrder
from albert_zh.model.albert import Albert, AlbertOutput
from albert_zh.model.layers import (
    ACTIVATIONS,
    Dense,
    DropoutSeeds,
    LayerNorm,
    dropout,
    matmul,
    shape_of,
)
from albert_zh.model.scope import Scope

# Hard-coded in the published fine-tuning, whatever hidden_dropout_prob says.
_CLASSIFIER_DROPOUT = 0.1


class MaskedLmHead(tf.Module):
    """Scores every vocabulary entry at the masked positions; the word table is tied."""

    def __init__(self, albert: Albert):
        super().__init__()
        config, at = albert.config, albert.scope / "cls" / "predictions"
        # brightmart goes back from D to E through the word projection, google in this layer.
        brightmart = albert.embeddings.projects_words_first
        width = config.hidden_size if brightmart else config.embedding_size
        self._albert = albert
        self._activation = ACTIVATIONS[config.hidden_act]
        self.transform = Dense(at / "transform" / "dense", config.hidden_size, width)
        self.norm = LayerNorm(at / "transform" / "LayerNorm", width)
        self.bias = at.bias("output_bias", config.vocab_size)

    def __call__(self, sequence: tf.Tensor) -> tf.Tensor:
        """Encoded masked tokens `[B, P, D]` -> logits `[B * P, V] float32`.

        To project every token to V would take as long as all else of tiny's training step.
        """
        x = tf.reshape(sequence, [-1, sequence.shape[-1]])
        x = self.norm(self._activation(self.transform(x)))
        logits = tf.cast(self._albert.embeddings.attend(x), tf.float32)
        return tf.nn.bias_add(logits, self.bias)


class SequenceHead(tf.Module):
    """`[B, D] -> logits [B, C] float32`; the weights are stored transposed, `[C, D]`."""

    def __init__(self, scope: Scope, config: ModelConfig, classes: int):
        super().__init__()
        self.weights = scope.kernel("output_weights", [classes, config.hidden_size])
        self.bias = scope.bias("output_bias", classes)

    def __call__(self, pooled: tf.Tensor) -> tf.Tensor:
        return matmul(tf.cast(pooled, tf.float32), tf.transpose(self.weights), self.bias)


class PretrainingModel(tf.Module):
    """Encoder with the masked-LM and the sentence-order head (ALBERT, section 3.1)."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        seed: int = 0,
        dtype: tf.DType = tf.float32,
        recompute: bool = False,
    ):
        super().__init__()
        self.albert = Albert(config, seed=seed, dtype=dtype, recompute=recompute)
        self.masked_lm = MaskedLmHead(self.albert)
        at = self.albert.scope / "cls" / "seq_relationship"
        self.sentence_order = SequenceHead(at, config, classes=2)


class Pooling(enum.Enum):
    """What a classifier reads: the pooler's output, or the mean of all positions."""

    POOLED = "pooled"
    MEAN = "mean"


class Classifier(tf.Module):
    """Encoder with a classification head on one vector per example."""

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
        return self.classify(encoded, input_mask, seeds=seeds)

    def classify(
        self, encoded: AlbertOutput, input_mask: tf.Tensor, *, seeds: DropoutSeeds | None = None
    ) -> tf.Tensor:
        """Logits `[B, C] float32` of what the encoder made of a batch."""
        x = encoded.pooled
        if self._pooling is Pooling.MEAN:
            x = masked_mean(encoded.sequence, input_mask)
        if self.norm is not None:
            x = self.norm(x)
        return self.head(dropout(x, _CLASSIFIER_DROPOUT, seeds))


def masked_mean(sequence: tf.Tensor, input_mask: tf.Tensor) -> tf.Tensor:
    """Mean `[B, D] float32` of the tokens in `[B, L, D]`.

    The published code averaged the padding too, so its result depended on the padded length.
    """
    weights = tf.cast(input_mask, tf.float32)[:, :, None]  # [B, L, 1]
    total = tf.reduce_sum(tf.cast(sequence, tf.float32) * weights, axis=1)
    return total / tf.reduce_sum(weights, axis=1)
