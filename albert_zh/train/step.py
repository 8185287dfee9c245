"""Trainer: one optimizer step, compiled; and an evaluation step.

```
batch of a replica -> micro batches -> loss, gradients -> sum over micro batches
    -> sum over replicas -> unscale -> clip -> LAMB or AdamW -> variables
```
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from albert_zh.train.averaging import AveragingOptimizer
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.gradients import (
    ReplicaGradients,
    dense,
    loss_weights,
)
from albert_zh.train.loss_scale import LossScale
from albert_zh.train.metrics import Batch, Mean, Objective, add_means
from albert_zh.train.optimizers import Optimizer, clip_by_global_norm
from albert_zh.train.precision import Precision
from albert_zh.train.schedules import Schedule
from albert_zh.train.step_control import StepControl

# All published ALBERT models were trained with gradients clipped to this norm.
_CLIP_NORM = 1.0


class StepReport(NamedTuple):
    """Numbers of a call of `Trainer.run`: of its last step, unless a field says otherwise.

    A step whose loss or gradients are not finite changes no weight and no moment, and adds to no
    metric. In float16 the loss scale may have caused it: then the step is `overflowed` and the
    scale shrinks. Otherwise it is `skipped`. A step that was told to stop is no step at all.
    """

    metrics: dict[str, Mean]  # sums over the steps, float64
    loss: tf.Tensor
    gradient_norm: tf.Tensor  # before clipping
    learning_rate: tf.Tensor
    skipped: tf.Tensor  # number of skipped steps in the call
    first_skipped: tf.Tensor  # the step count before the first of them; -1 if there is none
    overflowed: tf.Tensor  # number of overflowed steps in the call
    steps: tf.Tensor  # number of steps in the call; fewer than asked for after a request to stop


class _Step(NamedTuple):
    """Numbers of one step, the same on all replicas."""

    metrics: dict[str, Mean]
    loss: tf.Tensor
    gradient_norm: tf.Tensor
    learning_rate: tf.Tensor
    is_finite: tf.Tensor
    is_complete: tf.Tensor  # False if a replica was told to stop before its last micro batch


class Trainer:
    """Objective, optimizer, schedule and step counter, and the compiled step.

    k replicas with m micro batches of b examples each equal one replica with k * m * b examples:
    sums of losses are divided by the weights of the whole batch. (If a gradient is sparse, the
    norm for clipping differs a little, see `clip_by_global_norm`.)
    """

    def __init__(
        self,
        *,
        objective: Objective,
        optimizer: Optimizer | AveragingOptimizer,
        schedule: Schedule,
        seed: int,
        strategy: tf.distribute.Strategy | None = None,
        plan: BatchPlan | None = None,
        precision: Precision = Precision.FLOAT32,
        xla: bool = False,
        control: StepControl | None = None,
    ):
        """
        Args:
            objective: Function to minimise.
            optimizer: Optimizer of the trained variables.
            schedule: Learning rate by step.
            seed: Seed for dropout.
            strategy: Devices; the variables were created in its scope.
            plan: Division of a batch; by default a replica computes its examples at once.
            precision: Type that the objective computes in.
            xla: Compile with XLA; TPUs do so anyway.
            control: May end a step between its micro batches, except on TPUs.
        """
        self._objective, self._optimizer, self._schedule = objective, optimizer, schedule
        self._seed = seed
        self._strategy = strategy or tf.distribute.get_strategy()
        micro_steps = plan.micro_steps if plan else 1
        with self._strategy.scope():
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
            self._loss_scale = LossScale() if precision.scales_loss else None
        is_alone = self._strategy.num_replicas_in_sync == 1
        self._is_split = not is_alone or micro_steps > 1  # a batch, into several parts
        on_tpu = isinstance(self._strategy, tf.distribute.TPUStrategy)
        self._control = control if micro_steps > 1 and not on_tpu else None
        jit_compile = (xla and not on_tpu) or None
        # Neither sums over replicas nor a look at the host can be inside of a compiled program.
        is_one_program = is_alone and not self._control
        self._compute = ReplicaGradients(
            objective,
            optimizer.parameters,
            micro_steps=micro_steps,
            is_dense=self._is_split,
            control=self._control,
            jit_compile=bool(jit_compile and not is_one_program),
        )
        # No Python code of a step branches on tensors. Without AutoGraph's source conversion the
        # first step starts a second or two earlier.
        self.one_step = tf.function(
            self._one_step, autograph=False, jit_compile=jit_compile if is_one_program else None
        )
        # No decorator of the method: TensorFlow would keep this object for good.
        self._run = tf.function(self._run_steps, autograph=False)

    @property
    def state(self) -> dict[str, tf.Variable]:
        """Variables by name that a resumed run needs besides weights and moments."""
        scale = self._loss_scale.variables if self._loss_scale else ()
        return {variable.name.removesuffix(":0"): variable for variable in (self.step, *scale)}

    def run(self, batches: Iterator[Batch], steps: int) -> StepReport:
        """Take `steps` optimizer steps on the next batches, in one call to the runtime.

        The learning rate of a step is the schedule's at the step count before it.

        Args:
            batches: Iterator over a `tf.data` dataset, plain or distributed. (With any other
                iterator, tracing would read one batch and every step would train on it.)
            steps: Number of steps, at least 1.
        """
        assert isinstance(batches, tf.data.Iterator | tf.distribute.DistributedIterator)
        return self._run(batches, tf.constant(steps, tf.int64))

    def _run_steps(self, batches, steps) -> StepReport:
        def next_report() -> StepReport:
            return _with_float64_metrics(self.one_step(next(batches)))

        def go_on(taken: tf.Tensor, report: StepReport) -> tuple[tf.Tensor, StepReport]:
            return taken + 1, _merge(report, next_report())

        one = tf.constant(1, tf.int64)
        return tf.while_loop(lambda taken, _: taken < steps, go_on, (one, next_report()))[1]

    def _one_step(self, batch: Batch) -> StepReport:
        """Take one optimizer step on a batch of a plain or of a distributed dataset."""
        before = self.step.read_value()
        per_replica = self._strategy.run(self._replica_step, args=(batch, before))
        step = _first_replica(self._strategy, per_replica)
        self.step.assign_add(tf.cast(step.is_complete, tf.int64))
        overflows = tf.constant(False)
        if self._loss_scale:
            overflows = step.is_complete & ~step.is_finite & self._loss_scale.can_shrink()
            self._loss_scale.update(step.is_finite, accept=step.is_complete)
        skips = step.is_complete & ~(step.is_finite | overflows)
        return StepReport(
            step.metrics,
            step.loss,
            step.gradient_norm,
            step.learning_rate,
            skipped=tf.cast(skips, tf.int64),
            first_skipped=tf.where(skips, before, -1),
            overflowed=tf.cast(overflows, tf.int64),
            steps=tf.cast(step.is_complete, tf.int64),
        )

    def _replica_step(self, batch: Batch, step: tf.Tensor) -> _Step:
        context = tf.distribute.get_replica_context()

        def total(value):
            return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

        seed = _replica_seed(self._seed, step, context.replica_id_in_sync_group)
        weights, metrics = None, []
        if self._is_split:
            # TensorFlow prunes this forward pass to the operations that the weights depend on.
            outcome = self._objective(batch, seed)
            weights, metrics = total(loss_weights(outcome)), list(outcome.metrics)
        scale = self._loss_scale.scale.read_value() if self._loss_scale else tf.constant(1.0)
        sums, is_complete = self._compute(batch, seed, weights, scale, metrics)
        gradients = sums.gradients
        if self._is_split or self._loss_scale:
            gradients = [gradient / scale for gradient in total(dense(gradients))]
        gradients, norm = clip_by_global_norm(gradients, limit=_CLIP_NORM)
        loss = total(sums.loss)
        if self._control:
            is_complete = total(tf.cast(~is_complete, tf.int32)) == 0
        is_finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        accept = is_finite & is_complete
        learning_rate = self._schedule(step)
        context.merge_call(self._apply, args=(gradients, learning_rate, accept))
        metrics = _zero_unless(accept, total(sums.metrics))
        return _Step(metrics, loss, norm, learning_rate, is_finite, is_complete)

    def _apply(self, strategy, gradients, learning_rate, is_finite) -> None:
        self._optimizer.apply(gradients, learning_rate, accept=is_finite)


def _replica_seed(seed: int, step: tf.Tensor, replica: tf.Tensor) -> tf.Tensor:
    """Seed `[2] int32` for the dropout of one step on one replica."""
    step_seed = tf.random.fold_in(tf.constant([seed, 0]), tf.cast(step, tf.int32))
    return tf.random.fold_in(step_seed, replica)


def _zero_unless(is_finite: tf.Tensor, metrics: dict[str, Mean]) -> dict[str, Mean]:
    """The metrics of a step, or zeros if it was not finite."""
    return tf.nest.map_structure(lambda value: tf.where(is_finite, value, 0.0), metrics)


def _first_replica(strategy: tf.distribute.Strategy, values):
    """The values of the first replica of this process, in the same structure."""
    local = strategy.experimental_local_results
    return tf.nest.map_structure(lambda value: local(value)[0], values)


def _with_float64_metrics(report: StepReport) -> StepReport:
    """The report, ready to be merged: sums in float64 do not depend on the division into calls."""
    metrics = tf.nest.map_structure(lambda value: tf.cast(value, tf.float64), report.metrics)
    return report._replace(metrics=metrics)


def _merge(earlier: StepReport, latest: StepReport) -> StepReport:
    """The report of all steps of two reports."""
    first, is_step = earlier.first_skipped, latest.steps > 0
    return latest._replace(
        loss=tf.where(is_step, latest.loss, earlier.loss),
        gradient_norm=tf.where(is_step, latest.gradient_norm, earlier.gradient_norm),
        learning_rate=tf.where(is_step, latest.learning_rate, earlier.learning_rate),
        metrics=add_means([earlier.metrics, latest.metrics]),
        skipped=earlier.skipped + latest.skipped,
        first_skipped=tf.where(first < 0, latest.first_skipped, first),
        overflowed=earlier.overflowed + latest.overflowed,
        steps=earlier.steps + latest.steps,
    )


def make_evaluation_step(
    objective: Objective, strategy: tf.distribute.Strategy | None = None
) -> Callable[[Batch], dict[str, Mean]]:
    """A compiled function from a batch to the objective's metrics, without dropout.

    Args:
        objective: Function whose metrics are needed.
        strategy: Devices; its batches come from a dataset that it distributed.
    """
    strategy = strategy or tf.distribute.get_strategy()

    def on_replica(batch: Batch) -> dict[str, Mean]:
        context = tf.distribute.get_replica_context()
        metrics = dict(objective(batch, None).metrics)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, metrics)

    @tf.function(autograph=False, reduce_retracing=True)
    def evaluate(batch: Batch) -> dict[str, Mean]:
        metrics = strategy.run(on_replica, args=(batch,))
        return _first_replica(strategy, metrics)

    return evaluate
