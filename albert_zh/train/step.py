"""Trainer: one optimizer step, compiled; and an evaluation step.

```
batch of a replica -> micro batches -> loss, gradients -> sum over micro batches
    -> sum over replicas -> unscale -> clip -> LAMB or AdamW -> variables
```
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.gradients import (
    Batch,
    Gradients,
    Objective,
    accumulated_gradients,
    dense,
    gradients_of,
    loss_weights,
)
from albert_zh.train.loss_scale import LossScale
from albert_zh.train.metrics import Mean, add_means
from albert_zh.train.optimizers import Optimizer, clip_by_global_norm
from albert_zh.train.precision import Precision
from albert_zh.train.schedules import Schedule

# The norm that every published ALBERT clipped its gradients to.
_CLIP_NORM = 1.0


class StepReport(NamedTuple):
    """What a call of `Trainer.run` tells: of its last step where nothing else is said.

    A step whose loss or gradients are not finite changes no weight and no moment, and counts in
    no metric. In float16 it may be the loss scale's fault: then it is `overflowed` and the scale
    shrinks, else it is `skipped`.
    """

    metrics: dict[str, Mean]  # sums over the steps, float64
    loss: tf.Tensor
    gradient_norm: tf.Tensor  # before clipping
    learning_rate: tf.Tensor
    skipped: tf.Tensor  # how many of the steps
    first_skipped: tf.Tensor  # the step count before the first of them; -1 if there is none
    overflowed: tf.Tensor  # how many of the steps


class _Step(NamedTuple):
    """What a replica tells of one step; the same on all of them."""

    metrics: dict[str, Mean]
    loss: tf.Tensor
    gradient_norm: tf.Tensor
    learning_rate: tf.Tensor
    is_finite: tf.Tensor


class Trainer:
    """Objective, optimizer, schedule and step counter, and the step that they make.

    Losses and gradients are scaled so that k replicas with m micro batches of b examples each equal
    one replica with k * m * b: sums are divided by the weights of the whole batch. (Where a
    gradient is sparse, the clip norm still differs a little, see `clip_by_global_norm`.)
    """

    def __init__(
        self,
        *,
        objective: Objective,
        optimizer: Optimizer,
        schedule: Schedule,
        seed: int,
        strategy: tf.distribute.Strategy | None = None,
        plan: BatchPlan | None = None,
        precision: Precision = Precision.FLOAT32,
        xla: bool = False,
    ):
        """
        Args:
            objective: What is minimised.
            optimizer: Of the variables that are trained.
            schedule: Of the learning rate.
            seed: Of the dropout.
            strategy: Where to train; the variables were made in its scope.
            plan: How batches are parted; a replica takes its examples at once when left out.
            precision: In which the objective computes.
            xla: Whether to compile with XLA. A TPU's strategy does so in any case.
        """
        self._objective, self._optimizer, self._schedule = objective, optimizer, schedule
        self._seed = seed
        self._strategy = strategy or tf.distribute.get_strategy()
        self._micro_steps = plan.micro_steps if plan else 1
        with self._strategy.scope():
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
            self._loss_scale = LossScale() if precision.scales_loss else None
        alone = self._strategy.num_replicas_in_sync == 1
        self._sparse_clip = alone and self._micro_steps == 1 and not precision.scales_loss
        self._knows_weights = not alone or self._micro_steps > 1
        on_tpu = isinstance(self._strategy, tf.distribute.TPUStrategy)
        # What replicas say to each other stays outside of what XLA compiles.
        compiles = (xla and not on_tpu) or None
        self._compute = self._computed
        if compiles and not alone:
            self._compute = tf.function(self._computed, autograph=False, jit_compile=True)
        # Nothing in a step branches on tensors in Python, and without AutoGraph's source
        # conversion the first step comes a second or two earlier.
        self.one_step = tf.function(
            self._one_step, autograph=False, jit_compile=compiles if alone else None
        )

    @property
    def state(self) -> dict[str, tf.Variable]:
        """What a resumed run needs besides weights and moments, by name."""
        scale = self._loss_scale.variables if self._loss_scale else ()
        return {variable.name.removesuffix(":0"): variable for variable in (self.step, *scale)}

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
        report = _widened(self.one_step(next(batches)))
        for _ in tf.range(steps - 1):
            report = _followed_by(report, _widened(self.one_step(next(batches))))
        return report

    def _one_step(self, batch: Batch) -> StepReport:
        """One optimizer step on one batch, plain or as `next` gives it of a distributed dataset."""
        before = self.step.read_value()
        per_replica = self._strategy.run(self._replica_step, args=(batch, before))
        first = self._strategy.experimental_local_results
        step = tf.nest.map_structure(lambda value: first(value)[0], per_replica)
        self.step.assign_add(1)
        overflows = tf.constant(False)
        if self._loss_scale:
            overflows = ~step.is_finite & self._loss_scale.can_shrink()
            self._loss_scale.update(step.is_finite)
        skips = ~(step.is_finite | overflows)
        return StepReport(
            step.metrics,
            step.loss,
            step.gradient_norm,
            step.learning_rate,
            skipped=tf.cast(skips, tf.int64),
            first_skipped=tf.where(skips, before, -1),
            overflowed=tf.cast(overflows, tf.int64),
        )

    def _replica_step(self, batch: Batch, step: tf.Tensor) -> _Step:
        context = tf.distribute.get_replica_context()

        def total(value):
            return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

        seed = tf.random.fold_in(tf.constant([self._seed, 0]), tf.cast(step, tf.int32))
        seed = tf.random.fold_in(seed, context.replica_id_in_sync_group)
        weights, metrics = None, []
        if self._knows_weights:
            # Of this forward pass, TensorFlow computes no more than the weights take.
            outline = self._objective(batch, seed)
            weights, metrics = total(loss_weights(outline)), list(outline.metrics)
        scale = self._loss_scale.scale.read_value() if self._loss_scale else tf.constant(1.0)
        found = self._compute(batch, seed, weights, scale, metrics)
        gradients = found.gradients
        if not self._sparse_clip:
            gradients = [gradient / scale for gradient in total(dense(gradients))]
        gradients, norm = clip_by_global_norm(gradients, _CLIP_NORM)
        loss = total(found.loss)
        is_finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        learning_rate = self._schedule(step)
        context.merge_call(self._apply, args=(gradients, learning_rate, is_finite))
        metrics = tf.nest.map_structure(
            lambda value: tf.where(is_finite, value, 0.0), total(found.metrics)
        )
        return _Step(metrics, loss, norm, learning_rate, is_finite)

    def _computed(self, batch: Batch, seed, weights, scale, metrics: list[str]) -> Gradients:
        def compute(batch: Batch, seed: tf.Tensor) -> Gradients:
            return gradients_of(
                self._objective,
                batch,
                seed,
                parameters=self._optimizer.parameters,
                weights=weights,
                loss_scale=scale,
            )

        if self._micro_steps == 1:
            return compute(batch, seed)
        return accumulated_gradients(
            compute,
            batch,
            seed,
            micro_steps=self._micro_steps,
            parameters=self._optimizer.parameters,
            metrics=metrics,
        )

    def _apply(self, strategy, gradients, learning_rate, is_finite) -> None:
        self._optimizer.apply(gradients, learning_rate, accept=is_finite)


def _widened(report: StepReport) -> StepReport:
    """Metrics as float64, in which sums over steps are exact, however they are called."""
    wide = tf.nest.map_structure(lambda value: tf.cast(value, tf.float64), report.metrics)
    return report._replace(metrics=wide)


def _followed_by(earlier: StepReport, latest: StepReport) -> StepReport:
    first = earlier.first_skipped
    return latest._replace(
        metrics=add_means([earlier.metrics, latest.metrics]),
        skipped=earlier.skipped + latest.skipped,
        first_skipped=tf.where(first < 0, latest.first_skipped, first),
        overflowed=earlier.overflowed + latest.overflowed,
    )


def make_evaluation_step(
    objective: Objective, strategy: tf.distribute.Strategy | None = None
) -> Callable[[Batch], dict[str, Mean]]:
    """A compiled function from a batch to the objective's metrics, without dropout.

    Args:
        objective: Whose metrics are wanted.
        strategy: Where; batches then come from a dataset that it distributed.
    """
    strategy = strategy or tf.distribute.get_strategy()

    def on_replica(batch: Batch) -> dict[str, Mean]:
        context = tf.distribute.get_replica_context()
        metrics = dict(objective(batch, None).metrics)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, metrics)

    @tf.function(autograph=False, reduce_retracing=True)
    def evaluate(batch: Batch) -> dict[str, Mean]:
        metrics = strategy.run(on_replica, args=(batch,))
        first = strategy.experimental_local_results
        return tf.nest.map_structure(lambda value: first(value)[0], metrics)

    return evaluate
