"""Trained: what the steps of a run change, by the names of a checkpoint.

```
                     without averages        with averages (--ema_decay)
bert/.../kernel      the weight              its average, which is evaluated and used
    .../unaveraged                           the weight
    .../adam_m       a moment                a moment
```
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.names import AVERAGED_STEPS, UNAVERAGED
from albert_zh.config import ModelConfig
from albert_zh.model.scope import named_variables
from albert_zh.runs.spec import TrainingSpec, optimizer_options
from albert_zh.train.averaging import AveragingOptimizer
from albert_zh.train.optimizers import Optimizer


class Trained(NamedTuple):
    """The optimizer, and all that it changes."""

    optimizer: Optimizer | AveragingOptimizer
    variables: Mapping[str, tf.Variable]  # weights and moments
    # Moments that stay 0. Without sentence order, the pooler is not trained. The published code
    # looks for its moments nevertheless when it resumes.
    idle: Mapping[str, np.ndarray]
    # Within it, the model has the weights that are evaluated.
    evaluated: Callable[[], contextlib.AbstractContextManager]


def trained_by(model: tf.Module, spec: TrainingSpec, config: ModelConfig) -> Trained:
    """The state of a training that begins with the weights of the model.

    Call it in the scope of the strategy.
    """
    optimizer = Optimizer(
        spec.variables or model.trainable_variables,
        optimizer_options(spec.rule, config),
        spec.rate_factors,
    )
    variables = {**named_variables(model), **named_variables(optimizer)}
    idle = optimizer.zero_slots(model.trainable_variables)
    if not spec.ema_decay:
        return Trained(optimizer, variables, idle, contextlib.nullcontext)
    averaging = AveragingOptimizer(optimizer, spec.ema_decay)
    variables[AVERAGED_STEPS] = averaging.steps
    for weight, average in zip(averaging.parameters, averaging.averages, strict=True):
        name = weight.name.removesuffix(":0")
        variables |= {name: average, f"{name}/{UNAVERAGED}": weight}
    return Trained(averaging, variables, idle, averaging.averages_in_use)
