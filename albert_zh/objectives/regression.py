"""Regression with one number per example."""

import tensorflow as tf

from albert_zh.model.heads.sequence import Classifier
from albert_zh.objectives.inputs import dropout_seeds, model_inputs, outcome_of
from albert_zh.train.metrics import Batch, Outcome, Positions


def regression_objective(
    model: Classifier, batch: Batch, dropout_seed: tf.Tensor | None = None
) -> Outcome:
    """Mean squared error of the numbers.

    Args:
        model: Encoder with a head of one class, whose logit is the number.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `numbers` `[B] float32`.
        dropout_seed: `[2] int32`; None outside training.
    """
    logits = model(**model_inputs(batch), seeds=dropout_seeds(dropout_seed))  # [B, 1]
    losses = tf.square(logits[:, 0] - batch["numbers"])
    positions = Positions(logits, batch["numbers"], losses, tf.ones_like(losses))
    return outcome_of("regression_loss", positions, {})
