"""LAMB and AdamW as pure update rules, and a thin class that holds the moments."""

import dataclasses
import re
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.rules import Rule

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-6
# Found in a variable's name, these keep weight decay away from it.
_NO_DECAY = re.compile("LayerNorm|layer_norm|bias")


class Update(NamedTuple):
    """New values of a parameter and its two moments."""

    param: tf.Tensor
    m: tf.Tensor
    v: tf.Tensor


def adamw_update(
    grad: tf.Tensor,
    param: tf.Tensor,
    m: tf.Tensor,
    v: tf.Tensor,
    *,
    learning_rate: tf.Tensor,
    weight_decay: float,
) -> Update:
    """One step of Adam with decoupled weight decay, as BERT uses it: without bias correction.

    (Kingma and Ba 2015, Algorithm 1; Loshchilov and Hutter 2019, Algorithm 2.)
    """
    direction, m, v = _adam_direction(grad, param, m, v, weight_decay)
    return Update(param - learning_rate * direction, m, v)


def lamb_update(
    grad: tf.Tensor,
    param: tf.Tensor,
    m: tf.Tensor,
    v: tf.Tensor,
    *,
    learning_rate: tf.Tensor,
    weight_decay: float,
    adapt: bool = True,
) -> Update:
    """One step of LAMB (You et al. 2020, Algorithm 2), without bias correction.

    The step has the length `learning_rate * |param|`, whatever the size of the gradient; with
    `adapt=False`, or where parameter or direction is all zeros, it is AdamW's.
    """
    direction, m, v = _adam_direction(grad, param, m, v, weight_decay)
    if adapt:
        param_norm, direction_norm = tf.norm(param), tf.norm(direction)
        ratio = tf.math.divide_no_nan(param_norm, direction_norm)
        learning_rate = learning_rate * tf.where(ratio > 0.0, ratio, 1.0)
    return Update(param - learning_rate * direction, m, v)


def _adam_direction(grad, param, m, v, weight_decay) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    m = BETA_1 * m + (1.0 - BETA_1) * grad
    v = BETA_2 * v + (1.0 - BETA_2) * tf.square(grad)
    return m / (tf.sqrt(v) + EPSILON) + weight_decay * param, m, v


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
    """Which rule, and how a lineage applied it."""

    rule: Rule
    slots: tuple[str, str] = ("adam_m", "adam_v")  # suffixes of the moments' names
    weight_decay: float = 0.01
    # LAMB's trust ratio also scales the variables that are excluded from weight decay.
    adapts_excluded: bool = True


class Optimizer(tf.Module):
    """Holds both moments of every variable, under `<variable>/<slot>`, and applies the rule."""

    def __init__(self, variables: Sequence[tf.Variable], options: OptimizerOptions):
        super().__init__()
        self._options = options
        self.parameters = list(variables)
        self.first, self.second = (
            [self._slot(variable, suffix) for variable in self.parameters]
            for suffix in options.slots
        )

    @staticmethod
    def _slot(variable: tf.Variable, suffix: str) -> tf.Variable:
        name = f"{variable.name.removesuffix(':0')}/{suffix}"
        return tf.Variable(tf.zeros_like(variable), trainable=False, name=name)

    def apply(
        self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, *, accept: tf.Tensor
    ) -> None:
        """Updates every variable with its dense gradient, in the order of the variables.

        Called outside replicas, with the same values on each of them.

        Args:
            gradients: One a variable.
            learning_rate: Of this step.
            accept: Scalar bool; if False, variables and moments stay as they are.
        """
        update = tf.distribute.get_strategy().extended.update
        slots = zip(self.parameters, self.first, self.second, gradients, strict=True)
        for param, m, v, gradient in slots:
            update(param, self._assign, args=(m, v, gradient, learning_rate, accept), group=False)

    def _assign(self, param, m, v, gradient, learning_rate, accept) -> None:
        update = self._update(gradient, param, m, v, learning_rate)
        for variable, value in zip((param, m, v), update, strict=True):
            variable.assign(tf.where(accept, value, variable))

    def _update(self, gradient, param, m, v, learning_rate) -> Update:
        options = self._options
        excluded = bool(_NO_DECAY.search(param.name))
        arguments = {
            "learning_rate": learning_rate,
            "weight_decay": 0.0 if excluded else options.weight_decay,
        }
        if options.rule is Rule.ADAMW:
            return adamw_update(gradient, param, m, v, **arguments)
        adapt = options.adapts_excluded or not excluded
        return lamb_update(gradient, param, m, v, **arguments, adapt=adapt)
