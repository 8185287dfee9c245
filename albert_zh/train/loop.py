"""The training loop: batches -> steps -> rows of numbers -> evaluate, save.

```
step        0 ... 40 ... 80 ... 100 ... 160 ... 200      log_every 100, save_every 80
calls       |  |    |     |  |    |   |     |      |     of up to iterations_per_loop steps
rows                              x                x     what steps 1-100, 101-200 came to
saved       x             x             x                with the part of a row that is done
```
"""

import collections
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.train.agreement import agree, of_chief
from albert_zh.train.metrics import Mean, add_means, results
from albert_zh.train.step import Batch, StepReport, Trainer
from albert_zh.train.stopping import StopSignals
from albert_zh.train.watchdog import Watchdog
from albert_zh.util.progress import Progress

# A call to the runtime takes about this long (seconds): progress is seen, overhead is not.
_CALL_SECONDS = 2.0

# With --on_nan=skip: a model that gives nothing else any more will not recover.
_MOST_BAD_STEPS = 100  # in a row, counted in whole calls

_SPIKE = 1.5  # times the mean loss of the rows before
_ROWS_BEFORE = 10


class LoopOptions(NamedTuple):
    """How far to train, and how often to stop on the way. All in optimizer steps."""

    until: int
    save_every: int
    log_every: int
    evaluate_every: int
    iterations_per_loop: int  # at most so many steps in one call to the runtime
    skip_bad_steps: bool = False  # go on where loss or gradients are no finite numbers

    def is_due(self, step: int, every: int) -> bool:
        """Whether it is time, after a step, for what is done every so many and at the end."""
        return step % every == 0 or step == self.until

    def next_halt(self, step: int) -> int:
        """The next step after which something is due."""
        every = (self.save_every, self.log_every, self.evaluate_every)
        return min(self.until, *((step // each + 1) * each for each in every))


class Workload(NamedTuple):
    """What a step has to do, to tell how fast it is done."""

    examples: int  # of one step
    tokens: int | None = None  # of one step, padding included; None where it varies
    flops: float | None = None  # of one step
    peak: float | None = None  # FLOP/s of all devices together

    def rates(self, steps_per_second: float) -> dict[str, float]:
        """Examples and tokens a second, and the share of the peak (MFU), as far as they are known.

        >>> Workload(examples=8, tokens=1024, flops=2e9, peak=1e10).rates(2.0)
        {'examples_per_second': 16.0, 'tokens_per_second': 2048.0, 'mfu': 0.4}
        """
        rates = {"examples_per_second": self.examples * steps_per_second}
        if self.tokens:
            rates["tokens_per_second"] = self.tokens * steps_per_second
        if self.flops and self.peak:
            rates["mfu"] = self.flops * steps_per_second / self.peak
        return rates


@dataclasses.dataclass
class Stretch:
    """The steps since the last row of the history: what they came to so far.

    Sums are float64 of float32 numbers, so that they are exact, however the steps were called.
    """

    steps: int = 0
    skipped: int = 0
    overflowed: int = 0
    seconds: float = 0.0
    metrics: dict[str, Mean] = dataclasses.field(default_factory=dict)

    def add(self, report: StepReport, *, steps: int, seconds: float) -> None:
        self.steps += steps
        self.skipped += int(report.skipped)
        self.overflowed += int(report.overflowed)
        self.seconds += seconds
        metrics = tf.nest.map_structure(lambda value: np.float64(value), dict(report.metrics))
        self.metrics = add_means([self.metrics, metrics])

    def row(self, step: int, report: StepReport, workload: Workload) -> dict[str, Any]:
        """The row of the history that ends at a step; the report is that of its last call."""
        numbers = {
            "loss": float(report.loss),
            "learning_rate": float(report.learning_rate),
            "gradient_norm": float(report.gradient_norm),
            **results(self.metrics),
            "seconds": self.seconds,
            **workload.rates(self.steps / self.seconds),
        }
        counts = {"skipped": self.skipped, "overflowed": self.overflowed}
        happened = {name: count for name, count in counts.items() if count}
        return {"step": step, "steps": self.steps, **_as_json(numbers), **happened}

    def to_json(self) -> dict[str, Any]:
        """All of it, to be saved with a checkpoint in the middle of a row."""
        metrics = {name: [float(value) for value in mean] for name, mean in self.metrics.items()}
        return {**vars(self), "metrics": metrics}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Stretch":
        metrics = {name: Mean(*map(np.float64, mean)) for name, mean in values["metrics"].items()}
        return cls(**{**values, "metrics": metrics})


class SpikeWatch:
    """Tells when the loss of a row is 1.5 times the mean of the ten rows before it.

    >>> watch = SpikeWatch([{"eval_loss": 2.0}] * 10)
    >>> watch.sees({"eval_loss": 2.9}), watch.sees({"eval_loss": 3.2})
    (False, True)
    """

    def __init__(self, earlier: Iterable[Mapping[str, Any]]):
        self._losses = collections.deque(map(_mean_loss, earlier), maxlen=_ROWS_BEFORE)

    def sees(self, row: Mapping[str, Any]) -> bool:
        before, loss = list(self._losses), _mean_loss(row)
        self._losses.append(loss)
        return len(before) == _ROWS_BEFORE and loss > _SPIKE * sum(before) / len(before)


def _mean_loss(row: Mapping[str, Any]) -> float:
    # Over all steps of the row; its "loss" is that of the last one alone, which may be any batch's.
    return sum(value or 0.0 for name, value in row.items() if name.endswith("_loss"))


class Hooks(NamedTuple):
    """What the loop calls, most with the count of steps that are done."""

    save: Callable[[int, Stretch], None]  # with what is not recorded yet
    record: Callable[[dict[str, Any]], None]  # with a row, before what it belongs to is saved
    evaluate: Callable[[int], None]  # after saving
    describe_batch: Callable[[int], str]  # where the batch of the next step stands in the data


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
    earlier_rows: Iterable[Mapping[str, Any]] = (),
    stretch: Stretch | None = None,
) -> bool:
    """Trains from the trainer's step to `options.until`, or until it is to stop.

    Args:
        trainer: Holds the step count to start from.
        batches: From the position that belongs to that step.
        options: Where to stop, save, record, evaluate.
        hooks: What to do there.
        strategy: Of the trainer.
        workload: Of a step.
        stop: Asked after every call; the workers decide together.
        watchdog: Told of every call.
        earlier_rows: Rows of the run before, the oldest first.
        stretch: What was not recorded when the step was saved.

    Returns:
        Whether it came to the end without being asked to stop.

    Raises:
        ValueError: Loss or gradients are no finite numbers. Nothing is saved then.
    """
    step = int(trainer.step.read_value())
    if step >= options.until:
        logging.info("at step %d of %d: nothing to train", step, options.until)
        return True
    stretch = stretch or Stretch()
    spikes, bad_steps = SpikeWatch(earlier_rows), 0
    with Progress(description="train", unit="step", total=options.until, initial=step) as progress:
        pace, stopping = 1, False
        while step < options.until and not stopping:
            steps = min(pace, options.next_halt(step) - step)
            started = time.monotonic()
            report = trainer.run(batches, steps)
            loss = float(report.loss)  # The call has ended once this is known.
            seconds = time.monotonic() - started
            watchdog.tick()
            bad_steps = _check_bad_steps(report, steps, bad_steps, options, hooks.describe_batch)
            step += steps
            stretch.add(report, steps=steps, seconds=seconds)
            rates = _shown_rates(workload.rates(steps / seconds))
            progress.advance(steps, loss=loss, lr=float(report.learning_rate), **rates)
            if options.is_due(step, options.log_every):
                row = stretch.row(step, report, workload)
                hooks.record(_with_spike(row, spikes))
                stretch = Stretch()
            stopping = agree(strategy, stop.requested)
            if options.is_due(step, options.save_every) or stopping:
                hooks.save(step, stretch)
            if options.is_due(step, options.evaluate_every) and not stopping:
                hooks.evaluate(step)
            watchdog.tick()
            pace = of_chief(
                strategy, _next_pace(pace, steps / seconds, options.iterations_per_loop)
            )
    if stopping:
        logging.info("stopped and saved at step %d; the same command goes on from there", step)
    return not stopping


def _shown_rates(rates: Mapping[str, float]) -> dict[str, float | str]:
    shown = {"examples/s": rates["examples_per_second"]}
    if "tokens_per_second" in rates:
        shown["tokens/s"] = rates["tokens_per_second"]
    if "mfu" in rates:
        shown["MFU"] = f"{rates['mfu']:.0%}"
    return shown


def _next_pace(pace: int, steps_per_second: float, limit: int) -> int:
    # At most doubled: the first calls trace and compile, so their rate says little.
    return max(1, min(2 * pace, int(steps_per_second * _CALL_SECONDS), limit))


def _check_bad_steps(
    report: StepReport,
    steps: int,
    before: int,
    options: LoopOptions,
    describe_batch: Callable[[int], str],
) -> int:
    """The number of bad steps in a row, counted in whole calls; raises where they are too many."""
    bad = int(report.skipped)
    if not bad:
        return 0
    first = int(report.first_skipped)
    message = f"loss or gradients of step {first + 1} are not finite ({describe_batch(first)})"
    if bad > 1:
        message += f", nor are those of {bad - 1} of the steps after it"
    if not options.skip_bad_steps:
        raise ValueError(
            f"{message}; no weight was changed by it, and the last checkpoint is untouched. Lower "
            "--learning_rate or lengthen the warm-up, or pass over such batches with --on_nan=skip"
        )
    in_a_row = before + bad if bad == steps else 0
    if in_a_row >= _MOST_BAD_STEPS:
        raise ValueError(
            f"{message}. That were {in_a_row} in a row; the last checkpoint is untouched. Lower "
            "--learning_rate or lengthen the warm-up"
        )
    logging.warning("%s; passed over, as --on_nan=skip says", message)
    return in_a_row


def _with_spike(row: dict[str, Any], spikes: SpikeWatch) -> dict[str, Any]:
    if not spikes.sees(row):
        return row
    logging.warning(
        "the loss of steps %d to %d is more than %.1f times that of the %d rows before: %.3f",
        row["step"] - row["steps"] + 1,
        row["step"],
        _SPIKE,
        _ROWS_BEFORE,
        _mean_loss(row),
    )
    return {**row, "spike": True}


def _as_json(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no word for what is not finite."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
