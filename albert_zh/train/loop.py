"""The training loop: batches -> steps -> rows of the history -> checkpoints, validations.

```
step        0 ... 40 ... 80 ... 100 ... 160 ... 200      log_every 100, save_every 80
calls       |  |    |     |  |    |   |     |      |     up to iterations_per_loop steps each
rows                              x                x     sums over steps 1-100 and 101-200
saved       x             x             x                with the sums since the last row; step 0
by `runs.fit`
```
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging

from albert_zh.train.agreement import any_worker, broadcast_from_chief
from albert_zh.train.display import StepDisplay
from albert_zh.train.metrics import Batch
from albert_zh.train.rows import RowSums, SpikeWatch, Workload, mean_loss
from albert_zh.train.step import StepReport, Trainer
from albert_zh.train.step_control import StepControl
from albert_zh.train.stopping import StopSignals
from albert_zh.train.watchdog import Watchdog
from albert_zh.util.progress import Progress

# With --on_nan=skip: after so many bad steps in a row, a model will not recover.
_MAX_BAD_STEPS = 100  # counted in whole calls


class LoopOptions(NamedTuple):
    """The last step, and the steps between two rows, checkpoints and validations."""

    until: int
    save_every: int
    log_every: int
    validate_every: int
    iterations_per_loop: int  # the most steps in one call to the runtime
    saves_validated: bool = False  # save before each validation, too
    skip_bad_steps: bool = False  # go on after a loss or gradients that are not finite
    call_seconds: float = 2.0  # target per call: live display, negligible overhead

    def is_due(self, step: int, every: int) -> bool:
        """True after the last step and every `every` steps."""
        return step % every == 0 or step == self.until

    def next_halt(self, step: int) -> int:
        """The next step after which the loop has to log, save or validate."""
        halts = [
            (step // every + 1) * every
            for every in (self.save_every, self.log_every, self.validate_every)
        ]
        return min(self.until, *halts)


class Hooks(NamedTuple):
    """The functions that the loop calls. The `int` argument is the number of steps done."""

    save: Callable[[int, RowSums], None]  # with the sums that are in no row yet
    record: Callable[[dict[str, Any]], None]  # with a row, before its last step is saved
    validate: Callable[[int], bool]  # after saving; True ends the training
    describe_batch: Callable[[int], str]  # where in the data the next batch is


def train(
    trainer: Trainer,
    batches: Iterator[Batch],
    options: LoopOptions,
    hooks: Hooks,
    *,
    strategy: tf.distribute.Strategy,
    workload: Workload,
    stop: StopSignals,
    watchdog: Watchdog,
    control: StepControl | None = None,
    micro_batches: int = 1,
    earlier_rows: Iterable[Mapping[str, Any]] = (),
    unrecorded: RowSums | None = None,
) -> bool:
    """Train from the trainer's step to `options.until`, or until a stop is requested.

    Args:
        trainer: Holds the step to start from.
        batches: Batches from the position of that step.
        options: When to stop, save, record, validate.
        hooks: How to save, record, validate.
        strategy: Strategy of the trainer.
        workload: Work of a step, for the speed.
        stop: Checked after every call; all workers stop together.
        watchdog: Gets a tick after every call.
        control: Of the trainer's steps, to show how far a long one is.
        micro_batches: Their number in a step.
        earlier_rows: Rows of the run so far, the oldest first.
        unrecorded: Sums that were saved with the step to start from.

    Returns:
        True after the last step, or where a validation ends the training; False if stopped by
        request.

    Raises:
        ValueError: Too many steps are not finite. Nothing is saved then.
    """
    step = int(trainer.step.read_value())
    if step >= options.until:
        logging.info("at step %d of %d: nothing to train", step, options.until)
        return True
    sums = unrecorded or RowSums()
    spikes, bad_steps = SpikeWatch(earlier_rows), 0
    with (
        Progress(description="train", unit="step", total=options.until, initial=step) as progress,
        StepDisplay(
            progress,
            watchdog,
            until=options.until,
            save_every=options.save_every,
            control=control,
            micro_batches=micro_batches,
        ) as display,
    ):
        pace, should_stop, is_over, saved = 1, False, False, step
        while step < options.until and not (should_stop or is_over):
            asked = min(pace, options.next_halt(step) - step)
            started = time.monotonic()
            with display.call(step):
                report = trainer.run(batches, asked)
                steps = int(report.steps)  # The call has ended once this is known.
            seconds = time.monotonic() - started
            watchdog.tick()
            if steps:
                bad_steps = _check_bad_steps(
                    report, steps, bad_steps, options, hooks.describe_batch
                )
                step += steps
                sums.add(report, steps=steps, seconds=seconds)
                rates = _shown_rates(workload.rates(steps / seconds))
                progress.advance(
                    steps, loss=float(report.loss), lr=float(report.learning_rate), **rates
                )
                display.measure(step, steps=steps, seconds=seconds)
                if options.is_due(step, options.log_every):
                    hooks.record(_with_spike(sums.row(step, report, workload), spikes))
                    sums = RowSums()
            should_stop = any_worker(strategy, stop.requested or steps < asked)
            is_validated = options.is_due(step, options.validate_every)
            is_saved = options.is_due(step, options.save_every)
            is_saved |= is_validated and options.saves_validated
            if step > saved and is_saved:
                hooks.save(step, sums)
                saved = step
            if is_validated and not should_stop:
                is_over = hooks.validate(step)
                # A resumed run makes up for a validation that a stop ended, at the same step.
                should_stop = any_worker(strategy, stop.requested)
            watchdog.tick()
            pace = broadcast_from_chief(strategy, _next_pace(pace, steps / seconds, options))
        if step > saved:  # The stop came in the steps, or in a validation after them.
            hooks.save(step, sums)
    if should_stop:
        dropped = f"; step {step + 1:,} was not finished and is dropped" if steps < asked else ""
        logging.info(
            "stopped and saved at step %d%s; the same command resumes from there", step, dropped
        )
    return not should_stop


def _shown_rates(rates: Mapping[str, float]) -> dict[str, float | str]:
    shown = {"examples/s": rates["examples_per_second"]}
    if "tokens_per_second" in rates:
        shown["tokens/s"] = rates["tokens_per_second"]
    if "mfu" in rates:
        shown["MFU"] = f"{rates['mfu']:.0%}"
    return shown


def _next_pace(pace: int, steps_per_second: float, options: LoopOptions) -> int:
    # At most doubled: the first calls trace and compile, so their rate says little.
    aim = int(steps_per_second * options.call_seconds)
    return max(1, min(2 * pace, aim, options.iterations_per_loop))


def _check_bad_steps(
    report: StepReport,
    steps: int,
    before: int,
    options: LoopOptions,
    describe_batch: Callable[[int], str],
) -> int:
    """Bad steps in a row; a call with a good step resets it.

    Raises:
        ValueError: Too many; without --on_nan=skip, one or more.
    """
    bad = int(report.skipped)
    if not bad:
        return 0
    first = int(report.first_skipped)
    message = f"loss or gradients of step {first + 1} are not finite ({describe_batch(first)})"
    if bad > 1:
        message += f"; later steps with this problem: {bad - 1}"
    if not options.skip_bad_steps:
        raise ValueError(
            f"{message}; the step changed no weight, and the last checkpoint is untouched. Lower "
            "--learning_rate, lengthen the warm-up, or skip such batches with --on_nan=skip"
        )
    in_a_row = before + bad if bad == steps else 0
    if in_a_row >= _MAX_BAD_STEPS:
        raise ValueError(
            f"{message}. {in_a_row} such steps in a row; the last checkpoint is untouched. Lower "
            f"--learning_rate or lengthen the warm-up"
        )
    logging.warning("%s; skipped, because of --on_nan=skip", message)
    return in_a_row


def _with_spike(row: dict[str, Any], spikes: SpikeWatch) -> dict[str, Any]:
    if not spikes.check(row):
        return row
    logging.warning(
        "the loss of steps %d to %d is over %.1f times the mean of the last %d rows: %.3f",
        row["step"] - row["steps"] + 1,
        row["step"],
        spikes.FACTOR,
        spikes.NUM_ROWS,
        mean_loss(row),
    )
    return {**row, "spike": True}
