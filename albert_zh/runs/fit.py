"""Training from the newest checkpoint, or from step 0, to the last step.

```
resume -> report -> first checkpoint -> missed validation -> loop
                                                    rows, checkpoints, validations
```
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.files import read_shapes
from albert_zh.checkpoint.loading import load_exactly
from albert_zh.checkpoint.names import GLOBAL_STEP
from albert_zh.runs.best import note_best_of_history, scores_by_step, set_aside_other_best
from albert_zh.runs.changes import warn_of_changes
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.history import VALIDATION
from albert_zh.runs.identity import INITIAL_WEIGHTS, RANDOM
from albert_zh.runs.options import RunOptions
from albert_zh.runs.spec import (
    VALIDATION_DATA,
    TrainingSpec,
    Validation,
    ValidationStopped,
)
from albert_zh.runs.trained import Trained, trained_by
from albert_zh.train import agreement
from albert_zh.train.devices import is_accelerated, local_devices
from albert_zh.train.loop import Hooks, LoopOptions, train
from albert_zh.train.precision import Precision
from albert_zh.train.rows import RowSums
from albert_zh.train.schedules import polynomial_decay_with_warmup
from albert_zh.train.step import Trainer
from albert_zh.train.step_control import StepControl
from albert_zh.train.stopping import StopSignals
from albert_zh.train.strategy import distribute_batches
from albert_zh.train.watchdog import Watchdog

# Rows of the report about the weights at step 0.
_ORIGIN = ("random_weights", "extended_tables", "unused_weights")


def fit(run: RunDirectory, model: tf.Module, spec: TrainingSpec) -> bool:
    """Train a model, filled by `load_initial_weights`, as `spec` says.

    Returns:
        True after the last step, False if stopped by request.

    Raises:
        ValueError: Loss or gradients are not finite, or workers see different checkpoints.
        OSError: A checkpoint could not be written.
    """
    loop = _loop_options(run.options, spec)
    _check_rule(run, spec)
    watchdog = Watchdog(run.options.stall_minutes)
    control = StepControl()
    with run.strategy.scope():
        trained = trained_by(model, spec, run.config)
    trainer = _trainer(run, trained, spec, control)
    unrecorded = _resume(run, trained.variables, trainer.state)
    step = int(trainer.step.read_value())
    rows = run.history.truncate(step) if run.is_chief else []
    if run.is_chief:
        if spec.validation.metrics:
            set_aside_other_best(run.checkpoints, spec.validation)
        note_best_of_history(run.checkpoints, run.history, spec.validation)
    stop = StopSignals(run.strategy, on_request=control.request_stop)
    hooks = _hooks(run, trained, trainer.state, spec, stop)
    with stop, watchdog:
        if step < loop.until:
            warn_of_changes(run.options, run.checkpoints.latest_meta().options, step=step)
            run.write_report(_report(run, spec, first_step=step))
        if not run.checkpoints.latest():
            hooks.save(step, unrecorded)  # Fails now if the directory cannot be written.
        if spec.validation.metrics and _should_validate(run, step, rows, loop, spec.validation):
            is_over = hooks.validate(step)
        else:
            is_over = _is_over(run, spec, step)
        has_ended = is_over or train(
            trainer,
            iter(distribute_batches(run.strategy, spec.batches(step))),
            loop,
            hooks,
            strategy=run.strategy,
            workload=spec.workload,
            stop=stop,
            watchdog=watchdog,
            control=control,
            micro_batches=spec.plan.micro_steps,
            earlier_rows=[row for row in rows if "steps" in row],
            unrecorded=unrecorded,
        )
    run.close()
    # A barrier, too: the last checkpoint is written. The last validation may have been stopped.
    return not agreement.any_worker(run.strategy, stop.requested) and has_ended


def _check_rule(run: RunDirectory, spec: TrainingSpec) -> None:
    """Raise ValueError where the moments to resume are those of another update rule."""
    stored, own = (run.checkpoints.latest_meta().options or {}).get("optimizer"), spec.rule.name
    if stored not in (None, own):
        prefix = run.checkpoints.latest()
        raise ValueError(
            f"--optimizer={own}: {prefix} was trained with {stored}, whose moments are others; "
            f"resume with --optimizer={stored}, or start from its weights with "
            f"--init_checkpoint={prefix} and another --output_dir"
        )


def _loop_options(options: RunOptions, spec: TrainingSpec) -> LoopOptions:
    save_every = options.save_checkpoints_steps
    return LoopOptions(
        until=spec.schedule.num_train_steps,
        save_every=save_every,
        log_every=options.log_steps,
        validate_every=spec.validation.every or save_every,
        saves_validated=spec.validation.saves,
        iterations_per_loop=options.iterations_per_loop,
        skip_bad_steps=options.on_nan == "skip",
    )


def _trainer(
    run: RunDirectory, trained: Trained, spec: TrainingSpec, control: StepControl
) -> Trainer:
    options = run.options
    return Trainer(
        objective=spec.objective,
        optimizer=trained.optimizer,
        schedule=polynomial_decay_with_warmup(spec.schedule),
        seed=options.random_seed,
        strategy=run.strategy,
        plan=spec.plan,
        precision=options.computes_in(),
        xla=spec.xla,
        control=control,
    )


def _hooks(
    run: RunDirectory,
    trained: Trained,
    counters: Mapping[str, tf.Variable],
    spec: TrainingSpec,
    stop: StopSignals,
) -> Hooks:
    state = {**trained.variables, **counters}

    def save(step: int, unrecorded: RowSums) -> None:
        run.save(step, state, trained.idle, plan=spec.plan, unrecorded=unrecorded)

    def validate(step: int) -> bool:
        if not spec.validation.metrics:
            return False
        try:
            with trained.evaluated():
                metrics = spec.validation.metrics(step, lambda: stop.requested)
        except ValidationStopped:
            logging.info("the validation at step %d was stopped", step)
        else:
            run.record_validation(step, metrics, spec.validation)
        return _is_over(run, spec, step)

    return Hooks(save, run.record, validate, spec.describe_batch)


def _is_over(run: RunDirectory, spec: TrainingSpec, step: int) -> bool:
    """True if nothing got better for so long that the training ends before its last step."""
    validation = spec.validation
    if not validation.patience or step >= spec.schedule.num_train_steps:
        return False
    # Only the chief has the history. Checkpoints between two evaluations may have got their scores
    # after a resumption: without those, it ends where an uninterrupted run does.
    every = validation.every or run.options.save_checkpoints_steps
    scores = scores_by_step(run.history, validation) if run.is_chief else {}
    is_over = validation.is_over({at: scores[at] for at in scores if at % every == 0})
    if is_over:
        logging.info(
            "the training ends at step %d, because no evaluation of the last %d was better than "
            "the best before; without --early_stopping, or with a higher one, it goes on",
            step,
            validation.patience,
        )
    return agreement.any_worker(run.strategy, is_over)


def _resume(
    run: RunDirectory, weights: Mapping[str, tf.Variable], counters: Mapping[str, tf.Variable]
) -> RowSums:
    """Restore all state from the newest checkpoint, if any.

    Returns:
        The sums over the steps that had no history row when the checkpoint was saved.

    Raises:
        ValueError: Workers find different checkpoints.
    """
    prefix = run.checkpoints.latest()
    step = run.checkpoints.steps()[-1] if prefix else 0
    is_other = step != agreement.broadcast_from_chief(run.strategy, step)
    if agreement.any_worker(run.strategy, is_other):
        raise ValueError(
            f"{run.options.output_dir} is at step {step} for this worker but not for others; all "
            f"workers must read the same directory"
        )
    if not prefix:
        return RowSums()
    stored = read_shapes(prefix)
    # Without stored counters (after a change of precision), the loss scale is reset.
    stored_counters = {name: counters[name] for name in counters if name in stored}
    try:
        load_exactly({**weights, GLOBAL_STEP: counters[GLOBAL_STEP], **stored_counters}, prefix)
    except ValueError as error:
        if run.checkpoints.latest_meta().options:
            raise
        raise ValueError(
            f"{error}\nNothing tells which --optimizer it was trained with; resume with that one, "
            f"or start from its weights with --init_checkpoint={prefix} and another --output_dir"
        ) from None
    logging.info("resuming from %s", prefix)
    unrecorded = run.checkpoints.latest_meta().unrecorded
    return RowSums.from_json(unrecorded) if unrecorded else RowSums()


def _should_validate(
    run: RunDirectory,
    step: int,
    rows: Sequence[Mapping[str, Any]],
    loop: LoopOptions,
    validation: Validation,
) -> bool:
    """True if this step is due for validation and has none on this validation set yet."""
    is_due = loop.is_due(step, loop.validate_every)
    is_done = any(
        row["step"] == step
        and f"{VALIDATION}loss" in row
        and row.get(VALIDATION_DATA, validation.data) == validation.data
        for row in rows
    )
    # Only the chief has rows.
    return agreement.any_worker(run.strategy, run.is_chief and is_due and not is_done)


def _report(run: RunDirectory, spec: TrainingSpec, *, first_step: int) -> dict[str, Any]:
    """The resulting settings, for `run.json`."""
    options, plan = run.options, spec.plan
    if options.computes_in() is Precision.FLOAT16 and not is_accelerated():
        logging.warning("CPUs emulate float16 slowly; use --precision=bfloat16")
    if spec.xla:
        logging.info("XLA compiles the first step, which takes minutes; --xla=false does without")
    return {
        "devices": [device.name for device in local_devices()],
        "replicas": run.strategy.num_replicas_in_sync,
        "precision": options.precision,
        "xla": spec.xla,
        "recompute": options.should_recompute(run.config),
        "batch_plan": {**dataclasses.asdict(plan), "micro_steps": plan.micro_steps},
        "first_step": first_step,
        "last_step": spec.schedule.num_train_steps,
        **_origin(run, spec),
        **spec.facts,
    }


def _origin(run: RunDirectory, spec: TrainingSpec) -> dict[str, Any]:
    """Rows of the report about the weights at step 0, also of a run that is resumed."""
    first, began_with = spec.initial_weights, run.identity.training.get(INITIAL_WEIGHTS)
    if began_with == RANDOM:
        return {"random_weights": "all"}
    if run.checkpoints.latest():
        return {key: value for key, value in run.report().items() if key in _ORIGIN}
    weights = [*first.missing, *first.misshapen], first.grown, first.unused
    return dict(zip(_ORIGIN, weights, strict=True))
