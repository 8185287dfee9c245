"""Tagging and extractive reading: a label, or the ends of an answer, among the tokens of a row."""

import tensorflow as tf

from albert_zh.model.heads.tokens import TokenClassifier
from albert_zh.model.layers import shape_of
from albert_zh.objectives.inputs import dropout_seeds, model_inputs, outcome_of
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Batch, Outcome, Positions, correct, mean_of

_NEVER = -1e4  # logit of padding: its weight after the softmax is 0


def tagging_objective(
    model: TokenClassifier, batch: Batch, dropout_seed: tf.Tensor | None = None
) -> Outcome:
    """Mean cross-entropy of the tags.

    Args:
        model: Encoder with a head on every token.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `tags` `[B, L] int32`,
            negative where there is none.
        dropout_seed: `[2] int32`; None outside training.
    """
    logits = model(**model_inputs(batch), seeds=dropout_seeds(dropout_seed))  # [B, L, C]
    logits = tf.reshape(logits, [-1, logits.shape[-1]])
    tags = tf.reshape(batch["tags"], [-1])
    known = tf.cast(tags >= 0, tf.float32)
    tags = tf.maximum(tags, 0)
    positions = Positions(logits, tags, cross_entropy(logits, tags), known)
    accuracy = mean_of(correct(logits, tags), known)
    return outcome_of("tagging_loss", positions, {"tag_accuracy": accuracy})


def reading_objective(
    model: TokenClassifier, batch: Batch, dropout_seed: tf.Tensor | None = None
) -> Outcome:
    """Mean cross-entropy of the first and of the last token of the answer.

    Args:
        model: Encoder with a head of two classes on every token: start and end.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `answer_spans` `[B, 2]
            int32`, places in the row; 0 twice, [CLS], where it holds no answer.
        dropout_seed: `[2] int32`; None outside training.
    """
    logits = model(**model_inputs(batch), seeds=dropout_seeds(dropout_seed))  # [B, L, 2]
    padding = 1.0 - tf.cast(batch["input_mask"], tf.float32)
    logits = tf.transpose(logits, [2, 0, 1]) + padding * _NEVER
    logits = tf.reshape(logits, [-1, shape_of(logits)[-1]])  # [2 B, L], all starts before all ends
    places = tf.reshape(tf.transpose(batch["answer_spans"]), [-1])
    losses = cross_entropy(logits, places)
    positions = Positions(logits, places, losses, tf.ones_like(losses))
    hits = tf.reduce_prod(tf.reshape(correct(logits, places), [2, -1]), axis=0)
    return outcome_of("reading_loss", positions, {"span_accuracy": mean_of(hits)})
