"""Multi-head self-attention (Vaswani et al. 2017, section 3.2).

B batch, L and M length, D hidden, N heads, H head size.
"""

import math

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.layers import Dense, DropoutSeeds, dropout, matmul
from albert_zh.model.scope import Scope


def attention_bias(input_mask: tf.Tensor) -> tf.Tensor:
    """`[B, L]` of 1 (token) and 0 (padding) -> `[B, 1, 1, L] float32` to add to the scores.

    Only keys are masked. -10,000 is the published constant; it is exactly 0 after the softmax.
    """
    return (1.0 - tf.cast(input_mask, tf.float32)[:, None, None, :]) * -10000.0


class SelfAttention(tf.Module):
    """`[B, L, D] -> [B, L, D]`: what each token takes from the others, before the residual sum."""

    def __init__(self, scope: Scope, config: ModelConfig):
        super().__init__()
        hidden = config.hidden_size
        self._heads, self._head_size = config.num_attention_heads, config.head_size
        self._dropout_rate = config.attention_probs_dropout_prob
        self.query = Dense(scope / "self" / "query", hidden, hidden)
        self.key = Dense(scope / "self" / "key", hidden, hidden)
        self.value = Dense(scope / "self" / "value", hidden, hidden)
        self.output = Dense(scope / "output" / "dense", hidden, hidden)

    def __call__(self, x: tf.Tensor, bias: tf.Tensor, seeds: DropoutSeeds | None) -> tf.Tensor:
        """Args: x `[B, L, D]`, bias `[B, 1, 1, L]` from `attention_bias`, seeds or None."""
        q, k, v = self._project(x)  # each [B, N, L, H]
        scores = tf.matmul(q, k, transpose_b=True)  # [B, N, L, M]
        scores = tf.cast(scores, tf.float32) * (1.0 / math.sqrt(self._head_size)) + bias
        weights = tf.cast(tf.nn.softmax(scores), x.dtype)
        weights = dropout(weights, self._dropout_rate, seeds)
        context = tf.transpose(tf.matmul(weights, v), [0, 2, 1, 3])  # [B, L, N, H]
        return self.output(tf.reshape(context, tf.shape(x)))

    def _project(self, x: tf.Tensor) -> list[tf.Tensor]:
        # Three stored kernels, one product: a wide matrix product runs closer to the peak.
        layers = (self.query, self.key, self.value)
        kernel = tf.concat([layer.kernel for layer in layers], axis=1)  # [D, 3D]
        bias = tf.concat([layer.bias for layer in layers], axis=0)
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        split = [batch, length, len(layers), self._heads, self._head_size]
        heads = tf.reshape(matmul(x, kernel, bias), split)  # [B, L, 3, N, H]
        return tf.unstack(tf.transpose(heads, [2, 0, 3, 1, 4]))
