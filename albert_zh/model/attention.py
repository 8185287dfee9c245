"""Multi-head self-attention (Vaswani et al. 2017, section 3.2).

B batch, L and M length, D hidden, N heads, H head size.
"""

import math

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.layers import Dense, DropoutSeeds, drop, dropout_mask, matmul, shape_of
from albert_zh.model.scope import Scope


def attention_bias(input_mask: tf.Tensor) -> tf.Tensor:
    """`[B, L]` of 1 (token) and 0 (padding) -> `[B, 1, 1, L] float32` to add to the scores.

    Only keys are masked. -10,000 is the published constant; it is exactly 0 after the softmax.
    """
    return (1.0 - tf.cast(input_mask, tf.float32)[:, None, None, :]) * -10000.0


class SelfAttention(tf.Module):
    """Tokens look at each other through N heads."""

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
        self, taking: tf.Tensor, giving: tf.Tensor, bias: tf.Tensor, seeds: DropoutSeeds | None
    ) -> tf.Tensor:
        """What tokens take from the others, before the residual sum, `[B, R, D]`.

        Args:
            taking: `[B, R, D]`, tokens that look at the others: all, or some.
            giving: `[B, L, D]`, all tokens.
            bias: `[B, 1, 1, L] float32`, from `attention_bias`.
            seeds: Of the dropout; None outside training.
        """
        if taking is giving:
            q, k, v = self._project(giving, self.query, self.key, self.value)  # [B, N, L, H] each
        else:
            (q,) = self._project(taking, self.query)  # [B, N, R, H]
            k, v = self._project(giving, self.key, self.value)
        context = attend(q, k, v, bias, self._dropout_rate, seeds)  # [B, N, R, H]
        context = tf.transpose(context, [0, 2, 1, 3])
        return self.output(tf.reshape(context, shape_of(taking)))

    def _project(self, x: tf.Tensor, *layers: Dense) -> list[tf.Tensor]:
        # Several stored kernels, one product: a wide matrix product runs closer to the peak.
        kernel = tf.concat([layer.kernel for layer in layers], axis=1)  # [D, 3D]
        bias = tf.concat([layer.bias for layer in layers], axis=0)
        split = [*shape_of(x)[:2], len(layers), self._heads, self._head_size]
        heads = tf.reshape(matmul(x, kernel, bias), split)  # [B, L, 3, N, H]
        return tf.unstack(tf.transpose(heads, [2, 0, 3, 1, 4]))


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
        q: `[B, N, R, H]`, of the tokens that look.
        k: `[B, N, L, H]`, of those looked at.
        v: `[B, N, L, H]`, what these give.
        bias: `[B, 1, 1, L] float32`.
        dropout_rate: Share of the weights that is zeroed.
        seeds: Of the dropout; None outside training.
    """
    mask = dropout_mask([*shape_of(q)[:3], shape_of(k)[2]], dropout_rate, seeds)
    scale = 1.0 / math.sqrt(q.shape[-1])

    @tf.custom_gradient
    def of(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor):
        scores = tf.cast(tf.matmul(q, k, transpose_b=True), tf.float32)  # [B, N, R, L]
        weights = tf.cast(tf.nn.softmax(scores * scale + bias), q.dtype)
        kept = weights if mask is None else drop(weights, mask, dropout_rate)
        context = tf.matmul(kept, v)

        def gradient(g: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # The softmax needs the sum of a row of weights times their gradients: it equals that
            # of context times g, shorter rows (Dao et al. 2022, arXiv:2205.14135, appendix B.4).
            products = tf.cast(context, tf.float32) * tf.cast(g, tf.float32)
            sums = tf.reduce_sum(products, axis=-1, keepdims=True)  # [B, N, R, 1]
            g_kept = tf.matmul(g, v, transpose_b=True)
            g_weights = g_kept if mask is None else drop(g_kept, mask, dropout_rate)
            g_scores = _softmax_gradient(
                tf.cast(weights, tf.float32), tf.cast(g_weights, tf.float32), sums, scale
            )
            g_scores = tf.cast(g_scores, q.dtype)
            return (
                tf.matmul(g_scores, k),
                tf.matmul(g_scores, q, transpose_a=True),
                tf.matmul(kept, g, transpose_a=True),
            )

        return context, gradient

    return of(q, k, v)


@tf.function(jit_compile=True)
def _softmax_gradient(weights, g_weights, sums, scale: float) -> tf.Tensor:
    return weights * (g_weights - sums) * scale
