"""Optimizer: holds the slots of an update rule and applies it. Clipping of gradients."""

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.train.rules.table import Rule

# Variables with one of these in their name have no weight decay.
_NO_DECAY = re.compile("LayerNorm|layer_norm|bias")
_KERNEL = re.compile(r"/kernel(:\d+)?$")


def clip_by_global_norm(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices], limit: float
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Scale gradients down to a joint norm of `limit`; return them dense, and the norm before.

    Gradients with a smaller norm stay as they are. The norm of a sparse gradient is that of its
    stored rows; rows of repeated ids are not summed. The published fine-tuning did the same on CPU
    and GPU (on TPU its gradients were dense). Pass dense gradients to clip to the true norm.
    """
    norm = tf.linalg.global_norm(gradients)
    scale = limit / tf.maximum(norm, limit)
    return [tf.convert_to_tensor(gradient) * scale for gradient in gradients], norm


@dataclasses.dataclass(frozen=True)
class OptimizerOptions:
    """An update rule, and the settings of a lineage for it."""

    rule: Rule
    slots: tuple[str, ...] | None = None  # suffixes of the slots' names; None: the rule's own
    weight_decay: float = 0.01
    # Further arguments of the rule's update for variables without weight decay.
    undecayed: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Optimizer(tf.Module):
    """An update rule with its slots, named `<variable>/<suffix>`."""

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        options: OptimizerOptions,
        factors: Mapping[str, float] | None = None,
    ):
        """
        Args:
            variables: To update.
            options: How.
            factors: Of the learning rate, by name of a variable, where they are not 1.
        """
        super().__init__()
        self._factors = dict(factors or {})
        self._options, self._update = options, options.rule.load_update()
        self.parameters = list(variables)
        self._suffixes = options.slots or options.rule.slots
        self.slots = [
            [_slot(each, suffix) for suffix in self._suffixes] for each in self.parameters
        ]

    def zero_slots(self, variables: Sequence[tf.Variable]) -> dict[str, np.ndarray]:
        """Slots, by name, of those of the variables that are not updated: zeros."""
        updated = {variable.ref() for variable in self.parameters}
        return {
            _slot_name(variable, suffix): np.zeros(variable.shape, variable.dtype.as_numpy_dtype)
            for variable in variables
            if variable.ref() not in updated
            for suffix in self._suffixes
        }

    def apply(
        self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, *, accept: tf.Tensor
    ) -> None:
        """Update every variable with its gradient. Call it outside of replicas.

        Args:
            gradients: Dense gradients in the order of the variables, the same on all replicas.
            learning_rate: Learning rate of this step.
            accept: Scalar bool; if False, variables and slots stay as they are.
        """
        update = tf.distribute.get_strategy().extended.update
        for param, slots, gradient in zip(self.parameters, self.slots, gradients, strict=True):
            # By the name of the whole variable: its copy on another device is called otherwise.
            factor = self._factors.get(param.name.removesuffix(":0"), 1.0)
            assign = functools.partial(self._assign, factor, self._arguments(param))
            arguments = (gradient, learning_rate, accept, *slots)
            update(param, assign, args=arguments, group=False)

    def _arguments(self, param: tf.Variable) -> dict[str, Any]:
        arguments: dict[str, Any] = {"weight_decay": self._options.weight_decay}
        if _NO_DECAY.search(param.name):
            arguments = {"weight_decay": 0.0, **self._options.undecayed}
        if _KERNEL.search(param.name) and len(param.shape) == 2:
            arguments |= self._options.rule.kernels
        return arguments

    def _assign(self, factor, arguments, param, gradient, learning_rate, accept, *slots) -> None:
        # As tensors: given variables of several devices, a compiled function mixes them up.
        state = [variable.read_value() for variable in (param, *slots)]
        values = _new_values(
            self._update, gradient, factor * learning_rate, accept, state, arguments
        )
        for variable, value in zip((param, *slots), values, strict=True):
            variable.assign(value)


# XLA makes one pass through memory of fifteen, and the word table is larger than any cache. As a
# method it would be compiled again for every optimizer, and would keep each of them for good.
@tf.function(jit_compile=True, autograph=False)
def _new_values(update, gradient, learning_rate, accept, state, arguments) -> list[tf.Tensor]:
    values = update(gradient, *state, learning_rate=learning_rate, **arguments)
    return [tf.where(accept, new, old) for new, old in zip(values, state, strict=True)]


def _slot(variable: tf.Variable, suffix: str) -> tf.Variable:
    return tf.Variable(tf.zeros_like(variable), trainable=False, name=_slot_name(variable, suffix))


def _slot_name(variable: tf.Variable, suffix: str) -> str:
    return f"{variable.name.removesuffix(':0')}/{suffix}"
