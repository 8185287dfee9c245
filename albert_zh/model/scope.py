"""Scope: a place in the checkpoint's table of names, where a module creates its variables."""

import dataclasses
import zlib
from collections.abc import Sequence

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.variants import Variant


@dataclasses.dataclass(frozen=True)
class Scope:
    """Factory of variables under a canonical path, named as the variant stores them.

    Start values depend only on the seed and the stored name, not on what else a model creates or
    in which order.
    """

    variant: Variant
    initializer_range: float  # standard deviation of the truncated normal
    seed: int
    path: str = ""

    @classmethod
    def root(cls, config: ModelConfig, *, seed: int) -> "Scope":
        return cls(config.variant, config.initializer_range, seed)

    def __truediv__(self, name: str) -> "Scope":
        return dataclasses.replace(self, path=f"{self.path}{name}/")

    def kernel(self, name: str, shape: Sequence[int], *, trainable: bool = True) -> tf.Variable:
        """A matrix or table, truncated normal with the configured standard deviation."""
        stored = self.variant.stored_name(self.path + name)
        seed = tf.constant([self.seed, zlib.crc32(stored.encode())], tf.int64)
        value = tf.random.stateless_truncated_normal(shape, seed, stddev=self.initializer_range)
        return tf.Variable(value, name=stored, trainable=trainable)

    def bias(self, name: str, size: int, *, trainable: bool = True) -> tf.Variable:
        """A vector of zeros."""
        return self._vector(name, tf.zeros([size]), trainable)

    def scale(self, name: str, size: int) -> tf.Variable:
        """A vector of ones."""
        return self._vector(name, tf.ones([size]), trainable=True)

    def _vector(self, name: str, value: tf.Tensor, trainable: bool) -> tf.Variable:
        return tf.Variable(
            value, name=self.variant.stored_name(self.path + name), trainable=trainable
        )


def named_variables(module: tf.Module) -> dict[str, tf.Variable]:
    """The variables of a module under their checkpoint names, sorted by name."""
    variables = {variable.name.removesuffix(":0"): variable for variable in module.variables}
    return dict(sorted(variables.items()))
