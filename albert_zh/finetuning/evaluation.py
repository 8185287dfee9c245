"""Scores of a run's checkpoints on the validation set, the dev split.

```
training   each checkpoint is scored as it is saved  -> history.jsonl, best_checkpoint.json
--do_eval  the checkpoints that exist                -> metrics.json, eval_results_albert_zh.txt
```
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.files import read_shapes
from albert_zh.checkpoint.loading import load_exactly, load_meta, read_step
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.finetuning.analysis import write_analysis
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.results import RESULT_FILES, write_results
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.inference.predictor import Arrays, run_batches
from albert_zh.inference.runners import model_runner
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.runs.best import scores_by_step, set_aside_other_best
from albert_zh.runs.directory import RunDirectory, as_text
from albert_zh.runs.initial_weights import initial_checkpoint, task_difference
from albert_zh.runs.spec import Validation, ValidationStopped, step_of
from albert_zh.util.progress import Progress


class Evaluator:
    """Computes outputs and scores of the model for a split, with the weights it has at the time."""

    def __init__(
        self,
        options: ClassifierOptions,
        model: tf.Module,
        data: Data,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self.data = data
        self._options, self._model = options, model
        self._run = model_runner(model, KIND_MODELS[data.task.kind.name], strategy)
        self._scores: dict[int, dict[str, float]] = {}  # on the validation set, by step
        self._newest: tuple[int, Arrays] | None = None  # step and outputs of the last scoring

    def load(self, prefix: str) -> None:
        """Fill the model with the weights of a checkpoint.

        Raises:
            FileNotFoundError, ValueError: The checkpoint is missing, damaged or of another model.
        """
        load_exactly(named_variables(self._model), prefix)

    def outputs(
        self,
        split: str,
        *,
        batch_size: int,
        description: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Arrays:
        """Outputs of all rows of a split.

        Raises:
            ValidationStopped: The run is to stop.
        """
        features = self.data.features[split]

        def run(batch: Arrays) -> Arrays:
            if should_stop():
                raise ValidationStopped
            return self._run(batch)

        with Progress(description=description, unit="example", total=len(features)) as progress:
            return run_batches(
                run,
                features,
                batch_size=batch_size,
                buckets=self.data.buckets,
                progress=progress,
            )

    def score(self, step: int, should_stop: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Scores of the model as it stands, which is at this step, on the validation set.

        Raises:
            ValidationStopped: The run is to stop.
        """
        outputs = self.outputs(
            "dev",
            batch_size=self._options.eval_batch_size,
            description=f"evaluate model.ckpt-{step}",
            should_stop=should_stop,
        )
        self._newest = step, outputs
        data, task = self.data, self.data.task
        examples = data.splits["dev"].examples
        self._scores[step] = task.scores(outputs, data.features["dev"], examples)
        return self._scores[step]

    def outputs_of_checkpoint(self, prefix: str) -> Arrays:
        """Outputs of a checkpoint on the validation set; known if it was scored last."""
        step = read_step(prefix) or 0
        if self._newest and self._newest[0] == step:
            return self._newest[1]
        self.load(prefix)
        return self.outputs(
            "dev", batch_size=self._options.eval_batch_size, description="find mistakes"
        )

    def score_checkpoint(self, step: int, prefix: str) -> dict[str, float]:
        """Scores of a checkpoint, computed once."""
        if step not in self._scores:
            self.load(prefix)
            scores = self.score(step)
            logging.info("model.ckpt-%d on the validation set: %s", step, as_text(scores))
        return self._scores[step]


def validation_of(options: ClassifierOptions, evaluator: Evaluator, data: Data) -> Validation:
    """Scoring on the dev split, if there is one; the best checkpoint is so by the task's metric."""
    dev = data.splits.get("dev")
    return Validation(
        metrics=evaluator.score if dev else None,
        every=options.eval_steps,
        best_by=data.task.metric,
        metric_prefix="eval_",
        data=dev and dev.sha256[:16],
        saves=True,
        starts_trained=False,
        patience=options.early_stopping,
    )


def evaluate_checkpoints(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, validation: Validation
) -> str | None:
    """Score every checkpoint on the validation set, and note the best one.

    A run that has none scores its initial checkpoint.

    Returns:
        The best checkpoint; None if none is trained.

    Raises:
        ValueError: There is no checkpoint, or the initial one is not fine-tuned.
    """
    steps = run.checkpoints.steps()
    if not steps:
        return _evaluate_initial(options, run, evaluator)
    scores = {
        step: evaluator.score_checkpoint(step, run.checkpoints.prefix(step)) for step in steps
    }
    best = validation.best_of(scores)
    prefix = best and run.checkpoints.prefix(step_of(best))
    if not run.is_chief:
        return prefix
    set_aside_other_best(run.checkpoints, validation, RESULT_FILES)
    if best:
        run.checkpoints.note_best(best, newest_scored=steps[-1])
    scores = {**scores_by_step(run.history, validation), **scores}
    checkpoints = {step: (run.checkpoints.prefix(step), scores[step]) for step in scores}
    write_results(run, evaluator.data, checkpoints, best and step_of(best))
    _report(run, best, scores, validation)
    return prefix


def _evaluate_initial(options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator) -> str:
    prefix = initial_fine_tuned(options, run.identity.task)
    step = read_step(prefix) or 0
    scores = evaluator.score_checkpoint(step, prefix)
    if run.is_chief:
        write_results(run, evaluator.data, {step: (prefix, scores)}, step)
    return prefix


def initial_fine_tuned(options: ClassifierOptions, task: TaskMeta) -> str:
    """The checkpoint of --init_checkpoint, to be used as it is.

    Raises:
        ValueError: None is given, it has no head, or that of another task.
    """
    prefix = initial_checkpoint(options)
    if not prefix:
        raise ValueError(
            f"there is no checkpoint in --output_dir={options.output_dir}; name a fine-tuned one "
            "with --model, or train first (--do_train=True)"
        )
    if not any(name.startswith(Classifier.stored_names) for name in read_shapes(prefix)):
        raise ValueError(
            f"{prefix} is not fine-tuned: it has no head of a task; train it first "
            "(--do_train=True)"
        )
    if difference := task_difference(prefix, task):
        raise ValueError(
            f"{prefix} does not fit {task.name}: {difference}. --model={prefix} alone takes its "
            "own task"
        )
    return prefix


def analyse(run: RunDirectory, evaluator: Evaluator, prefix: str) -> None:
    """Write files that show what a checkpoint gets wrong on the validation set."""
    data, task = evaluator.data, evaluator.data.task
    outputs = evaluator.outputs_of_checkpoint(prefix)
    if run.is_chief:
        examples = data.splits["dev"].examples
        predictions = task.kind.decode(outputs, data.features["dev"], examples, task.labels)
        write_analysis(run.options.output_dir, data, predictions)


def score_unscored(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, validation: Validation
) -> None:
    """Score the checkpoints of a run to resume before newer ones take their place.

    They have no scores if it trained without --do_eval until now, or with another validation set.
    If the newest alone has none, it is left to `runs.fit`.
    """
    if run.is_chief:
        set_aside_other_best(run.checkpoints, validation, RESULT_FILES)
    steps, scores = run.checkpoints.steps(), scores_by_step(run.history, validation)
    if not any(step not in scores and _was_due(run, step) for step in steps[:-1]):
        return
    evaluate_checkpoints(options, run, evaluator, validation)
    if run.is_chief:
        # Known for good: these checkpoints may be gone at the next evaluation.
        run.history.truncate(steps[-1])
        run.history.insert(
            validation.row(step, evaluator.score_checkpoint(step, run.checkpoints.prefix(step)))
            for step in steps
            if step not in scores
        )


def _was_due(run: RunDirectory, step: int) -> bool:
    """False for a checkpoint that its training saved between two evaluations of --eval_steps."""
    options = (load_meta(run.checkpoints.prefix(step)) or CheckpointMeta()).options or {}
    every = options.get("do_eval") and options.get("eval_steps")
    return not every or step % every == 0


def _report(
    run: RunDirectory,
    best: Mapping[str, Any] | None,
    scores: Mapping[int, Any],
    validation: Validation,
) -> None:
    """Log the best checkpoint, and doubts about it."""
    metric = validation.best_by
    if not best:
        logging.warning("the only checkpoint is the untrained model.ckpt-0, so none is the best")
        return
    name, value = best["checkpoint"], best[f"{validation.metric_prefix}{metric}"]
    logging.info("best on the validation set: %s, %s %.4f", name, metric, value)
    untrained = scores.get(0, {}).get(metric, value)
    if untrained > value:
        logging.warning(
            "no training step improved the model: the untrained model.ckpt-0 has %s %.4f",
            metric,
            untrained,
        )
    gone = [step for step in scores if step > 0 and step not in run.checkpoints.steps()]
    lead = {step: scores[step].get(metric, value) - value for step in gone}
    # Rounding may differ between the evaluations.
    if lead and max(lead.values()) > 1e-4:
        better = max(lead, key=lead.get)
        logging.warning(
            "model.ckpt-%d was better, %s %.4f, and does not exist any more",
            better,
            metric,
            value + lead[better],
        )
    if unscored := _unscored_steps(run, scores):
        logging.warning(
            "%d of the %d checkpoints of this training, such as model.ckpt-%d, were deleted before "
            "they were evaluated, so a better one may be lost. Train with --do_eval=True, which "
            "evaluates every checkpoint when it is saved",
            len(unscored),
            len(unscored) + len(scores),
            unscored[-1],
        )


def _unscored_steps(run: RunDirectory, scores: Mapping[int, Any]) -> Sequence[int]:
    """Steps at which the training saved a checkpoint that nothing scored."""
    interval = (run.checkpoints.latest_meta().options or {}).get("save_checkpoints_steps")
    if not interval:
        return []
    return [step for step in range(0, max(scores), interval) if step not in scores]
