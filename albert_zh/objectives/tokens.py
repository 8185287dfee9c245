"""Tagging and extractive reading: a label, or the ends of an answer, among the tokens of a row."""

import tensorflow as tf

from albert_zh.model.heads.tokens import TokenClassifier
from albert_zh.objectives.inputs import Batch, dropout_seeds, model_inputs
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Outcome, correct, mean_of

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
    loss = {"tagging_loss": mean_of(cross_entropy(logits, tags), known)}
    return Outcome(
        losses=loss, metrics={**loss, "tag_accuracy": mean_of(correct(logits, tags), known)}
    )


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
    logits = tf.transpose(logits, [2, 0, 1]) + padding * _NEVER  # [2, B, L]
    losses, hits = [], []
    for end in (0, 1):
        places = batch["answer_spans"][:, end]
        losses.append(cross_entropy(logits[end], places))
        hits.append(correct(logits[end], places))
    loss = {"reading_loss": mean_of((losses[0] + losses[1]) / 2)}
    return Outcome(losses=loss, metrics={**loss, "span_accuracy": mean_of(hits[0] * hits[1])})
