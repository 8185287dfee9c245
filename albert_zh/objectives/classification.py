"""Classification with one label per example."""

import tensorflow as tf

from albert_zh.model.heads.sequence import Classifier
from albert_zh.objectives.inputs import dropout_seeds, model_inputs, outcome_of
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Batch, Outcome, Positions, correct, mean_of


def classification_objective(
    model: Classifier, batch: Batch, dropout_seed: tf.Tensor | None = None
) -> Outcome:
    """Mean cross-entropy of the labels.

    Args:
        model: Encoder with a classification head.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `label_ids` `[B] int32`.
        dropout_seed: `[2] int32`; None outside training.
    """
    logits = model(**model_inputs(batch), seeds=dropout_seeds(dropout_seed))
    labels = batch["label_ids"]
    losses = cross_entropy(logits, labels)
    positions = Positions(logits, labels, losses, tf.ones_like(losses))
    accuracy = mean_of(correct(logits, labels))
    return outcome_of("classification_loss", positions, {"accuracy": accuracy})
