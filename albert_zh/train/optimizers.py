"""A thin class that holds the slots of an update rule and applies it; clipping of gradients."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from albert_zh.train.rules.table import Rule

# Found in a variable's name, these keep weight decay away from it.
_NO_DECAY = re.compile("LayerNorm|layer_norm|bias")


def clip_by_global_norm(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices], limit: float
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Scales gradients down to a joint norm of `limit`; returns them dense, and the norm before.

    Gradients that are not larger stay as they are. A sparse gradient counts as it is stored, rows
    of repeated ids not summed: so did the published fine-tuning on CPU and GPU (on TPU its
    gradients were dense). Hand in dense gradients where the true norm is wanted.
    """
    norm = tf.linalg.global_norm(gradients)
    scale = limit / tf.maximum(norm, limit)
    return [tf.convert_to_tensor(gradient) * scale for gradient in gradients], norm


@dataclasses.dataclass(frozen=True)
class OptimizerOptions:
    """An update rule, and how a lineage applied it."""

    rule: Rule
    slots: tuple[str, ...] | None = None  # suffixes of the slots' names; None: the rule's
    weight_decay: float = 0.01
    # Arguments of the rule's update for the variables that weight decay leaves out.
    undecayed: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Optimizer(tf.Module):
    """Holds the slots of every variable, under `<variable>/<suffix>`, and applies the rule."""

    def __init__(self, variables: Sequence[tf.Variable], options: OptimizerOptions):
        super().__init__()
        self._options, self._update = options, options.rule.load_update()
        self.parameters = list(variables)
        suffixes = options.slots or options.rule.slots
        self.slots = [[_slot(each, suffix) for suffix in suffixes] for each in self.parameters]

    def apply(
        self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, *, accept: tf.Tensor
    ) -> None:
        """Updates every variable with its dense gradient, in the order of the variables.

        Called outside replicas, with the same values on each of them.

        Args:
            gradients: One a variable.
            learning_rate: Of this step.
            accept: Scalar bool; if False, variables and slots stay as they are.
        """
        update = tf.distribute.get_strategy().extended.update
        for param, slots, gradient in zip(self.parameters, self.slots, gradients, strict=True):
            arguments = (gradient, learning_rate, accept, *slots)
            update(param, self._assign, args=arguments, group=False)

    def _assign(self, param, gradient, learning_rate, accept, *slots) -> None:
        arguments: dict[str, Any] = {"weight_decay": self._options.weight_decay}
        if _NO_DECAY.search(param.name):
            arguments = {"weight_decay": 0.0, **self._options.undecayed}
        values = self._update(gradient, param, *slots, learning_rate=learning_rate, **arguments)
        for variable, value in zip((param, *slots), values, strict=True):
            variable.assign(tf.where(accept, value, variable))


def _slot(variable: tf.Variable, suffix: str) -> tf.Variable:
    name = f"{variable.name.removesuffix(':0')}/{suffix}"
    return tf.Variable(tf.zeros_like(variable), trainable=False, name=name)
