"""Trainer: one optimizer step, compiled; and an evaluation step."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.metrics import Mean, Outcome, add_means
from albert_zh.train.optimizers import Optimizer, clip_by_global_norm
from albert_zh.train.schedules import Schedule

Batch = Mapping[str, tf.Tensor]
# Batch and dropout seed ([2] int32; None outside training) -> losses and metrics.
Objective = Callable[[Batch, tf.Tensor | None], Outcome]

# The norm that every published ALBERT clipped its gradients to.
_CLIP_NORM = 1.0


class StepReport(NamedTuple):
    """What a call of `Trainer.run` tells. Metrics are sums over its steps, the rest its last."""

    metrics: dict[str, Mean]
    loss: tf.Tensor
    gradient_norm: tf.Tensor  # before clipping
    learning_rate: tf.Tensor


class Trainer:
    """Objective, optimizer, schedule and step counter, and the step that they make.

    Losses and gradients are scaled so that k replicas with b examples each equal one replica
    with k * b: a replica divides its sums by the weights of all replicas. (Where a gradient is
    sparse, the clip norm still differs a little, see `clip_by_global_norm`.)
    """

    def __init__(
        self,
        *,
        objective: Objective,
        optimizer: Optimizer,
        schedule: Schedule,
        seed: int,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self._objective, self._optimizer, self._schedule = objective, optimizer, schedule
        self._seed = seed
        self._strategy = strategy or tf.distribute.get_strategy()
        with self._strategy.scope():
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")

    def run(self, batches: Iterator[Batch], steps: int) -> StepReport:
        """Takes `steps` optimizer steps on the next batches, in one call to the runtime.

        Args:
            batches: Iterator over a `tf.data` dataset, plain or distributed. (Tracing would take
                one batch off any other, and train on that one for ever.)
            steps: At least 1.

        The learning rate of a step is the schedule's at the step count before it.
        """
        assert isinstance(batches, tf.data.Iterator | tf.distribute.DistributedIterator)
        return self._run(batches, tf.constant(steps, tf.int64))

    @tf.function
    def _run(self, batches, steps) -> StepReport:
        report = self._one_step(next(batches))
        for _ in tf.range(steps - 1):
            latest = self._one_step(next(batches))
            report = latest._replace(metrics=add_means([report.metrics, latest.metrics]))
        return report

    # Traced once for both calls in _run. Nothing below branches on tensors in Python, and without
    # AutoGraph's source conversion the first step comes a second or two earlier.
    @tf.function(autograph=False)
    def _one_step(self, batch: Batch) -> StepReport:
        per_replica = self._strategy.run(self._replica_step, args=(batch, self.step.read_value()))
        self.step.assign_add(1)
        first = self._strategy.experimental_local_results
        return tf.nest.map_structure(lambda value: first(value)[0], per_replica)

    def _replica_step(self, batch: Batch, step: tf.Tensor) -> StepReport:
        context = tf.distribute.get_replica_context()

        def total(value):
            return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

        seed = tf.random.fold_in(tf.constant([self._seed, 0]), tf.cast(step, tf.int32))
        seed = tf.random.fold_in(seed, context.replica_id_in_sync_group)
        with tf.GradientTape() as tape:
            outcome = self._objective(batch, seed)
            loss = tf.add_n([mean.total / total(mean.weight) for mean in outcome.losses.values()])
        gradients = tape.gradient(loss, self._optimizer.parameters)
        if context.num_replicas_in_sync > 1:
            gradients = total([tf.convert_to_tensor(gradient) for gradient in gradients])
        gradients, norm = clip_by_global_norm(gradients, _CLIP_NORM)
        learning_rate = self._schedule(step)
        context.merge_call(self._apply, args=(gradients, learning_rate))
        return StepReport(total(dict(outcome.metrics)), total(loss), norm, learning_rate)

    def _apply(self, strategy, gradients, learning_rate) -> None:
        self._optimizer.apply(gradients, learning_rate)


def make_evaluation_step(objective: Objective) -> Callable[[Batch], dict[str, Mean]]:
    """A compiled function from a batch to the objective's metrics, without dropout."""

    @tf.function(autograph=False, reduce_retracing=True)
    def evaluate(batch: Batch) -> dict[str, Mean]:
        return dict(objective(batch, None).metrics)

    return evaluate
