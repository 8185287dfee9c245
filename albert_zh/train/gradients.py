"""Gradients of the examples of one replica, at once or in micro batches.

B examples of the replica, in M micro batches.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.metrics import Batch, Mean, Objective, Outcome
from albert_zh.train.step_control import StepControl


class Gradients(NamedTuple):
    """Result of the backward pass of a replica: sums over its examples."""

    loss: tf.Tensor  # the replica's share of the loss
    metrics: dict[str, Mean]
    gradients: list[tf.Tensor | tf.IndexedSlices]  # of `loss * loss_scale`


def loss_weights(outcome: Outcome) -> dict[str, tf.Tensor]:
    """Divisors of the summed losses, by name."""
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
        objective: Function to minimise.
        batch: Tensors with B rows.
        seed: `[2] int32`, for dropout.
        parameters: Variables to compute gradients for.
        weights: Divisors of the summed losses, if this batch is part of a larger one.
        loss_scale: Factor of the gradients.
    """
    with tf.GradientTape() as tape:
        outcome = objective(batch, seed)
        weights = weights or loss_weights(outcome)
        # A loss without any labelled example is 0, such as sentence order without known orders.
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
    control: StepControl | None = None,
) -> tuple[Gradients, tf.Tensor]:
    """Sums of the results of `compute` over the micro batches; the gradients dense, in float32.

    Args:
        compute: Function from a micro batch and its dropout seed to its gradients.
        batch: Tensors with B rows.
        seed: `[2] int32`, for dropout.
        micro_steps: M, a divisor of B.
        parameters: Variables to compute gradients for.
        metrics: Names of the metrics.
        control: May end the sums early.

    Returns:
        The sums, and whether they are of all micro batches.
    """
    parts = {name: _split(tensor, micro_steps) for name, tensor in batch.items()}

    def add(number: tf.Tensor, sums: Gradients) -> tuple[tf.Tensor, Gradients]:
        rows = {name: tensor[number] for name, tensor in parts.items()}
        part = compute(rows, tf.random.fold_in(seed, number))
        part = part._replace(gradients=dense(part.gradients))
        # The gradients of shared layers are sums too. Without this dependency the graph optimizer
        # merges both sums into AccumulateNV2, whose temporary variables race in a loop.
        with tf.control_dependencies(part.gradients):
            if control:
                control.note_micro_batches(number + 1)
            return number + 1, tf.nest.map_structure(tf.add, sums, part)

    zero = tf.zeros([])
    start = Gradients(
        loss=zero,
        metrics={name: Mean(zero, zero) for name in metrics},
        gradients=[tf.zeros(parameter.shape) for parameter in parameters],
    )

    def goes_on(number: tf.Tensor, _: Gradients) -> tf.Tensor:
        has_more = number < micro_steps
        return has_more & ~control.should_stop() if control else has_more

    # One micro batch at a time; otherwise several of them fill the memory.
    number, sums = tf.while_loop(
        goes_on,
        add,
        (tf.constant(0), start),
        parallel_iterations=1,
        maximum_iterations=micro_steps,
    )
    return sums, number == micro_steps


def dense(gradients: Sequence[tf.Tensor | tf.IndexedSlices]) -> list[tf.Tensor]:
    """Gradients of tables as whole tables; rows of repeated ids are summed."""
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def _split(tensor: tf.Tensor, micro_steps: int) -> tf.Tensor:
    """`[B, ...] -> [M, B / M, ...]`."""
    rows = tensor.shape[0]
    assert rows is not None, "batches need a fixed number of rows"
    shape = tf.concat([[micro_steps, rows // micro_steps], tf.shape(tensor)[1:]], axis=0)
    parts = tf.reshape(tensor, shape)
    return tf.ensure_shape(parts, [micro_steps, rows // micro_steps, *tensor.shape[1:]])


class ReplicaGradients:
    """The gradients of the examples of a replica, at once or in micro batches, perhaps compiled."""

    def __init__(
        self,
        objective: Objective,
        parameters: Sequence[tf.Variable],
        *,
        micro_steps: int,
        is_dense: bool,
        control: StepControl | None,
        jit_compile: bool,
    ):
        """
        Args:
            objective: Function to minimise.
            parameters: Variables to compute gradients for.
            micro_steps: Number of micro batches.
            is_dense: Whether gradients of tables are wanted as whole tables.
            control: May end the micro batches early.
            jit_compile: Whether XLA compiles what is computed for one micro batch.
        """
        self._objective, self._parameters = objective, parameters
        self._micro_steps, self._is_dense, self._control = micro_steps, is_dense, control
        self._compute = self._gradients
        if jit_compile:
            self._compute = tf.function(self._gradients, autograph=False, jit_compile=True)

    def __call__(
        self,
        batch: Batch,
        seed: tf.Tensor,
        weights: Mapping[str, tf.Tensor] | None,
        loss_scale: tf.Tensor,
        metrics: Sequence[str],
    ) -> tuple[Gradients, tf.Tensor]:
        """Sums over the examples of a replica, and whether they are of all of them."""
        if self._micro_steps == 1:
            return self._compute(batch, seed, weights, loss_scale), tf.constant(True)
        return accumulated_gradients(
            lambda batch, seed: self._compute(batch, seed, weights, loss_scale),
            batch,
            seed,
            micro_steps=self._micro_steps,
            parameters=self._parameters,
            metrics=metrics,
            control=self._control,
        )

    def _gradients(self, batch: Batch, seed, weights, loss_scale) -> Gradients:
        sums = gradients_of(
            self._objective,
            batch,
            seed,
            parameters=self._parameters,
            weights=weights,
            loss_scale=loss_scale,
        )
        return sums._replace(gradients=dense(sums.gradients)) if self._is_dense else sums
