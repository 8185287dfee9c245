"""A new head of regression expects the mean of the labels.

A bias of zero would take thousands of steps to get to labels such as 80, at the usual rates.
"""

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.names import LoadPlan
from albert_zh.model.scope import named_variables
from albert_zh.tasks.features import Features

_BIAS = "output_bias"


def start_at_mean(model: tf.Module, features: Features, initial_weights: LoadPlan) -> None:
    """Set the bias of a head that was not loaded.

    Args:
        model: Of a regression, before its first step.
        features: Of the training examples.
        initial_weights: What was loaded into the model.
    """
    if _BIAS not in initial_weights.loaded:
        mean = np.mean(features.targets["numbers"], dtype=np.float64)
        named_variables(model)[_BIAS].assign([mean])
