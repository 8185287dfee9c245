"""Building blocks: dense, layer normalisation, dropout, activations.

B batch, L length, I input width, O output width, G groups.

Weights are float32; a layer computes in the type of its input (float32 or bfloat16), except layer
normalisation, which always computes in float32.
"""

import math
from collections.abc import Callable

import tensorflow as tf

from albert_zh.model.scope import Scope

Activation = Callable[[tf.Tensor], tf.Tensor]


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, tanh form (Hendrycks and Gimpel 2016, section 2).

    The published models were trained with this form; the exact one differs by up to 5e-4.
    """
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + tf.tanh(inner))


ACTIVATIONS: dict[str, Activation] = {
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "gelu": gelu,
    "tanh": tf.tanh,
    "swish": tf.nn.silu,
}


class DropoutSeeds:
    """Hands every dropout of one training step a seed of its own: `[2] int32` in, `[2]` out.

    The seeds depend on the given one and on the order of the calls, so a step can be repeated.
    """

    def __init__(self, seed: tf.Tensor):
        self._seed = seed
        self._calls = 0

    def next(self) -> tf.Tensor:
        self._calls += 1
        return tf.random.fold_in(self._seed, self._calls)


def dropout(x: tf.Tensor, rate: float, seeds: DropoutSeeds | None) -> tf.Tensor:
    """Zeroes a share `rate` of `x` and scales up the rest; without seeds (inference) gives `x`."""
    if seeds is None or rate == 0.0:
        return x
    return tf.nn.experimental.stateless_dropout(x, rate, seed=seeds.next())


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

    Input feature `i * G + g` belongs to group g, output feature `g * (O/G) + o` too: reading
    interleaved and writing in blocks mixes the groups from layer to layer. Published in
    google_fast, without a paper.
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
        shape = tf.concat([tf.shape(x)[:-1], [outputs * groups]], axis=0)
        return tf.reshape(y, shape) + tf.cast(self.bias, x.dtype)


def matmul(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """`[..., I] @ [I, O] (+ [O]) -> [..., O]` as one plain matrix product, in the type of `x`."""
    inputs, outputs = kernel.shape
    rows = tf.matmul(tf.reshape(x, [-1, inputs]), tf.cast(kernel, x.dtype))
    if bias is not None:
        rows = tf.nn.bias_add(rows, tf.cast(bias, x.dtype))
    if x.shape.rank == 2:
        return rows
    return tf.reshape(rows, tf.concat([tf.shape(x)[:-1], [outputs]], axis=0))


class LayerNorm(tf.Module):
    """Normalises the last axis to mean 0, variance 1; scales and shifts (Ba et al. 2016)."""

    # The epsilon of tf.contrib's layer_norm, with which all published models were trained.
    EPSILON = 1e-12

    def __init__(self, scope: Scope, size: int):
        super().__init__()
        # TF1 names LayerNorm variables beta and gamma; old checkpoints depend on it.
        self.beta = scope.bias("beta", size)
        self.gamma = scope.scale("gamma", size)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(x, tf.float32)
        centred = wide - tf.reduce_mean(wide, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        normal = centred * tf.math.rsqrt(variance + self.EPSILON)
        return tf.cast(normal * self.gamma + self.beta, x.dtype)
