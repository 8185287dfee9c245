"""Objectives: model and batch in, losses and metrics out. A new training objective goes here."""

from collections.abc import Mapping

import tensorflow as tf

from albert_zh.model.heads import Classifier, PretrainingModel
from albert_zh.model.layers import DropoutSeeds
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Mean, Outcome, correct, mean_of

Batch = Mapping[str, tf.Tensor]

# In the denominator of the published masked-LM loss, against a batch without masks.
_MASK_EPSILON = 1e-5


def pretraining(
    model: PretrainingModel,
    batch: Batch,
    dropout_seed: tf.Tensor | None = None,
    *,
    pairs: bool = True,
) -> Outcome:
    """Masked LM and sentence order, added unweighted (ALBERT, section 3.1).

    Args:
        model: Encoder with both heads.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `masked_lm_positions`,
            `masked_lm_ids` `[B, P] int32`; `masked_lm_weights` `[B, P] float32`, 0 where a row
            has fewer masks; `sentence_order` `[B] int32`, 1 where the segments are swapped.
        dropout_seed: `[2] int32`; None outside training.
        pairs: Whether the texts have two segments; without, sentence order counts 0 and is not
            shown.
    """
    output = model.albert(**_inputs(batch), seeds=_seeds(dropout_seed))
    token_logits = model.masked_lm(output.sequence, batch["masked_lm_positions"])
    token_labels = tf.reshape(batch["masked_lm_ids"], [-1])
    weights = tf.reshape(batch["masked_lm_weights"], [-1])
    masked_lm = mean_of(cross_entropy(token_logits, token_labels), weights)

    order_logits = model.sentence_order(output.pooled)
    order_labels = batch["sentence_order"]
    sentence_order = mean_of(cross_entropy(order_logits, order_labels))
    losses = {
        "masked_lm_loss": Mean(masked_lm.total, masked_lm.weight + _MASK_EPSILON),
        # The optimizer wants a gradient for every variable, of this head too.
        "sentence_order_loss": sentence_order._replace(total=sentence_order.total * float(pairs)),
    }
    metrics = {
        "masked_lm_loss": masked_lm,
        "masked_lm_accuracy": mean_of(correct(token_logits, token_labels), weights),
        "sentence_order_loss": sentence_order,
        "sentence_order_accuracy": mean_of(correct(order_logits, order_labels)),
    }
    shown = [name for name in metrics if pairs or name.startswith("masked_lm")]
    return Outcome(losses, {name: metrics[name] for name in shown})


def classification(
    model: Classifier, batch: Batch, dropout_seed: tf.Tensor | None = None
) -> Outcome:
    """Mean cross-entropy of single-label classification.

    Args:
        model: Encoder with a classification head.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `label_ids` `[B] int32`.
        dropout_seed: `[2] int32`; None outside training.
    """
    logits = model(**_inputs(batch), seeds=_seeds(dropout_seed))
    labels = batch["label_ids"]
    loss = mean_of(cross_entropy(logits, labels))
    return Outcome(
        losses={"loss": loss},
        metrics={"eval_loss": loss, "eval_accuracy": mean_of(correct(logits, labels))},
    )


def _inputs(batch: Batch) -> dict[str, tf.Tensor]:
    return {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")}


def _seeds(dropout_seed: tf.Tensor | None) -> DropoutSeeds | None:
    return None if dropout_seed is None else DropoutSeeds(dropout_seed)
