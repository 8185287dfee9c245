"""The description of a training run, for `runs.fit`."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from albert_zh.checkpoint.names import LoadPlan
from albert_zh.checkpoint.paths import VALIDATION
from albert_zh.config import ModelConfig
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.optimizers import OptimizerOptions
from albert_zh.train.rows import Workload
from albert_zh.train.rules.table import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.step import Objective

# Key of a fingerprint in the history and in `best_checkpoint.json`.
VALIDATION_DATA = "validation_data"
_UNTRAINED = "model.ckpt-0"


@dataclasses.dataclass(frozen=True)
class Lengths:
    """Sizes of an example that determine its memory."""

    max_seq_length: int  # tokens
    max_predictions_per_seq: int = 0  # prediction targets; 0 without masked LM


class ValidationStopped(Exception):
    """The end of a validation that a stop of the run cut short."""


@dataclasses.dataclass(frozen=True)
class Validation:
    """Evaluation on a validation set: at step 0, at intervals and at the end."""

    # Measures the model as it stands at a step. The second argument tells whether the run is to
    # stop; the function may then raise `ValidationStopped`.
    metrics: Callable[[int, Callable[[], bool]], Mapping[str, float]]
    every: int | None = None  # steps; None: at every checkpoint
    best_by: str = "-loss"  # metric that tells the best checkpoint; "-": the least is the best
    metric_prefix: str = ""  # of the metrics in `best_checkpoint.json`
    data: str | None = None  # fingerprint of the validation set

    def note(self, step: int, metrics: Mapping[str, float]) -> dict[str, Any]:
        """The content of `best_checkpoint.json` if a step has the best checkpoint."""
        values = {f"{self.metric_prefix}{name}": metrics[name] for name in metrics}
        data = {VALIDATION_DATA: self.data} if self.data else {}
        return {"checkpoint": f"model.ckpt-{step}", **values, **data}

    def row(self, step: int, metrics: Mapping[str, float]) -> dict[str, Any]:
        """The row of the history for a step."""
        data = {VALIDATION_DATA: self.data} if self.data else {}
        return {"step": step, **{VALIDATION + key: metrics[key] for key in metrics}, **data}

    def best_of(self, scores: Mapping[int, Mapping[str, float]]) -> dict[str, Any] | None:
        """The note of the best of some checkpoints: step -> metrics; None without any."""
        best = None
        for step, metrics in scores.items():
            note = self.note(step, metrics)
            best = note if self.is_better(note, best) else best
        return best

    def is_better(self, note: Mapping[str, Any], best: Mapping[str, Any] | None) -> bool:
        """True if a checkpoint is better than the best before.

        Of equals, a trained one is better than step 0, then the one with the lower loss, then the
        first.
        """
        key = self.metric_prefix + self.best_by.removeprefix("-")
        if best is None or key not in best:
            return True
        sign = -1 if self.best_by.startswith("-") else 1
        new, old = (
            (
                sign * each[key],
                each["checkpoint"] != _UNTRAINED,
                -each.get(f"{self.metric_prefix}loss", math.inf),
            )
            for each in (note, best)
        )
        return new > old


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
    """All that a run needs besides its model and directory."""

    objective: Objective  # minimised over the model's variables
    rule: Rule  # applied as the lineage of the model did
    schedule: ScheduleOptions  # its last step is the training's
    batches: Callable[[int], tf.data.Dataset]  # global batches from a step on
    plan: BatchPlan  # division of a batch, of `runs.batch_size`
    workload: Workload  # of a step
    initial_weights: LoadPlan  # of `runs.initial_weights`, for the report
    facts: Mapping[str, Any]  # more entries for `run.json`
    variables: Sequence[tf.Variable] | None = None  # to train; None: all trainable ones
    validation: Validation | None = None
    # Where in the data the batch after N steps is.
    describe_batch: Callable[[int], str] = "batch {}".format


def optimizer_options(rule: Rule, config: ModelConfig) -> OptimizerOptions:
    """The rule as the configuration's lineage applied it, under the slot names it stored."""
    variant = config.variant
    return OptimizerOptions(
        rule, slots=variant.slots.get(rule.name), undecayed=variant.undecayed.get(rule.name, {})
    )
