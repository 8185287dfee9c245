"""Exports that take batches of one size alone, for programs and processors that need it."""

import dataclasses
from typing import Any

import tensorflow as tf

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.export.source import Source, inputs_of
from albert_zh.inference.functions import ModelFunction
from albert_zh.inference.predictor import INPUTS


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
