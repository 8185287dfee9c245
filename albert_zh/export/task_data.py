"""Files in the format of the task of a model: to score it, and to find the ranges of its values."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.export.source import Source
from albert_zh.inference.predictor import INPUTS, Arrays, Runner, run_batches
from albert_zh.tasks import custom
from albert_zh.tasks.batches import bucket_lengths
from albert_zh.tasks.catalog import TASKS, find_task
from albert_zh.tasks.features import Features, collate
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.task import Task

_SPLIT = "dev"


@dataclasses.dataclass(frozen=True)
class TaskData:
    """Examples of the task of a model, and their features."""

    path: str
    task: Task
    examples: Sequence[Any]
    features: Features
    buckets: Sequence[int]  # padded lengths, the longest last
    output_names: tuple[str, ...]  # of what the model is for

    def outputs(self, run: Runner) -> Arrays:
        """Outputs of a model for all rows, without the vectors of all tokens."""

        def run_head(batch: Arrays) -> Arrays:
            outputs = run(batch)
            return {name: outputs[name] for name in self.output_names}

        return run_batches(run_head, self.features, batch_size=64, buckets=self.buckets)

    def score(self, outputs: Arrays) -> float:
        """The task's metric, of the outputs of a model."""
        return self.task.scores(outputs, self.features, self.examples)[self.task.metric]

    def predictions(self, outputs: Arrays) -> list[Any]:
        """A prediction for each example, out of the outputs of a model."""
        task = self.task
        predictions = task.kind.decode(outputs, self.features, self.examples, task.labels)
        return [
            task.kind.row(example, prediction, task.labels)["prediction"]
            for example, prediction in zip(self.examples, predictions, strict=True)
        ]

    def sample(self, size: int) -> list[Arrays]:
        """Rows from all of the file, each a batch, padded as for predictions."""
        count = len(self.features.lengths)
        rows = np.linspace(0, count - 1, min(size, count)).astype(int)
        return [self._batch(row) for row in rows]

    def _batch(self, row: int) -> Arrays:
        longest = next(each for each in self.buckets if each >= self.features.lengths[row])
        batch = collate(self.features, np.array([row]), padded_length=longest)
        return {name: batch[name] for name in INPUTS}


def read_task_data(source: Source, path: str, flag: str) -> TaskData:
    """Read a file in the format of the task that a model was trained for.

    Args:
        source: The model.
        path: The file.
        flag: That named the file, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The model has no task, or the task is not known.
    """
    if source.task is None:
        raise ValueError(
            f"there is no head of a task for {flag}={path}: {source.prefix} has none, or "
            "--head=encoder leaves it out"
        )
    task = _task_of(source, flag)
    longest = source.task.max_seq_length or source.config.max_position_embeddings
    task = dataclasses.replace(
        task, labels=source.task.labels, files={_SPLIT: (os.path.abspath(path),)}
    )
    examples = read_split(task, data_dir=None, split=_SPLIT).examples
    features = task.kind.featurize(
        examples, labels=task.labels, tokenizer=source.tokenizer, max_seq_length=longest
    )
    names = source.functions(source.model)[0].outputs
    return TaskData(path, task, examples, features, bucket_lengths(longest), names)


def _task_of(source: Source, flag: str) -> Task:
    own = os.path.join(os.path.dirname(source.prefix), custom.FILE)
    if os.path.isfile(own):
        return custom.load_task(own)
    if source.task.name in TASKS:
        return find_task(source.task.name)
    raise ValueError(
        f"the files of the task {source.task.name} are not known: there is no {own}; leave out "
        f"{flag}"
    )
