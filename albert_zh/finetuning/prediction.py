"""Predictions for the test split, with scores where it has labels.

```
new.predictions.tsv           id, texts, label of the file, prediction, probabilities; for new.csv
new.predictions.jsonl         the same as JSON lines
new.predictions.json          the data, the checkpoint and the scores they belong to
test_results.tsv ...          files to publish: those of the task's kind, that of its benchmark
predictions.json              the data, the checkpoint and the scores they belong to
earlier_predictions/1/ ...    files of other data or another checkpoint that had the same names
```
"""

import os
from collections.abc import Mapping
from typing import Any

from absl import logging

from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.evaluation import Evaluator, initial_fine_tuned
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.runs.directory import RunDirectory, as_text
from albert_zh.runs.earlier import move_away
from albert_zh.tasks.splits import find_files
from albert_zh.tasks.tables import as_json_lines, as_table, prediction_rows
from albert_zh.tasks.task import Task
from albert_zh.util.files import without_gz
from albert_zh.util.object_files import write_json, write_text
from albert_zh.util.small_files import read_json_if_exists

FACTS = "predictions.json"
_EARLIER = "earlier_predictions"
_IDENTITY = ("data_sha256", "checkpoint")  # predictions that agree in them replace each other


def predict_test(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, data: Data
) -> None:
    """Write the predictions of the best checkpoint for the test split, in its order.

    A run that has no checkpoint takes its initial one; --model may name a certain one.
    """
    if options.model:
        prefix = find_checkpoint(options.model, flag="model")
    elif run.checkpoints.latest():
        prefix = find_checkpoint(options.output_dir, flag="output_dir")
    else:
        prefix = initial_fine_tuned(options, run.identity.task)
    if prefix == run.checkpoints.prefix(0):
        logging.warning("%s is not trained yet, so its predictions are those of chance", prefix)
    evaluator.load(prefix)
    name = os.path.basename(prefix) if run.checkpoints.latest() else prefix
    write_predictions(options, evaluator, data, checkpoint=name, is_chief=run.is_chief)


def write_predictions(
    options: ClassifierOptions, evaluator: Evaluator, data: Data, *, checkpoint: str, is_chief: bool
) -> None:
    """Write the predictions of the model as it stands for the test split, in its order.

    Args:
        options: The flags.
        evaluator: It has the model.
        data: The task and its splits.
        checkpoint: Name of the model's weights.
        is_chief: Whether this worker writes files.
    """
    task, split = data.task, data.splits["test"]
    features, examples = data.features["test"], split.examples
    outputs = evaluator.outputs(
        "test", batch_size=options.predict_batch_size, description="predict"
    )
    predictions = task.kind.decode(outputs, features, examples, task.labels)
    facts: dict[str, Any] = {
        "data": os.path.abspath(split.path),
        "data_sha256": split.sha256,
        "checkpoint": checkpoint,
        "examples": len(examples),
        "labelled_examples": sum(example.label is not None for example in examples),
    }
    if facts["labelled_examples"]:
        facts["scores"] = task.scores(outputs, features, examples)
        scores = as_text(facts["scores"])
        logging.info("%s on %s: %s", facts["checkpoint"], split.path, scores)
        if unknown := len(examples) - facts["labelled_examples"]:
            logging.warning("%d examples of %s have no label to be scored", unknown, split.path)
    if is_chief:
        rows = prediction_rows(task.kind, examples, predictions, task.labels)
        name = _name_of_input(options, task)
        own = {f"{name}.tsv": as_table(rows), f"{name}.jsonl": as_json_lines(rows)}
        published = task.prediction_files(split, predictions)
        _write(options.output_dir, own, facts, f"{name}.json")
        _write(options.output_dir, published, facts, FACTS)
        logging.info(
            "predicted %d examples with %s: %s in %s",
            len(examples),
            checkpoint,
            ", ".join([*own, *published]),
            options.output_dir,
        )


def _name_of_input(options: ClassifierOptions, task: Task) -> str:
    """Name of the predictions of the test file, without an ending: `new.predictions`."""
    path, *others = find_files(task, data_dir=options.data_dir, split="test")
    name, _ = os.path.splitext(without_gz(os.path.basename(path)))
    return f"{'test' if others else name}.predictions"


def _write(
    directory: str, files: Mapping[str, str], facts: Mapping[str, Any], facts_file: str
) -> None:
    """Write files, and the facts about them that tell later whether others may replace them."""
    _keep_earlier(directory, list(files), facts, facts_file)
    for name, content in files.items():
        write_text(os.path.join(directory, name), content)
    write_json(os.path.join(directory, facts_file), {**facts, "files": list(files)})


def _keep_earlier(
    directory: str, files: list[str], facts: Mapping[str, Any], facts_file: str
) -> None:
    """Move predictions of other data, or of another checkpoint, out of the way."""
    # A damaged one is moved like the others.
    before = read_json_if_exists(os.path.join(directory, facts_file)) or {}
    if all(before.get(key) == facts[key] for key in _IDENTITY):
        return
    earlier = before.get("files", files)
    if before.get("checkpoint") == facts["checkpoint"]:
        # Those for other test files of the task stay: tnews10_predict.json, tnews11_predict.json.
        earlier = [name for name in earlier if name in files]
    target = move_away(directory, [*earlier, facts_file], folder=_EARLIER)
    if target:
        logging.warning(
            "moved the earlier predictions, of %s for %s, to %s",
            before.get("checkpoint", "an unknown checkpoint"),
            before.get("data", "unknown data"),
            target,
        )
