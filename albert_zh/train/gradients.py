"""Gradients of the examples of one replica, at once or in micro batches.

B examples of the replica, in M micro batches.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.metrics import Mean, Outcome

Batch = Mapping[str, tf.Tensor]
# Batch and dropout seed ([2] int32; None outside training) -> losses and metrics. The weights of
# the losses depend on the batch alone.
Objective = Callable[[Batch, tf.Tensor | None], Outcome]


class Gradients(NamedTuple):
    """What the backward pass of a replica gives; sums over its examples."""

    loss: tf.Tensor  # its share of the loss
    metrics: dict[str, Mean]
    gradients: list[tf.Tensor | tf.IndexedSlices]  # of `loss * loss_scale`


def loss_weights(outcome: Outcome) -> dict[str, tf.Tensor]:
    """What the sum of each loss is divided by."""
    return {name: mean.weight for name, mean in outcome.losses.items()}


def gradients_of(
    objective: Objective,
    batch: Batch,
    seed: tf.Tensor,
    *,
    parameters: Sequence[tf.Variable],
    weights: Mapping[str, tf.Tensor] | None = None,
    loss_scale: tf.Tensor | float = 1.0,
) -> Gradients:
    """Loss and gradients of a batch.

    Args:
        objective: What is minimised.
        batch: Tensors with B rows.
        seed: `[2] int32`, of the dropout.
        parameters: What the gradients are of.
        weights: What each loss is divided by, where that is more than this batch's weights.
        loss_scale: Factor of the gradients.
    """
    with tf.GradientTape() as tape:
        outcome = objective(batch, seed)
        weights = weights or loss_weights(outcome)
        # A loss of which no example counts, sentence order where none is known, is 0.
        means = [Mean(mean.total, weights[name]) for name, mean in outcome.losses.items()]
        loss = tf.add_n([mean.result() for mean in means])
        scaled = loss * loss_scale
    return Gradients(loss, dict(outcome.metrics), tape.gradient(scaled, list(parameters)))


def accumulated_gradients(
    compute: Callable[[Batch, tf.Tensor], Gradients],
    batch: Batch,
    seed: tf.Tensor,
    *,
    micro_steps: int,
    parameters: Sequence[tf.Variable],
    metrics: Sequence[str],
) -> Gradients:
    """Sums of what `compute` gives for each micro batch; the gradients dense, in float32.

    Args:
        compute: From a micro batch and its dropout seed.
        batch: Tensors with B rows.
        seed: `[2] int32`.
        micro_steps: M, a divisor of B.
        parameters: What the gradients are of.
        metrics: Names of the metrics.
    """
    parts = {name: _parted(tensor, micro_steps) for name, tensor in batch.items()}

    def add(number: tf.Tensor, sums: Gradients) -> tuple[tf.Tensor, Gradients]:
        rows = {name: tensor[number] for name, tensor in parts.items()}
        found = compute(rows, tf.random.fold_in(seed, number))
        found = found._replace(gradients=dense(found.gradients))
        # Otherwise the graph optimizer merges these sums with the sums that make the gradients of
        # shared layers, into AccumulateNV2: its temporary variables race with each other in a loop.
        with tf.control_dependencies(found.gradients):
            return number + 1, tf.nest.map_structure(tf.add, sums, found)

    zero = tf.zeros([])
    start = Gradients(
        loss=zero,
        metrics={name: Mean(zero, zero) for name in metrics},
        gradients=[tf.zeros(parameter.shape) for parameter in parameters],
    )
    # One micro batch at a time: TensorFlow would hold the values of several otherwise.
    _, sums = tf.while_loop(
        lambda number, _: number < micro_steps,
        add,
        (tf.constant(0), start),
        parallel_iterations=1,
        maximum_iterations=micro_steps,
    )
    return sums


def dense(gradients: Sequence[tf.Tensor | tf.IndexedSlices]) -> list[tf.Tensor]:
    """Gradients of tables as whole tables, rows of repeated ids summed."""
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def _parted(tensor: tf.Tensor, micro_steps: int) -> tf.Tensor:
    """`[B, ...] -> [M, B / M, ...]`."""
    rows = tensor.shape[0]
    assert rows is not None, "batches need a fixed number of rows"
    shape = tf.concat([[micro_steps, rows // micro_steps], tf.shape(tensor)[1:]], axis=0)
    parted = tf.reshape(tensor, shape)
    return tf.ensure_shape(parted, [micro_steps, rows // micro_steps, *tensor.shape[1:]])
