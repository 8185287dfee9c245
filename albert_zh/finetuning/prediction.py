"""Predictions for the test split, with scores where it has labels.

```
test_results.tsv ...          files of the task's kind
predictions.json              the data, the checkpoint and the scores they belong to
earlier_predictions/1/ ...    predictions of other data or another checkpoint
```
"""

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.evaluation import Evaluator, initial_fine_tuned
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.runs.directory import RunDirectory, as_text
from albert_zh.runs.earlier import move_away
from albert_zh.util.object_files import write_json, write_text

FACTS = "predictions.json"
_EARLIER = "earlier_predictions"
_IDENTITY = ("data_sha256", "checkpoint")  # predictions that agree in them replace each other


def predict_test(
    options: ClassifierOptions, run: RunDirectory, evaluator: Evaluator, data: Data
) -> None:
    """Write the predictions of the best checkpoint for the test split, in its order.

    A run that has no checkpoint takes its initial one.
    """
    task, split = data.task, data.splits["test"]
    if run.checkpoints.latest():
        prefix = find_checkpoint(options.output_dir, flag="output_dir")
    else:
        prefix = initial_fine_tuned(options)
    features, examples = data.features["test"], split.examples
    evaluator.load(prefix)
    outputs = evaluator.outputs(
        "test", batch_size=options.predict_batch_size, description="predict"
    )
    predictions = task.kind.decode(outputs, features, examples, task.labels)
    facts: dict[str, Any] = {
        "data": os.path.abspath(split.path),
        "data_sha256": split.sha256,
        "checkpoint": os.path.basename(prefix) if run.checkpoints.latest() else prefix,
        "examples": len(examples),
        "labelled_examples": sum(example.label is not None for example in examples),
    }
    if facts["labelled_examples"]:
        facts["scores"] = task.scores(outputs, features, examples)
        scores = as_text(facts["scores"])
        logging.info("%s on %s: %s", facts["checkpoint"], split.path, scores)
        if unknown := len(examples) - facts["labelled_examples"]:
            logging.warning("%d examples of %s have no label to be scored", unknown, split.path)
    if run.is_chief:
        files = task.prediction_files(split, predictions)
        _keep_earlier(options.output_dir, list(files), facts)
        for name, content in files.items():
            write_text(os.path.join(options.output_dir, name), content)
        write_json(os.path.join(options.output_dir, FACTS), {**facts, "files": list(files)})
        logging.info(
            "predicted %d examples with %s: %s in %s",
            len(examples),
            prefix,
            ", ".join(files),
            options.output_dir,
        )


def _keep_earlier(directory: str, files: list[str], facts: Mapping[str, Any]) -> None:
    """Move predictions of other data, or of another checkpoint, out of the way."""
    path = os.path.join(directory, FACTS)
    before: dict[str, Any] = {}
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as file, contextlib.suppress(ValueError):
            before = dict(json.loads(file.read()))  # A damaged one is moved like the others.
    if all(before.get(key) == facts[key] for key in _IDENTITY):
        return
    target = move_away(directory, [*before.get("files", files), FACTS], folder=_EARLIER)
    if target:
        logging.warning(
            "moved the earlier predictions, of %s for %s, to %s",
            before.get("checkpoint", "an unknown checkpoint"),
            before.get("data", "unknown data"),
            target,
        )
