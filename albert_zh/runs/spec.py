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
from albert_zh.train.metrics import Objective
from albert_zh.train.optimizers import OptimizerOptions
from albert_zh.train.rows import Workload
from albert_zh.train.rules.table import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.util.json_objects import finite

# Key of a fingerprint in the history and in `best_checkpoint.json`.
VALIDATION_DATA = "validation_data"


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
    # stop; the function may then raise `ValidationStopped`. None: this training measures nothing,
    # but the scores that the run has still tell which checkpoint to keep.
    metrics: Callable[[int, Callable[[], bool]], Mapping[str, float]] | None
    every: int | None = None  # steps; None: at every checkpoint
    best_by: str = "-loss"  # metric that tells the best checkpoint; "-": the least is the best
    metric_prefix: str = ""  # of the metrics in `best_checkpoint.json`
    data: str | None = None  # fingerprint of the validation set
    saves: bool = False  # a checkpoint is saved before each evaluation, not only at its own times
    # Whether step 0 can be the best: in pretraining its weights may be those of a trained model; in
    # fine-tuning its head is random, and equal to the best only by chance.
    starts_trained: bool = True
    patience: int | None = None  # evaluations without a better one after which the training ends

    def note(self, step: int, metrics: Mapping[str, float]) -> dict[str, Any]:
        """The content of `best_checkpoint.json` if a step has the best checkpoint."""
        values = {f"{self.metric_prefix}{name}": each for name, each in finite(metrics).items()}
        data = {VALIDATION_DATA: self.data} if self.data else {}
        return {"checkpoint": f"model.ckpt-{step}", **values, **data}

    def row(self, step: int, metrics: Mapping[str, float]) -> dict[str, Any]:
        """The row of the history for a step."""
        data = {VALIDATION_DATA: self.data} if self.data else {}
        values = {VALIDATION + name: each for name, each in finite(metrics).items()}
        return {"step": step, **values, **data}

    def best_of(self, scores: Mapping[int, Mapping[str, float]]) -> dict[str, Any] | None:
        """The note of the best of some checkpoints: step -> metrics; None if none can be it."""
        best = None
        for step, metrics in scores.items():
            note = self.note(step, metrics)
            best = note if self.is_better(note, best) else best
        return best

    def is_better(self, note: Mapping[str, Any], best: Mapping[str, Any] | None) -> bool:
        """True if a checkpoint is better than the best before; of equals, the later one is."""
        key = self.metric_prefix + self.best_by.removeprefix("-")
        if not self._can_be_best(step_of(note)):
            return False
        if best is None or key not in best or not self._can_be_best(step_of(best)):
            return True
        new, old = ((self._rank(each[key]), step_of(each)) for each in (note, best))
        return new >= old

    def is_over(self, scores: Mapping[int, Mapping[str, float]]) -> bool:
        """True if the last `patience` evaluations of a training brought nothing better.

        Args:
            scores: Step -> metrics, of all evaluations so far.
        """
        key = self.best_by.removeprefix("-")
        ranks = [
            self._rank(scores[step][key]) for step in sorted(scores) if self._can_be_best(step)
        ]
        if self.patience is None or not ranks:
            return False
        return len(ranks) - 1 - ranks.index(max(ranks)) >= self.patience

    def _can_be_best(self, step: int) -> bool:
        return self.starts_trained or step > 0

    def _rank(self, value: float | None) -> float:
        if value is None or math.isnan(value):
            return -math.inf
        return -value if self.best_by.startswith("-") else value


def step_of(note: Mapping[str, Any]) -> int:
    """Step of the checkpoint that a `best_checkpoint.json` names."""
    return int(note["checkpoint"].rpartition("-")[2])


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
    """All that a run needs besides its model and directory."""

    objective: Objective  # minimised over the model's variables
    rule: Rule  # applied as the lineage of the model did
    schedule: ScheduleOptions  # its last step is the training's
    batches: Callable[[int], tf.data.Dataset]  # global batches from a step on
    plan: BatchPlan  # division of a batch, of `runs.batch_size`
    xla: bool  # whether the step is compiled with it
    workload: Workload  # of a step
    initial_weights: LoadPlan  # of `runs.initial_weights`, for the report
    facts: Mapping[str, Any]  # more entries for `run.json`
    validation: Validation
    variables: Sequence[tf.Variable] | None = None  # to train; None: all trainable ones
    # Factors of the learning rate, by name of the variable, where they are not 1.
    rate_factors: Mapping[str, float] = dataclasses.field(default_factory=dict)
    ema_decay: float | None = None  # of averages to evaluate and use; None: no averages
    # Where in the data the batch after N steps is.
    describe_batch: Callable[[int], str] = "batch {}".format


def optimizer_options(rule: Rule, config: ModelConfig) -> OptimizerOptions:
    """The rule as the configuration's lineage applied it, under the slot names it stored."""
    variant = config.variant
    return OptimizerOptions(
        rule, slots=variant.slots.get(rule.name), undecayed=variant.undecayed.get(rule.name, {})
    )
