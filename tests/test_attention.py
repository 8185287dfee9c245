"""Attention against the formula, written plainly; which tokens look, and which are looked at."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.model.attention import SelfAttention, attend, attention_bias
from albert_zh.model.layers import DropoutSeeds, drop, dropout_mask
from albert_zh.model.scope import Scope

B, N, R, L, H = 2, 3, 4, 7, 5
SEED = tf.constant([1, 2])
BIAS = attention_bias(tf.constant([[1] * L, [1] * 4 + [0] * 3]))


def _heads(dtype: tf.DType) -> list[tf.Tensor]:
    """q, k, v and what comes back from above."""
    lengths = (R, L, L, R)
    return [
        tf.cast(tf.random.stateless_normal([B, N, length, H], [3, part]), dtype)
        for part, length in enumerate(lengths)
    ]


def _formula(q, k, v, rate: float) -> tf.Tensor:
    weights = tf.nn.softmax(tf.einsum("bnrh,bnlh->bnrl", q, k) / math.sqrt(H) + BIAS)
    mask = dropout_mask([B, N, R, L], rate, DropoutSeeds(SEED))
    return tf.matmul(weights if mask is None else drop(weights, mask, rate), v)


@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize(
    ("dtype", "rtol"), [(tf.float32, 1e-5), (tf.bfloat16, 0.02), (tf.float16, 0.002)]
)
def test_attention_and_its_gradients_are_those_of_the_formula(dtype, rtol, rate):
    *heads, g = _heads(dtype)
    wide = [tf.cast(part, tf.float32) for part in heads]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([heads, wide])
        output = attend(*heads, BIAS, rate, DropoutSeeds(SEED))
        expected = _formula(*wide, rate)
    assert output.dtype == dtype
    np.testing.assert_allclose(tf.cast(output, tf.float32), expected, atol=4 * rtol)
    gradients = tape.gradient(output, heads, g)
    for actual, correct in zip(
        gradients, tape.gradient(expected, wide, tf.cast(g, tf.float32)), strict=True
    ):
        np.testing.assert_allclose(
            tf.cast(actual, tf.float32), correct, atol=rtol * np.abs(correct).max()
        )


def test_padding_is_neither_looked_at_nor_learned_from():
    q, k, v, g = _heads(tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([k, v])
        output = attend(q, k, v, BIAS)
    for gradient in tape.gradient(output, [k, v], g):
        np.testing.assert_array_equal(gradient[1, :, 4:], 0.0)
    assert np.abs(output).max() > 0.1


def test_some_tokens_take_what_they_take_among_all():
    config = dataclasses.replace(golden_case("google").config, initializer_range=0.5)
    layer = SelfAttention(Scope.root(config, seed=1), config)
    x = tf.random.stateless_normal([B, L, config.hidden_size], SEED)
    chosen = tf.constant([[0, 5, 2, 2], [6, 0, 1, 3]])
    some = layer(tf.gather(x, chosen, batch_dims=1), x, BIAS, None)
    among_all = tf.gather(layer(x, x, BIAS, None), chosen, batch_dims=1)
    np.testing.assert_allclose(some, among_all, atol=1e-5)
