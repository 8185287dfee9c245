"""The output directory of a run: closed to other runs, written by the chief only.

```
model.ckpt-N...  checkpoint  best_checkpoint.json     checkpoints of one run
history.jsonl  events.out.tfevents...                 rows of steps, and of validations
options.json  run.json                                the flags, and the resulting settings
```
All workers read the directory; only the chief writes.
"""

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import GLOBAL_STEP
from albert_zh.runs.best import warn_of_lost_best
from albert_zh.runs.companions import Companions
from albert_zh.runs.history import History
from albert_zh.runs.identity import resumed_identity
from albert_zh.runs.options import RunOptions
from albert_zh.runs.spec import VALIDATION_DATA, Validation
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.rows import RowSums
from albert_zh.train.strategy import is_chief
from albert_zh.train.summaries import SummaryWriter
from albert_zh.util.object_files import write_json

Row = Mapping[str, Any]

_FLAGS, _REPORT = "options.json", "run.json"

# Keys of a row that TensorBoard does not plot.
_NOT_CURVES = ("step", "steps", "spike", VALIDATION_DATA)


class RunDirectory:
    """Checkpoints and history of one model, its data and its task."""

    def __init__(
        self,
        options: RunOptions,
        *,
        identity: CheckpointMeta,
        strategy: tf.distribute.Strategy | None = None,
        on_row: Callable[[Row], None] | None = None,
        sources: Mapping[str, str] | None = None,
        keep_alone: Callable[[], None] = lambda: None,
    ):
        """
        Args:
            options: The run's flags, kept in `options.json` and in each checkpoint's meta file.
            identity: What the checkpoints of a run have in common (model configuration,
                vocabulary, task, data and their order, initial weights). A run that only reads
                checkpoints may omit what it does not need.
            strategy: Where to train; by default the current strategy.
            on_row: Called with each row of the history before it is recorded.
            sources: Files whose fingerprints are in the identity, by key, for messages.
            keep_alone: Called before a row or a checkpoint is written, of `sole_training`.

        Raises:
            ValueError: The directory holds another run, or checkpoints of no run, or a damaged note
                of the best one.
        """
        self.options, self.config = options, identity.config
        self.strategy = strategy or tf.distribute.get_strategy()
        self.is_chief = is_chief(self.strategy)
        self.checkpoints = CheckpointManager(
            options.output_dir,
            keep_max=options.keep_checkpoint_max,
            keep_every_hours=options.keep_checkpoint_every_n_hours,
        )
        self.history = History(options.output_dir)
        self.companions = Companions(options.output_dir)
        self._summaries: SummaryWriter | None = None
        self._on_row, self._keep_alone = on_row, keep_alone
        self.identity = resumed_identity(self.checkpoints, identity, sources or {})
        warn_of_lost_best(self.checkpoints)

    def save(
        self,
        step: int,
        state: Mapping[str, tf.Variable],
        idle: Mapping[str, np.ndarray],
        *,
        plan: BatchPlan,
        unrecorded: RowSums,
    ) -> None:
        """Write a checkpoint from which a run resumes bit for bit.

        Args:
            step: Steps done.
            state: Weights, moments and counters.
            idle: Further arrays, which only other programs look for.
            plan: Division of a batch.
            unrecorded: Sums since the last row of the history.
        """
        if not self.is_chief:
            return
        self._prepare_to_write()
        arrays = {
            name: variable.read_value() for name, variable in state.items() if name != GLOBAL_STEP
        }
        meta = dataclasses.replace(
            self.identity,
            batch_plan=dataclasses.asdict(plan),
            options=dataclasses.asdict(self.options),
            unrecorded=unrecorded.to_json(),
        )
        self.checkpoints.save(step, {**arrays, **idle}, meta)

    def record(self, row: Row) -> None:
        """Add a row to `history.jsonl` and to TensorBoard's files."""
        if not self.is_chief:
            return
        if self._on_row:
            self._on_row(row)
        self._prepare_to_write()
        self.history.append(row)
        self._summaries = self._summaries or SummaryWriter(self.options.output_dir)
        points = {name: row[name] for name in row if name not in _NOT_CURVES}
        known = {name: value for name, value in points.items() if value is not None}
        self._summaries.write(row["step"], known)

    def record_validation(
        self, step: int, metrics: Mapping[str, float], validation: Validation
    ) -> None:
        """Record validation metrics; first mark the checkpoint if it is the best so far."""
        if not self.is_chief:
            return
        if step in self.checkpoints.steps():
            best, note = self.checkpoints.best(), validation.note(step, metrics)
            if validation.is_better(note, best):
                best = note
            if best:
                self.checkpoints.note_best(best, newest_scored=step)
                self.checkpoints.delete_old(newest=step)  # such as the one that was best before
        self.record(validation.row(step, metrics))
        logging.info("validation metrics at step %d: %s", step, as_text(metrics))

    def _prepare_to_write(self) -> None:
        """See to a directory that somebody removed meanwhile."""
        self._keep_alone()
        if self.companions.restore():
            self.close()
            self._summaries = None  # The next row opens a new file.

    def write_report(self, report: Mapping[str, Any]) -> None:
        """Write the flags and the resulting settings to the directory and the log."""
        if not self.is_chief:
            return
        directory = self.options.output_dir
        for name, content in ((_FLAGS, dataclasses.asdict(self.options)), (_REPORT, report)):
            path = os.path.join(directory, name)
            self.companions.write(name, functools.partial(write_json, path, content))
        lines = (f"  {name.replace('_', ' ')}: {as_text(report[name])}" for name in report)
        logging.info("%s/%s:\n%s", directory, _REPORT, "\n".join(lines))

    def report(self) -> dict[str, Any]:
        """The report of the training before; empty if there is none to read."""
        try:
            with tf.io.gfile.GFile(os.path.join(self.options.output_dir, _REPORT)) as file:
                return dict(json.loads(file.read()))
        except (tf.errors.OpError, ValueError, TypeError):
            return {}

    def close(self) -> None:
        """Close TensorBoard's files."""
        if self._summaries:
            self._summaries.close()


def as_text(value: Any) -> str:
    """A value of a report, or named ones, for the log.

    >>> as_text({"accuracy": 0.7352941, "random_weights": []})
    'accuracy 0.7353, random weights none'
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case list():
            return ", ".join(map(as_text, value)) or "none"
        case dict():
            named = (f"{name.replace('_', ' ')} {as_text(value[name])}" for name in value)
            return ", ".join(named) or "none"
    return str(value)
