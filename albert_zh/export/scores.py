"""Scores of an export on labelled data, beside those of the checkpoint.

Eight bits change the outputs by more than rounding; only the scores tell whether that does harm.
"""

from typing import Any

from absl import logging

from albert_zh.export.check import largest_difference
from albert_zh.export.source import Source
from albert_zh.export.task_data import read_task_data
from albert_zh.inference.predictor import Runner

_LARGEST_LOSS = 0.005  # of a score between 0 and 1


class Scoring:
    """Scores of formats beside that of the checkpoint."""

    def __init__(self, source: Source, path: str, largest_loss: float | None):
        """
        Args:
            source: The model.
            path: Labelled file of its task.
            largest_loss: Most that a format may lose of the task's metric; None: half a point.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The model has no task, or the task is not known, or the file has no labels.
        """
        self._data = data = read_task_data(source, path, "--eval_data")
        if not any(example.label is not None for example in data.examples):
            raise ValueError(f"--eval_data={path} has no labels, so it gives no score")
        self._largest_loss = _LARGEST_LOSS if largest_loss is None else largest_loss
        self._outputs = data.outputs(source.outputs)
        self._before = data.score(self._outputs)

    def of(self, name: str, run: Runner) -> dict[str, Any]:
        """The scores of a format, for `export.json`, and how far its outputs are from the model's.

        Raises:
            ValueError: It loses too much.
        """
        data, metric = self._data, self._data.task.metric
        outputs = data.outputs(run)
        after = data.score(outputs)
        logging.info("%s: %s %.4f, of the checkpoint %.4f", name, metric, after, self._before)
        if after < self._before - self._largest_loss:
            raise ValueError(
                f"{name} has {metric} {after:.4f} on {data.path}, the checkpoint "
                f"{self._before:.4f}; nothing was exported. Leave it out of --formats, or allow "
                "the loss with --largest_loss"
            )
        pairs = zip(data.predictions(self._outputs), data.predictions(outputs), strict=True)
        return {
            "data": data.path,
            "examples": len(data.examples),
            "metric": metric,
            "checkpoint": self._before,
            "format": after,
            "same_predictions": sum(ours == theirs for ours, theirs in pairs) / len(data.examples),
            "largest_difference": {
                name: largest_difference(expected, outputs[name])
                for name, expected in self._outputs.items()
            },
        }
