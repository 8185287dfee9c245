"""Common parts of objectives: inputs of the model, seeds of its dropout, the only loss."""

from collections.abc import Mapping

import tensorflow as tf

from albert_zh.model.layers import DropoutSeeds
from albert_zh.train.metrics import Batch, Mean, Outcome, Positions


def model_inputs(batch: Batch) -> dict[str, tf.Tensor]:
    """`input_ids`, `input_mask`, `segment_ids`, `[B, L] int32` each."""
    return {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")}


def dropout_seeds(seed: tf.Tensor | None) -> DropoutSeeds | None:
    """Seeds of a step's dropouts; None outside training."""
    return None if seed is None else DropoutSeeds(seed)


def outcome_of(name: str, positions: Positions, metrics: Mapping[str, Mean]) -> Outcome:
    """The outcome whose loss, called by a name, is the mean over the positions."""
    loss = {name: positions.mean_loss()}
    return Outcome(losses=loss, metrics={**loss, **metrics}, positions=positions)
