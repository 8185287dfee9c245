"""Multi-head self-attention (Vaswani et al. 2017, section 3.2).

B batch, R queries, L context, D hidden, N heads, H head size.
"""

import math

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.layers import Dense, DropoutSeeds, drop, dropout_mask, shape_of
from albert_zh.model.scope import Scope

MASKED_SCORE = -10000.0  # the published one; it leaves a weight of exactly 0


def attention_bias(input_mask: tf.Tensor, masked_score: float = MASKED_SCORE) -> tf.Tensor:
    """`[B, L]` of 1 (token) and 0 (padding) -> `[B, 1, 1, L] float32` to add to the scores.

    Only the context is masked.
    """
    bias = (1.0 - tf.cast(input_mask, tf.float32)) * masked_score
    # One axis at a time: TFLite cannot convert a slice that makes two.
    return tf.expand_dims(tf.expand_dims(bias, 1), 1)


class SelfAttention(tf.Module):
    """Queries look at their context through N heads."""

    def __init__(self, scope: Scope, config: ModelConfig):
        super().__init__()
        hidden = config.hidden_size
        self._heads, self._head_size = config.num_attention_heads, config.head_size
        self._dropout_rate = config.attention_probs_dropout_prob
        self.query = Dense(scope / "self" / "query", hidden, hidden)
        self.key = Dense(scope / "self" / "key", hidden, hidden)
        self.value = Dense(scope / "self" / "value", hidden, hidden)
        self.output = Dense(scope / "output" / "dense", hidden, hidden)

    def __call__(
        self, queries: tf.Tensor, context: tf.Tensor, bias: tf.Tensor, seeds: DropoutSeeds | None
    ) -> tf.Tensor:
        """Attention of the queries to the context, `[B, R, D]`, before the residual sum.

        Args:
            queries: `[B, R, D]`, the tokens that look at the context: all tokens, or some.
            context: `[B, L, D]`, all tokens.
            bias: `[B, 1, 1, L] float32`, from `attention_bias`.
            seeds: Seeds for dropout; None outside training.
        """
        q = self._heads_of(self.query(queries))  # [B, N, R, H]
        k = self._heads_of(self.key(context))  # [B, N, L, H]
        v = self._heads_of(self.value(context))  # [B, N, L, H]
        heads = attend(q, k, v, bias, self._dropout_rate, seeds)  # [B, N, R, H]
        heads = tf.transpose(heads, [0, 2, 1, 3])
        return self.output(tf.reshape(heads, shape_of(queries)))

    def _heads_of(self, x: tf.Tensor) -> tf.Tensor:
        """`[B, L, D] -> [B, N, L, H]`."""
        split = tf.reshape(x, [*shape_of(x)[:2], self._heads, self._head_size])
        return tf.transpose(split, [0, 2, 1, 3])


def attend(
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    bias: tf.Tensor,
    dropout_rate: float = 0.0,
    seeds: DropoutSeeds | None = None,
) -> tf.Tensor:
    """dropout(softmax(q k^T / sqrt(H) + bias)) v, `[B, N, R, H]`; the softmax in float32.

    Args:
        q: `[B, N, R, H]`, the projected queries.
        k: `[B, N, L, H]`, keys of the context.
        v: `[B, N, L, H]`, values of the context.
        bias: `[B, 1, 1, L] float32`, added to the scores.
        dropout_rate: Share of the weights that is zeroed.
        seeds: Seeds for dropout; None outside training.
    """
    mask = dropout_mask([*shape_of(q)[:3], shape_of(k)[2]], dropout_rate, seeds)
    scale = 1.0 / math.sqrt(q.shape[-1])

    @tf.custom_gradient
    def attention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor):
        scores = tf.cast(tf.matmul(q, k, transpose_b=True), tf.float32)  # [B, N, R, L]
        weights = tf.cast(tf.nn.softmax(scores * scale + bias), q.dtype)
        dropped = weights if mask is None else drop(weights, mask, dropout_rate)
        heads = tf.matmul(dropped, v)

        def gradient(g: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # The gradient of the softmax needs the sum of each row of weights times gradients. It
            # equals the sum of the shorter rows of the result times g (Dao et al. 2022,
            # arXiv:2205.14135, appendix B.4).
            products = tf.cast(heads, tf.float32) * tf.cast(g, tf.float32)
            sums = tf.reduce_sum(products, axis=-1, keepdims=True)  # [B, N, R, 1]
            g_dropped = tf.matmul(g, v, transpose_b=True)
            g_weights = g_dropped if mask is None else drop(g_dropped, mask, dropout_rate)
            g_scores = _softmax_gradient(
                tf.cast(weights, tf.float32), tf.cast(g_weights, tf.float32), sums, scale
            )
            g_scores = tf.cast(g_scores, q.dtype)
            return (
                tf.matmul(g_scores, k),
                tf.matmul(g_scores, q, transpose_a=True),
                tf.matmul(dropped, g, transpose_a=True),
            )

        return heads, gradient

    return attention(q, k, v)


@tf.function(jit_compile=True, autograph=False)
def _softmax_gradient(weights, g_weights, sums, scale: float) -> tf.Tensor:
    return weights * (g_weights - sums) * scale
