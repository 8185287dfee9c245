"""Building blocks: dense, layer normalisation, dropout, activations.

B batch, L length, I input width, O output width, G groups.

Weights are float32; a layer computes in the type of its input (float32, bfloat16 or float16),
except layer normalisation and gelu, which compute in float32.

Some gradients are written by hand: the automatic ones read and write memory many times, which takes
as long as the matrix products on CPU, and they keep many arrays. XLA compiles the hand-written ones
into one pass over memory. Forward passes are plain operations, so exported models need no XLA.
"""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from albert_zh.model.scope import Scope

Activation = Callable[[tf.Tensor], tf.Tensor]


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, tanh form (Hendrycks and Gimpel 2016, section 2).

    The published models were trained with this form; the exact one differs by up to 5e-4.
    """
    return tf.cast(_gelu(tf.cast(x, tf.float32)), x.dtype)


# x / 2 * (1 + tanh(u / 2)) = x * sigmoid(u), with u = x * (_GELU_1 + _GELU_3 * x^2)
_GELU_1 = 2.0 * math.sqrt(2.0 / math.pi)
_GELU_3 = 0.044715 * _GELU_1


@tf.custom_gradient
def _gelu(x: tf.Tensor):
    return x * tf.sigmoid(x * (_GELU_1 + _GELU_3 * tf.square(x))), lambda g: _gelu_gradient(x, g)


@tf.function(jit_compile=True, autograph=False)
def _gelu_gradient(x: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
    x = tf.clip_by_value(x, -20.0, 20.0)  # The slope is 0 or 1 beyond, not infinity times 0.
    gate = tf.sigmoid(x * (_GELU_1 + _GELU_3 * tf.square(x)))
    slope = gate * (1.0 + x * (1.0 - gate) * (_GELU_1 + 3.0 * _GELU_3 * tf.square(x)))
    return g * slope


ACTIVATIONS: dict[str, Activation] = {
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "gelu": gelu,
    "tanh": tf.tanh,
    "swish": tf.nn.silu,
}


class DropoutSeeds:
    """A different seed, `[2] int32`, for every dropout of one training step.

    The seeds depend only on the first one and on the order of the calls: steps can be repeated.
    """

    def __init__(self, seed: tf.Tensor):
        self._seed = seed
        self._calls = 0

    def next(self) -> tf.Tensor:
        self._calls += 1
        return tf.random.fold_in(self._seed, self._calls)


def dropout(x: tf.Tensor, rate: float, seeds: DropoutSeeds | None) -> tf.Tensor:
    """Zero a share `rate` of `x` and scale up the rest; return `x` if `seeds` is None."""
    mask = dropout_mask(shape_of(x), rate, seeds)
    if mask is None:
        return x

    @tf.custom_gradient
    def dropped(x: tf.Tensor):
        return drop(x, mask, rate), lambda g: drop(g, mask, rate)

    return dropped(x)


def dropout_mask(
    shape: Sequence[int | tf.Tensor], rate: float, seeds: DropoutSeeds | None
) -> tf.Tensor | None:
    """Random mask, True in a share `1 - rate` for the numbers to keep; None if all are kept.

    Both halves of each random number are used: 16 bits are enough, and drawing them is slow.
    """
    if seeds is None or rate == 0.0:
        return None
    *rows, columns = shape
    numbers = tf.random.stateless_uniform(
        [*rows, (columns + 1) // 2], seeds.next(), minval=None, maxval=None, dtype=tf.uint32
    )
    halves = tf.reshape(tf.bitcast(numbers, tf.uint16), [*rows, -1])[..., :columns]
    return halves >= tf.constant(round(rate * 2**16), tf.uint16)


def drop(x: tf.Tensor, mask: tf.Tensor, rate: float) -> tf.Tensor:
    """`x`, scaled up, where a mask from `dropout_mask` is True; else 0."""
    return x * (tf.cast(mask, x.dtype) * (1.0 / (1.0 - rate)))


class Dense(tf.Module):
    """`[..., I] -> [..., O]`: x @ kernel + bias."""

    def __init__(self, scope: Scope, inputs: int, outputs: int, *, trainable: bool = True):
        super().__init__()
        self.kernel = scope.kernel("kernel", [inputs, outputs], trainable=trainable)
        self.bias = scope.bias("bias", outputs, trainable=trainable)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return matmul(x, self.kernel, self.bias)


class GroupedDense(tf.Module):
    """`[..., I] -> [..., O]` with kernel `[I/G, O/G, G]`: a dense layer in G independent groups.

    Group g reads the input features `i * G + g` and writes the output features `g * (O/G) + o`.
    Since it reads interleaved features and writes a block, the next layer mixes the groups.
    Published in google_fast, without a paper.
    """

    def __init__(self, scope: Scope, inputs: int, outputs: int, groups: int):
        super().__init__()
        self.kernel = scope.kernel("kernel", [inputs // groups, outputs // groups, groups])
        self.bias = scope.bias("bias", outputs)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        inputs, outputs, groups = self.kernel.shape
        rows = tf.reshape(x, [-1, inputs, groups])  # [BL, I/G, G]
        kernel = tf.cast(self.kernel, x.dtype)
        y = tf.einsum("rig,iog->rgo", rows, kernel)  # [BL, G, O/G]
        y = add_bias(tf.reshape(y, [-1, outputs * groups]), self.bias)
        return tf.reshape(y, [*shape_of(x)[:-1], outputs * groups])


def matmul(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """`[..., I] @ [I, O] (+ [O]) -> [..., O]` as one plain matrix product, in the type of `x`."""
    inputs, outputs = kernel.shape
    rows = tf.matmul(tf.reshape(x, [-1, inputs]), tf.cast(kernel, x.dtype))
    if bias is not None:
        rows = add_bias(rows, bias)
    return tf.reshape(rows, [*shape_of(x)[:-1], outputs])


def add_bias(rows: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """`[R, O] + [O]`, in the type of `rows`."""
    bias = tf.cast(bias, rows.dtype)
    return tf.nn.bias_add(rows, bias) if rows.dtype == tf.float32 else _add_bias(rows, bias)


@tf.custom_gradient
def _add_bias(rows: tf.Tensor, bias: tf.Tensor):
    def gradient(g: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # BiasAddGrad sums in bfloat16, where 256 + 1 is 256. Matrix products sum in float32.
        ones = tf.ones([1, shape_of(g)[0]], g.dtype)
        return g, tf.reshape(tf.matmul(ones, g), [-1])

    return tf.nn.bias_add(rows, bias), gradient


def shape_of(x: tf.Tensor) -> list[int | tf.Tensor]:
    """Sizes of the axes: static where they are known, so that later shapes are static too."""
    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(x.shape)]


class LayerNorm(tf.Module):
    """Normalisation of the last axis to mean 0, variance 1; scale and shift (Ba et al. 2016)."""

    # The epsilon of tf.contrib's layer_norm, with which all published models were trained.
    EPSILON = 1e-12

    def __init__(self, scope: Scope, size: int):
        super().__init__()
        # TF1 names LayerNorm variables beta and gamma; old checkpoints depend on it.
        self.beta = scope.bias("beta", size)
        self.gamma = scope.scale("gamma", size)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        rows = tf.reshape(tf.cast(x, tf.float32), [-1, x.shape[-1]])
        rows = _layer_norm(rows, self.gamma, self.beta, self.EPSILON)
        return tf.cast(tf.reshape(rows, shape_of(x)), x.dtype)


@tf.custom_gradient
def _layer_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float):
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)  # [R, D]
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    scale = tf.math.rsqrt(variance + epsilon)  # [R, 1]
    normal = centred * scale

    def gradient(g: tf.Tensor):
        # Products with vectors are the fastest way to sum.
        rows, columns = tf.ones([1, shape_of(x)[0]]), gamma[:, None] / x.shape[-1]
        g_normal = g * normal
        means = tf.matmul(g, columns), tf.matmul(g_normal, columns)  # [R, 1]
        g_x = _layer_norm_gradient(g, gamma, normal, scale, *means)
        return g_x, tf.matmul(rows, g_normal)[0], tf.matmul(rows, g)[0], None

    return normal * gamma + beta, gradient


@tf.function(jit_compile=True, autograph=False)
def _layer_norm_gradient(g, gamma, normal, scale, mean, normal_mean) -> tf.Tensor:
    return (g * gamma - mean - normal * normal_mean) * scale
