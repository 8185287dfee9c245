"""Rows of the history: sums over some training steps, their speed, and leaps of the loss."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from albert_zh.train.metrics import Mean, add_means, results
from albert_zh.train.step import StepReport
from albert_zh.util.json_objects import finite


class Workload(NamedTuple):
    """The work of a step, from which its speed follows."""

    examples: float  # per step; the mean if it varies
    tokens: int | None = None  # per step, padding included; None if it varies
    flops: float | None = None  # per step
    peak: float | None = None  # FLOP/s of all devices together

    def rates(self, steps_per_second: float) -> dict[str, float]:
        """Examples and tokens per second, and the share of the peak (MFU), where they are known.

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
class RowSums:
    """Sums over the steps since the last row of the history.

    Float32 numbers are summed in float64, which is exact: the division into calls changes nothing.
    """

    steps: int = 0
    skipped: int = 0
    overflowed: int = 0
    seconds: float = 0.0
    metrics: dict[str, Mean] = dataclasses.field(default_factory=dict)

    def add(self, report: StepReport, *, steps: int, seconds: float) -> None:
        """Add the steps of one call."""
        self.steps += steps
        self.skipped += int(report.skipped)
        self.overflowed += int(report.overflowed)
        self.seconds += seconds
        metrics = tf.nest.map_structure(lambda value: np.float64(value), dict(report.metrics))
        self.metrics = add_means([self.metrics, metrics])

    def row(self, step: int, report: StepReport, workload: Workload) -> dict[str, Any]:
        """The row of the history that ends at `step`, where the call of `report` ended."""
        values = results(self.metrics)
        numbers = {
            "loss": _shortest(report.loss),
            "learning_rate": _shortest(report.learning_rate),
            "gradient_norm": _shortest(report.gradient_norm),
            # Nothing was measured where all steps were skipped.
            **{name: values[name] if self.metrics[name].weight else None for name in values},
            "seconds": self.seconds,
            **workload.rates(self.steps / self.seconds),
        }
        counts = {"skipped": self.skipped, "overflowed": self.overflowed}
        nonzero = {name: count for name, count in counts.items() if count}
        return {"step": step, "steps": self.steps, **finite(numbers), **nonzero}

    def to_json(self) -> dict[str, Any]:
        """All sums, for a checkpoint that is saved between two rows."""
        metrics = {name: [float(value) for value in mean] for name, mean in self.metrics.items()}
        return {**vars(self), "metrics": metrics}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RowSums":
        """The sums that `to_json` gave."""
        metrics = {name: Mean(*map(np.float64, mean)) for name, mean in values["metrics"].items()}
        return cls(**{**values, "metrics": metrics})


class SpikeWatch:
    """Detector of rows whose loss is more than 1.5 times the mean of the ten rows before.

    >>> watch = SpikeWatch([{"masked_lm_loss": 2.0}] * 10)
    >>> watch.check({"masked_lm_loss": 2.9}), watch.check({"masked_lm_loss": 3.2})
    (False, True)
    """

    FACTOR = 1.5
    NUM_ROWS = 10

    def __init__(self, earlier: Iterable[Mapping[str, Any]]):
        losses = (loss for row in earlier if (loss := mean_loss(row)) is not None)
        self._losses = collections.deque(losses, maxlen=self.NUM_ROWS)

    def check(self, row: Mapping[str, Any]) -> bool:
        """True if the loss of the row is a spike. The next rows are compared with this one too."""
        before, loss = list(self._losses), mean_loss(row)
        if loss is None:
            return False
        self._losses.append(loss)
        return len(before) == self.NUM_ROWS and loss > self.FACTOR * sum(before) / len(before)


def _shortest(value: tf.Tensor) -> float:
    """The shortest number that a float32 stands for: 0.1, not 0.10000000149011612."""
    return float(str(np.float32(value)))


def mean_loss(row: Mapping[str, Any]) -> float | None:
    """The loss over all steps of a row, if it has one; `row["loss"]` is the noisy one of its last.

    >>> mean_loss({"loss": 2.5, "masked_lm_loss": 2.0, "sentence_order_loss": None})
    2.0
    """
    losses = [row[name] for name in row if name.endswith("_loss") and row[name] is not None]
    return sum(losses) if losses else None
