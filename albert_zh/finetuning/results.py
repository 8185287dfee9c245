"""Files with the scores of a run's checkpoints on the validation set.

```
eval_results_albert_zh.txt    ***** Eval results my_model/model.ckpt-200 *****     as published
                              eval_accuracy = 0.85
metrics.json                  {"task": "lcqmc", "kind": "classification", "metric": "accuracy",
                               "best": {"checkpoint": "model.ckpt-200", "step": 200,
                                        "scores": {"accuracy": 0.85, "loss": 0.41}},
                               "checkpoints": [the same of each, in the order of steps],
                               "data": {"dev": {"path": ..., "sha256": ..., "rows": 8802}, ...},
                               "random_seed": 12345, "training_seconds": 61.2,
                               "versions": {"albert_zh": ..., ...}}
```
"""

import contextlib
import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

import albert_zh
from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.known import part_of_training
from albert_zh.runs.best import EARLIER_EVALUATIONS
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.earlier import move_away
from albert_zh.util.json_objects import finite
from albert_zh.util.object_files import write_json, write_text
from albert_zh.util.small_files import read_json_if_exists

METRICS = "metrics.json"
ERRORS, LABELS, CONFUSION = "errors.tsv", "labels.tsv", "confusion_matrix.tsv"
NUMBERS = "numbers.png"
_EVAL_RESULTS = "eval_results_albert_zh.txt"

Scores = Mapping[str, float]


def picture_of(table: str) -> str:
    """The picture of a table: `labels.png` of `labels.tsv`."""
    return table.replace(".tsv", ".png")


# All files of an evaluation, those of `finetuning.analysis` too.
RESULT_FILES = (
    *(_EVAL_RESULTS, METRICS, ERRORS, NUMBERS),
    *(name for table in (LABELS, CONFUSION) for name in (table, picture_of(table))),
)


def write_results(
    run: RunDirectory, data: Data, checkpoints: Mapping[int, tuple[str, Scores]], best: int | None
) -> None:
    """Write both files, whole; those of another validation set are moved away.

    Args:
        run: The run; its directory gets the files.
        data: The task and its splits.
        checkpoints: Step -> path and scores of a checkpoint.
        best: Step of the best one; None if none of them is trained.
    """
    directory, metrics = run.options.output_dir, _metrics(run, data, checkpoints, best)
    _keep_earlier(directory, metrics)
    write_text(os.path.join(directory, _EVAL_RESULTS), _as_published(checkpoints))
    write_json(os.path.join(directory, METRICS), metrics)


def _keep_earlier(directory: str, metrics: Mapping[str, Any]) -> None:
    """Move results on other data, or of other checkpoints alone, out of the way."""
    before = read_json_if_exists(os.path.join(directory, METRICS))
    if before is None:
        return
    with contextlib.suppress(KeyError, TypeError):  # A damaged one is moved like the others.
        is_same = before["data"]["dev"]["sha256"] == metrics["data"]["dev"]["sha256"]
        names, others = (
            {row["checkpoint"] for row in each["checkpoints"]} for each in (before, metrics)
        )
        if is_same and names & others:
            return
    place = move_away(directory, RESULT_FILES, folder=EARLIER_EVALUATIONS)
    logging.warning("the scores on other data, or of other checkpoints, were moved to %s", place)


def _as_published(checkpoints: Mapping[int, tuple[str, Scores]]) -> str:
    # The published scripts' format, but in the output directory: in --data_dir, theirs, tasks
    # overwrote each other.
    blocks = []
    for step in sorted(checkpoints):
        prefix, scores = checkpoints[step]
        row = {f"eval_{name}": value for name, value in scores.items()}
        row |= {"global_step": step, "loss": scores["loss"]}
        blocks.append(f"***** Eval results {prefix} *****\n")
        blocks += [f"{key} = {row[key]}\n" for key in sorted(row)]
    return "".join(blocks)


def _metrics(
    run: RunDirectory, data: Data, checkpoints: Mapping[int, tuple[str, Scores]], best: int | None
) -> dict[str, Any]:
    rows = {
        step: {
            # Those of the run by their name alone, so that its directory can be moved.
            "checkpoint": f"model.ckpt-{step}"
            if prefix == run.checkpoints.prefix(step)
            else prefix,
            "step": step,
            "scores": finite(scores),
        }
        for step, (prefix, scores) in sorted(checkpoints.items())
    }
    newest = run.checkpoints.latest() or checkpoints[max(checkpoints)][0]
    trained = load_meta(newest) or CheckpointMeta()
    return {
        "task": data.task.name,
        "kind": data.task.kind.name,
        "metric": data.task.metric,
        "best": rows.get(best),
        "checkpoints": list(rows.values()),
        "data": _files(data, trained),
        **part_of_training(run.options),  # dev then has the path and the sum of train
        "random_seed": (trained.options or {}).get("random_seed"),
        "training_seconds": _training_seconds(run, trained),
        "versions": {
            "albert_zh": albert_zh.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _files(data: Data, trained: CheckpointMeta) -> dict[str, Any]:
    """Files that were trained on and scored; an evaluation alone knows the former by its sum."""
    files = {
        name: {"path": split.path, "sha256": split.sha256, "rows": split.num_rows}
        for name, split in data.splits.items()
        if name != "test"
    }
    if "train" not in files and (known := trained.training.get("training_data")):
        files["train"] = {"sha256": known}
    return files


def _training_seconds(run: RunDirectory, trained: CheckpointMeta) -> float | None:
    """Seconds of all training steps, without evaluations; None where no history tells them."""
    seconds = [row["seconds"] for row in run.history.rows() if "steps" in row and "seconds" in row]
    seconds.append((trained.unrecorded or {}).get("seconds", 0.0))  # since the last row
    return round(sum(seconds), 3) if any(seconds) else None
