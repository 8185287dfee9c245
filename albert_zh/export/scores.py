"""Scores of an export on labelled data, beside those of the checkpoint.

Eight bits change the outputs by more than rounding; only the scores tell whether that does harm.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from absl import logging

from albert_zh.export.source import Source
from albert_zh.inference.predictor import Runner, run_batches
from albert_zh.tasks import custom
from albert_zh.tasks.batches import bucket_lengths
from albert_zh.tasks.catalog import TASKS, find_task
from albert_zh.tasks.features import Features
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.task import Task

_SPLIT = "dev"
_LARGEST_LOSS = 0.005  # of a score between 0 and 1


@dataclasses.dataclass(frozen=True)
class LabelledData:
    """Examples of the task of a model, and their features."""

    path: str
    task: Task
    examples: Sequence[Any]
    features: Features
    longest: int  # tokens

    def score(self, run: Runner) -> float:
        """The task's metric, of the outputs of a model."""
        outputs = run_batches(
            run, self.features, batch_size=64, buckets=bucket_lengths(self.longest)
        )
        return self.task.scores(outputs, self.features, self.examples)[self.task.metric]


class Scoring:
    """Scores of formats beside that of the checkpoint."""

    def __init__(self, source: Source, path: str, largest_loss: float | None):
        """
        Args:
            source: The model.
            path: Labelled file of its task.
            largest_loss: Most that a format may lose of the task's metric; None: half a point.

        Raises:
            FileNotFoundError, ValueError: As of `read_labelled_data`.
        """
        self._data = read_labelled_data(source, path)
        self._largest_loss = _LARGEST_LOSS if largest_loss is None else largest_loss
        self._before = self._data.score(source.outputs)

    def of(self, name: str, run: Runner) -> dict[str, Any]:
        """The scores of a format, for `export.json`.

        Raises:
            ValueError: It loses too much.
        """
        metric, after = self._data.task.metric, self._data.score(run)
        logging.info("%s: %s %.4f, of the checkpoint %.4f", name, metric, after, self._before)
        if after < self._before - self._largest_loss:
            raise ValueError(
                f"{name} has {metric} {after:.4f} on {self._data.path}, the checkpoint "
                f"{self._before:.4f}; nothing was exported. Leave it out of --formats, or allow "
                "the loss with --largest_loss"
            )
        return {
            "data": self._data.path,
            "metric": metric,
            "checkpoint": self._before,
            "format": after,
        }


def read_labelled_data(source: Source, path: str) -> LabelledData:
    """Read a file in the format of the task that a model was trained for.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The model has no task, or the task is not known, or the file has no labels.
    """
    if source.task is None:
        raise ValueError(
            f"there is no head of a task to score on --eval_data={path}: {source.prefix} has none, "
            "or --head=encoder leaves it out"
        )
    task = _task_of(source)
    longest = source.task.max_seq_length or source.config.max_position_embeddings
    task = dataclasses.replace(
        task, labels=source.task.labels, files={_SPLIT: (os.path.abspath(path),)}
    )
    examples = read_split(task, data_dir=None, split=_SPLIT).examples
    if not any(example.label is not None for example in examples):
        raise ValueError(f"--eval_data={path} has no labels, so it gives no score")
    features = task.kind.featurize(
        examples, labels=task.labels, tokenizer=source.tokenizer, max_seq_length=longest
    )
    return LabelledData(path, task, examples, features, longest)


def _task_of(source: Source) -> Task:
    own = os.path.join(os.path.dirname(source.prefix), custom.FILE)
    if os.path.isfile(own):
        return custom.load_task(own)
    if source.task.name in TASKS:
        return find_task(source.task.name)
    raise ValueError(
        f"the files of the task {source.task.name} are not known: there is no {own}; leave out "
        "--eval_data"
    )
