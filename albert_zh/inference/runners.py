"""Runners of models in TensorFlow, on one device or on several."""

import numpy as np
import tensorflow as tf

from albert_zh.inference.functions import ModelFunction, task_functions
from albert_zh.inference.kinds import KindModel
from albert_zh.inference.predictor import INPUTS, Arrays, Runner


def model_runner(
    model: tf.Module, kind_model: KindModel, strategy: tf.distribute.Strategy | None = None
) -> Runner:
    """The named outputs of a model, compiled; it follows when the model's weights change.

    Args:
        model: The model.
        kind_model: Names the outputs.
        strategy: Its devices in this process share the rows of each batch; None: one device.
    """
    is_shared = strategy and strategy.num_replicas_in_sync > 1
    if is_shared and len(strategy.extended.worker_devices) > 1:
        return _shared_runner(model, kind_model, strategy)
    return function_runner(task_functions(kind_model, model)[0])


def function_runner(function: ModelFunction) -> Runner:
    """The named outputs of a function, compiled."""

    # Calls of a traced function skip the search for one that fits, a tenth of a short text's time.
    compute = tf.function(function.compute, autograph=False).get_concrete_function(function.specs())

    def run(batch: Arrays) -> Arrays:
        outputs = compute({name: tf.constant(batch[name]) for name in function.inputs})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def _shared_runner(
    model: tf.Module, kind_model: KindModel, strategy: tf.distribute.Strategy
) -> Runner:
    """As `model_runner`, for the devices of this process; other processes do the same work."""
    num_devices = len(strategy.extended.worker_devices)

    @tf.function(autograph=False, reduce_retracing=True)
    def compute(inputs):
        return strategy.run(lambda each: kind_model.outputs(model(**each)), args=(inputs,))

    def run(batch: Arrays) -> Arrays:
        num_rows = len(batch[INPUTS[0]])
        share = -(-num_rows // num_devices)
        # Devices get as many rows each: the last row again where there are too few.
        rows = np.minimum(np.arange(share * num_devices), num_rows - 1)

        def part(context) -> dict[str, tf.Tensor]:
            first = context.replica_id_in_sync_group % num_devices * share
            own = rows[first : first + share]
            return {name: tf.constant(value[own]) for name, value in batch.items()}

        outputs = compute(strategy.experimental_distribute_values_from_function(part))
        parts = {name: strategy.experimental_local_results(outputs[name]) for name in outputs}
        return {
            name: np.concatenate([each.numpy() for each in parts[name]])[:num_rows]
            for name in parts
        }

    return run
