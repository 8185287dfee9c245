"""Scores of a run's checkpoints on the dev split, and predictions for the test split."""

import os
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.loading import load_exactly
from albert_zh.checkpoint.manager import find_checkpoint
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.inference.predictor import Arrays, model_runner, run_batches
from albert_zh.model.scope import named_variables
from albert_zh.runs.directory import RunDirectory
from albert_zh.util.object_files import write_text
from albert_zh.util.progress import Progress


class Evaluator:
    """Computes the outputs of the model for a split, whatever weights it holds at the time."""

    def __init__(self, model: tf.Module, data: Data):
        self._model, self._data = model, data
        self._run = model_runner(model, KIND_MODELS[data.task.kind.name])

    def outputs(self, prefix: str, split: str, *, batch_size: int, description: str) -> Arrays:
        """Outputs of all rows of a split, with the weights of a checkpoint.

        Raises:
            FileNotFoundError, ValueError: The checkpoint is missing, damaged or another model's.
        """
        load_exactly(named_variables(self._model), prefix)
        features = self._data.features[split]
        with Progress(description=description, unit="example", total=len(features)) as progress:
            return run_batches(
                self._run,
                features,
                batch_size=batch_size,
                buckets=self._data.buckets,
                progress=progress,
            )


def evaluate_checkpoints(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, data: Data
) -> None:
    """Score every checkpoint on dev, and note the best one.

    Raises:
        ValueError: There is no checkpoint.
    """
    steps = run.checkpoints.steps()
    if not steps:
        raise ValueError(f"no checkpoint in {options.output_dir}; train first (--do_train=True)")
    task, rows = data.task, []
    for step in steps:
        outputs = evaluator.outputs(
            run.checkpoints.prefix(step),
            "dev",
            batch_size=options.eval_batch_size,
            description=f"evaluate model.ckpt-{step}",
        )
        scores = task.kind.score(outputs, data.features["dev"], task.labels)
        logging.info("model.ckpt-%d on dev: %s", step, scores)
        metrics = {f"eval_{name}": value for name, value in scores.items()}
        rows.append({**metrics, "global_step": step, "loss": scores["loss"]})
    if run.is_chief:
        _write_results(options, run, rows, metric=task.metric)


def _write_results(
    options: ClassifierOptions, run: RunDirectory, rows: list[dict[str, Any]], *, metric: str
) -> None:
    # As the published scripts wrote it, but to the output directory: theirs went to --data_dir,
    # where tasks overwrote each other.
    blocks = [
        f"***** Eval results {run.checkpoints.prefix(row['global_step'])} *****\n"
        + "".join(f"{key} = {row[key]}\n" for key in sorted(row))
        for row in rows
    ]
    write_text(os.path.join(options.output_dir, "eval_results_albert_zh.txt"), "".join(blocks))
    best = max(rows, key=lambda row: row[f"eval_{metric}"])
    run.checkpoints.note_best(best["global_step"], best)
    logging.info(
        "best on dev: model.ckpt-%d, %s %.4f", best["global_step"], metric, best[f"eval_{metric}"]
    )


def predict_test(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, data: Data
) -> None:
    """Write the predictions of the best checkpoint for the test split, in its order."""
    prefix, task, features = find_checkpoint(options.output_dir), data.task, data.features["test"]
    outputs = evaluator.outputs(
        prefix, "test", batch_size=options.predict_batch_size, description="predict"
    )
    predictions = task.kind.decode(outputs, features, task.labels)
    if run.is_chief:
        for name, content in task.kind.submission(predictions, task.labels).items():
            write_text(os.path.join(options.output_dir, name), content)
    logging.info("predicted %d examples with %s", len(predictions), prefix)
