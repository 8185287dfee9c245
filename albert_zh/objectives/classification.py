"""Classification with one label per example."""

import tensorflow as tf

from albert_zh.model.heads.sequence import Classifier
from albert_zh.objectives.inputs import Batch, dropout_seeds, model_inputs
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Outcome, correct, mean_of


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
    loss = {"classification_loss": mean_of(cross_entropy(logits, labels))}
    return Outcome(losses=loss, metrics={**loss, "accuracy": mean_of(correct(logits, labels))})
