"""The training loop: batches -> steps -> report -> save."""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from albert_zh.progress import Progress
from albert_zh.train.metrics import results
from albert_zh.train.step import Batch, StepReport, Trainer

# A call to the runtime takes about this long (seconds): progress is seen, overhead is not.
_CALL_SECONDS = 2.0


class LoopOptions(NamedTuple):
    """How far to train, and how often to stop on the way. All in optimizer steps."""

    until: int
    save_every: int
    iterations_per_loop: int  # at most so many steps in one call to the runtime


def train(
    trainer: Trainer,
    batches: Iterator[Batch],
    options: LoopOptions,
    *,
    save: Callable[[int], None],
    record: Callable[[dict[str, float]], None],
) -> None:
    """Trains from the trainer's step to `options.until`.

    Args:
        trainer: Holds the step count to start from.
        batches: From the position that belongs to that step.
        options: Where to stop and where to save.
        save: Called with the step count at every multiple of `save_every` and at the end.
        record: Called with the numbers of every stretch of steps.

    Raises:
        ValueError: The loss is no finite number any more. Nothing is saved then.
    """
    step = int(trainer.step)
    with Progress(description="train", unit="step", total=options.until, initial=step) as progress:
        pace = 1
        while step < options.until:
            next_save = min(options.until, (step // options.save_every + 1) * options.save_every)
            steps = min(pace, next_save - step)
            started = time.monotonic()
            report = trainer.run(batches, steps)
            step += steps
            row = {"step": step, "steps": steps, **_numbers(report)}
            row["seconds"] = time.monotonic() - started
            _check_finite(row)
            record(row)
            progress.advance(steps, loss=row["loss"], lr=row["learning_rate"])
            if step == next_save:
                save(step)
            pace = _next_pace(pace, steps / row["seconds"], options.iterations_per_loop)


def _next_pace(pace: int, steps_per_second: float, limit: int) -> int:
    # At most doubled: the first calls trace and compile, so their rate says little.
    return max(1, min(2 * pace, int(steps_per_second * _CALL_SECONDS), limit))


def _numbers(report: StepReport) -> dict[str, float]:
    return {
        "loss": float(report.loss),
        "learning_rate": float(report.learning_rate),
        "gradient_norm": float(report.gradient_norm),
        **results(report.metrics),
    }


def _check_finite(row: dict[str, float]) -> None:
    if not math.isfinite(row["loss"]) or not math.isfinite(row["gradient_norm"]):
        raise ValueError(
            f"the loss is {row['loss']} and the gradient norm {row['gradient_norm']} at step "
            f"{row['step']}; lower --learning_rate or lengthen the warm-up. The last checkpoint "
            "is untouched"
        )
