"""Layers with numbers that can be followed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.model.attention import attention_bias
from albert_zh.model.layers import (
    ACTIVATIONS,
    Dense,
    DropoutSeeds,
    GroupedDense,
    LayerNorm,
    dropout,
    dropout_mask,
    matmul,
)
from albert_zh.model.scope import Scope, named_variables
from albert_zh.variants import VARIANTS

SCOPE = Scope(VARIANTS["google"], initializer_range=0.02, seed=3)
SEED = tf.constant([1, 2])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("linear", [-1.0, 0.0, 2.0]),
        ("relu", [0.0, 0.0, 2.0]),
        # tanh form; the exact one gives -0.1586553 and 1.9544997
        ("gelu", [-0.1588080, 0.0, 1.9545977]),
        ("tanh", [-0.7615942, 0.0, 0.9640276]),
        ("swish", [-0.2689414, 0.0, 1.7615942]),
    ],
)
def test_activation_values(name, expected):
    values = ACTIVATIONS[name](tf.constant([-1.0, 0.0, 2.0]))
    np.testing.assert_allclose(values, expected, atol=1e-6)


def _gradients(function, inputs, upstream):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(*inputs)
    return tape.gradient(y, inputs, upstream)


def _normal(*shape, seed=0, stddev=1.0):
    return tf.random.stateless_normal(shape, [seed, 7], stddev=stddev)


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
def test_gelu_and_its_gradient_are_those_of_the_formula(dtype):
    x = tf.cast(tf.linspace(-12.0, 12.0, 241), dtype)
    g = tf.cast(_normal(241), dtype)

    def formula(x):
        return 0.5 * x * (1.0 + tf.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))

    wide, wide_g = tf.cast(x, tf.float64), tf.cast(g, tf.float64)
    (expected,) = _gradients(formula, [wide], wide_g)
    (actual,) = _gradients(ACTIVATIONS["gelu"], [x], g)
    assert actual.dtype == dtype
    rtol = {tf.float32: 1e-5, tf.bfloat16: 2**-8, tf.float16: 2**-10}[dtype]
    np.testing.assert_allclose(tf.cast(actual, tf.float64), expected, rtol=rtol, atol=1e-6)
    y = tf.cast(ACTIVATIONS["gelu"](x), tf.float64)
    np.testing.assert_allclose(y, formula(wide), rtol=rtol, atol=1e-6)


def test_gelu_has_finite_slopes_far_out_and_shows_what_is_no_number():
    x = tf.constant([-np.inf, -1e30, -300.0, 300.0, 1e30, np.inf, np.nan])
    (slopes,) = _gradients(ACTIVATIONS["gelu"], [x], tf.ones_like(x))
    np.testing.assert_array_equal(slopes, [0, 0, 0, 1, 1, 1, np.nan])


def test_dense_multiplies_the_last_axis():
    layer = Dense(SCOPE, 2, 3)
    layer.kernel.assign([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    layer.bias.assign([0.5, 0.0, -0.5])
    expected = [[[1.5, 2.0, 2.5], [10.5, 20.0, 29.5], [11.5, 22.0, 32.5]]]
    np.testing.assert_allclose(layer(tf.constant([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])), expected)


@pytest.mark.parametrize("shape", [[4, 2], [3, 4, 2], [2, 3, 4, 2]])
def test_matmul_takes_any_rank_and_keeps_the_type(shape):
    x = tf.cast(tf.random.stateless_normal(shape, SEED), tf.bfloat16)
    kernel = tf.constant([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    y = matmul(x, kernel)
    assert (y.dtype, y.shape[:-1], y.shape[-1]) == (tf.bfloat16, shape[:-1], 3)
    np.testing.assert_array_equal(y[..., 0], x[..., 0])
    np.testing.assert_array_equal(y[..., 2], -x[..., 1])


def test_bias_gradient_of_bfloat16_is_summed_in_float32():
    """Summed in bfloat16, 1 + 1 + ... stays at 256."""
    bias = tf.Variable([0.0, 0.0])
    x = tf.ones([3000, 2], tf.bfloat16)
    with tf.GradientTape() as tape:
        y = matmul(x, tf.eye(2), bias)
    gradient = tape.gradient(y, bias, x)
    assert gradient.dtype == tf.float32
    np.testing.assert_allclose(gradient, [3000, 3000], rtol=2**-8)


def test_grouped_dense_reads_interleaved_and_writes_blocks():
    """
    G = 2:  input   a0 b0 a1 b1         (feature i * G + g belongs to group g)
            output  A  A  A  B  B  B    (feature g * O/G + o)
    """
    layer = GroupedDense(SCOPE, 4, 6, groups=2)
    assert layer.kernel.shape == [2, 3, 2]
    group_a = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]  # [I/G, O/G]
    group_b = [[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]
    layer.kernel.assign(np.stack([group_a, group_b], axis=-1))
    layer.bias.assign([0.1, 0.0, 0.0, 0.0, 0.0, 0.2])
    y = layer(tf.constant([[[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 2.0]]]))
    expected = [[[5.1, 7.0, 9.0, 0.0, 0.0, 0.2], [0.1, 0.0, 0.0, 90.0, 120.0, 150.2]]]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_layer_norm_scales_and_shifts_what_it_normalised():
    layer = LayerNorm(SCOPE, 4)
    layer.gamma.assign([1.0, 1.0, 2.0, 2.0])
    layer.beta.assign([0.0, 0.0, 0.0, 1.0])
    # mean 4, variance 5
    expected = np.array([-3.0, -1.0, 2.0, 6.0]) / np.sqrt(5.0) + [0.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(layer(tf.constant([[1.0, 3.0, 5.0, 7.0]])), [expected], rtol=1e-6)


def test_layer_norm_keeps_tiny_differences_apart():
    """1e-12, not 1e-6: an input of deviation 1e-4 comes out with deviation 1."""
    y = LayerNorm(SCOPE, 4)(tf.constant([[-1e-4, 1e-4, -1e-4, 1e-4]]))
    np.testing.assert_allclose(y, [[-1.0, 1.0, -1.0, 1.0]], atol=1e-3)


def test_layer_norm_computes_bfloat16_in_float32():
    x = tf.constant([[1000.0, 1004.0, 1008.0, 1012.0]], tf.bfloat16)  # apart by one unit
    y = LayerNorm(SCOPE, 4)(x)
    assert y.dtype == tf.bfloat16
    expected = np.array([[-3.0, -1.0, 1.0, 3.0]]) / np.sqrt(5.0)
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, atol=5e-3)


@pytest.mark.parametrize("shape", [[6, 5], [2, 3, 5]])
def test_layer_norm_gradient_is_that_of_its_formula(shape):
    layer = LayerNorm(SCOPE, 5)
    x, g = _normal(*shape), _normal(*shape, seed=1)
    gamma, beta = _normal(5, seed=2), _normal(5, seed=3)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)

    def formula(x, gamma, beta):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return (x - mean) / tf.sqrt(variance) * gamma + beta

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    actual = tape.gradient(y, [x, layer.gamma, layer.beta], g)
    for one, other in zip(actual, _gradients(formula, [x, gamma, beta], g), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_attention_bias_hides_padded_keys():
    bias = attention_bias(tf.constant([[1, 1, 0], [1, 0, 0]]))
    assert bias.shape == [2, 1, 1, 3]
    np.testing.assert_array_equal(bias[:, 0, 0], [[0, 0, -10000], [0, -10000, -10000]])
    assert float(tf.nn.softmax(bias)[1, 0, 0, 2]) == 0.0


def test_dropout_zeroes_its_share_and_scales_up_the_rest():
    y = dropout(tf.ones([200, 100]), 0.2, DropoutSeeds(SEED)).numpy()
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1.25)}
    assert np.mean(y == 0.0) == pytest.approx(0.2, abs=0.01)


def test_dropout_passes_the_gradient_where_it_passed_the_number():
    x = _normal(40, 25)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.3, DropoutSeeds(SEED))
    np.testing.assert_allclose(tape.gradient(y, x) * x, y, rtol=1e-6)


@pytest.mark.parametrize("shape", [[3], [2, 5], [4, 1, 8]])
def test_dropout_mask_has_its_own_draw_for_every_number(shape):
    masks = [dropout_mask(shape, 0.5, DropoutSeeds(tf.constant([1, k]))) for k in range(60)]
    assert masks[0].shape == shape
    kept = np.stack(masks).reshape([60, -1])
    # Two alike among so many draws would mean that they are one.
    assert len({column.tobytes() for column in kept.T}) == kept.shape[1]
    np.testing.assert_allclose(kept.mean(axis=0), 0.5, atol=0.3)


def test_dropout_without_seeds_or_rate_is_the_identity():
    x = tf.ones([10])
    assert dropout(x, 0.5, None) is x
    assert dropout(x, 0.0, DropoutSeeds(SEED)) is x


def test_dropouts_of_one_step_differ_and_can_be_repeated():
    def masks(seed):
        seeds = DropoutSeeds(tf.constant(seed))
        return [dropout(tf.ones([50]), 0.5, seeds).numpy() for _ in range(2)]

    first, second = masks([1, 2])
    assert (first != second).any()
    np.testing.assert_array_equal(masks([1, 2]), [first, second])
    assert (masks([1, 3])[0] != first).any()


def test_scope_names_variables_after_their_place():
    layer = Dense(SCOPE / "bert" / "pooler" / "dense", 2, 3)
    assert set(named_variables(layer)) == {"bert/pooler/dense/kernel", "bert/pooler/dense/bias"}


def test_start_values_are_a_truncated_normal_zeros_and_ones():
    kernel = (SCOPE / "a").kernel("kernel", [100, 100]).numpy()
    # A normal cut at two deviations has 0.88 of the deviation left.
    assert np.std(kernel) == pytest.approx(0.88 * 0.02, rel=0.02)
    assert np.abs(kernel).max() <= 2 * 0.02
    assert np.abs(np.mean(kernel)) < 1e-3
    np.testing.assert_array_equal((SCOPE / "a").bias("bias", 3), [0, 0, 0])
    np.testing.assert_array_equal((SCOPE / "a").scale("gamma", 3), [1, 1, 1])


def test_start_values_differ_by_name_and_seed_alone():
    def kernel(scope, name):
        return scope.kernel(name, [4, 4]).numpy()

    again = Scope(SCOPE.variant, initializer_range=0.02, seed=3)
    other = Scope(SCOPE.variant, initializer_range=0.02, seed=4)
    np.testing.assert_array_equal(kernel(SCOPE, "query"), kernel(again, "query"))
    assert (kernel(SCOPE, "query") != kernel(SCOPE, "key")).all()
    assert (kernel(SCOPE, "query") != kernel(other, "query")).all()
