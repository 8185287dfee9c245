"""Inputs of the model and seeds of its dropout, as all objectives take them."""

from collections.abc import Mapping

import tensorflow as tf

from albert_zh.model.layers import DropoutSeeds

Batch = Mapping[str, tf.Tensor]


def model_inputs(batch: Batch) -> dict[str, tf.Tensor]:
    """`input_ids`, `input_mask`, `segment_ids`, `[B, L] int32` each."""
    return {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")}


def dropout_seeds(seed: tf.Tensor | None) -> DropoutSeeds | None:
    """Seeds of a step's dropouts; None outside training."""
    return None if seed is None else DropoutSeeds(seed)
