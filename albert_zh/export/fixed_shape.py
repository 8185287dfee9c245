"""Exports that take batches of one size alone, for programs and processors that need it."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.export.source import Source, inputs_of
from albert_zh.inference.functions import ModelFunction
from albert_zh.inference.predictor import INPUTS, Arrays, Runner

_OF_TOKENS = ("sequence_output", "start_logits", "end_logits", "tag_logits")


class FixedShape:
    """A model whose functions take batches of one size; else it is the model that it is made of."""

    def __init__(self, source: Source, shape: tuple[int, int]):
        """
        Args:
            source: The model.
            shape: Texts of a batch, and tokens of each.

        Raises:
            ValueError: The model has no such sizes.
        """
        longest = source.config.max_position_embeddings
        if shape[1] > longest:
            raise ValueError(f"--fixed_shape: the model reads at most {longest} tokens")
        if inputs_of(source.functions(source.model)) != dict.fromkeys(INPUTS, 2):
            raise ValueError(
                "--fixed_shape is for models that take nothing but texts; those for multiple "
                "choice and masked words also take a number of choices or masks (of the latter, "
                "--head=encoder has fixed sizes)"
            )
        self._source, self.shape = source, shape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    @property
    def task(self) -> TaskMeta | None:
        """The task, whose longest text is that of the shape."""
        task = self._source.task
        if task is None:
            return None
        return dataclasses.replace(
            task, max_seq_length=min(task.max_seq_length or self.shape[1], self.shape[1])
        )

    def functions(self, model: tf.Module) -> tuple[ModelFunction, ...]:
        return tuple(
            dataclasses.replace(each, shape=self.shape) for each in self._source.functions(model)
        )


def any_size(run: Runner, shape: tuple[int, int] | None) -> Runner:
    """A runner for batches of any size, of one for a single size; the same where there is none.

    Args:
        run: Computes batches of the shape.
        shape: Texts of a batch, and tokens of each; None: any.
    """
    if shape is None:
        return run

    def compute(batch: Arrays) -> Arrays:
        count, tokens = batch[INPUTS[0]].shape
        parts = [run(each) for each in filled_batches(batch, shape)]
        outputs = {
            name: np.concatenate([each[name] for each in parts])[:count] for name in parts[0]
        }
        return {
            name: value[:, :tokens] if name in _OF_TOKENS else value
            for name, value in outputs.items()
        }

    return compute


def filled_batches(batch: Arrays, shape: tuple[int, int]) -> list[Arrays]:
    """Batches of a shape with the rows of another batch; the last row fills what is left."""
    size, length = shape
    count, tokens = batch[INPUTS[0]].shape
    rows = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    padded = {name: np.pad(batch[name], [(0, 0), (0, length - tokens)]) for name in INPUTS}
    return [{name: value[each] for name, value in padded.items()} for each in rows]
