"""Masked LM and sentence order: losses in training, metrics in validation."""

import tensorflow as tf

from albert_zh.model.albert import AlbertOutput
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.objectives.inputs import dropout_seeds, model_inputs
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Batch, Mean, Outcome, correct, mean_of

# In the denominator of the published masked-LM loss, against a batch without masks.
_MASK_EPSILON = 1e-5


def pretraining_objective(
    model: PretrainingModel,
    batch: Batch,
    dropout_seed: tf.Tensor | None = None,
    *,
    masked_lm_weight: float = 1.0,
    sentence_order_weight: float = 1.0,
) -> Outcome:
    """Masked LM and sentence order, added up (ALBERT, section 3.1).

    Args:
        model: Encoder with both heads.
        batch: `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`; `masked_lm_positions`,
            `masked_lm_ids` `[B, P] int32`; `masked_lm_weights` `[B, P] float32`, 0 where a row
            has fewer masks; `sentence_order` `[B] int32`, 1 where the segments are swapped,
            negative where that is unknown.
        dropout_seed: `[2] int32`; None outside training.
        masked_lm_weight: Of its loss in the sum.
        sentence_order_weight: Of its loss in the sum; 0 leaves it out. `pretraining_variables`
            are then fewer.
    """
    output, logits = _encode(model, batch, dropout_seed)
    labels, weights = _masked_labels(batch)
    masked_lm = mean_of(cross_entropy(logits, labels), weights)
    weighted = masked_lm_weight * masked_lm.total
    losses = {"masked_lm_loss": Mean(weighted, masked_lm.weight + _MASK_EPSILON)}
    metrics = {
        "masked_lm_loss": masked_lm,
        "masked_lm_accuracy": mean_of(correct(logits, labels), weights),
    }
    if sentence_order_weight:
        order = _sentence_order(model, output, batch)
        loss = order["sentence_order_loss"]
        losses["sentence_order_loss"] = loss._replace(total=sentence_order_weight * loss.total)
        metrics |= order
    return Outcome(losses, metrics)


def pretraining_variables(
    model: PretrainingModel, *, sentence_order: bool = True
) -> list[tf.Variable]:
    """Trained variables: without sentence order neither its head, nor the pooler that feeds it.

    They have no gradient then, and weight decay alone would shrink them.
    """
    idle = () if sentence_order else (model.sentence_order, model.albert.pooler)
    untrained = {variable.ref() for part in idle for variable in part.variables}
    return [variable for variable in model.trainable_variables if variable.ref() not in untrained]


def pretraining_metrics(
    model: PretrainingModel,
    batch: Batch,
    dropout_seed: tf.Tensor | None = None,
    *,
    sentence_order: bool = True,
    mask_id: int | None = None,
) -> Outcome:
    """Validation metrics: more than training shows, and nothing to minimise.

    ```
    masked_lm_positions    3      4   8    0    weights 1 1 1 0: the last one fills up the row
    read there          [MASK]    好  子         [MASK], a random token, the token itself: kept
    words                (3       4) (8)        adjacent masks; right if all of them are
    label                  北     京  子
    ```
    Of records with hashed labels, kept later characters of words count as random: their labels
    are other tokens.

    Args:
        model: Encoder with both heads.
        batch: As of `pretraining_objective`; the positions of a row ascend.
        dropout_seed: None.
        sentence_order: Whether it is an objective.
        mask_id: Id of [MASK]; None leaves out what is told by the kinds of masks.
    """
    output, logits = _encode(model, batch, dropout_seed)
    positions = batch["masked_lm_positions"]
    labels, weights = _masked_labels(batch)
    hits = correct(logits, labels)  # [B * P]
    metrics = {
        "masked_lm_loss": mean_of(cross_entropy(logits, labels), weights),
        "masked_lm_accuracy": mean_of(hits, weights),
        "masked_lm_word_accuracy": _word_accuracy(hits, positions, batch["masked_lm_weights"]),
    }
    if mask_id is not None:
        read = tf.reshape(tf.gather(batch["input_ids"], positions, batch_dims=1), [-1])
        masked, kept = tf.equal(read, mask_id), tf.equal(read, labels)
        kinds = {"mask": masked, "random": ~(masked | kept), "kept": kept & ~masked}
        for kind, chosen in kinds.items():
            means = mean_of(hits, weights * tf.cast(chosen, tf.float32))
            metrics[f"masked_lm_accuracy_{kind}"] = means
    if sentence_order:
        metrics |= _sentence_order(model, output, batch)
    return Outcome({}, metrics)


def _encode(
    model: PretrainingModel, batch: Batch, dropout_seed: tf.Tensor | None
) -> tuple[AlbertOutput, tf.Tensor]:
    """The encoder's output at the masked positions, and the logits `[B * P, V]` there."""
    positions = batch["masked_lm_positions"]
    output = model.albert(
        **model_inputs(batch), positions=positions, seeds=dropout_seeds(dropout_seed)
    )
    return output, model.masked_lm(output.sequence)


def _masked_labels(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Labels `[B * P] int32` and their weights `[B * P] float32`."""
    return tf.reshape(batch["masked_lm_ids"], [-1]), tf.reshape(batch["masked_lm_weights"], [-1])


def _sentence_order(model: PretrainingModel, output: AlbertOutput, batch: Batch) -> dict[str, Mean]:
    logits = model.sentence_order(output.pooled)
    known = tf.cast(batch["sentence_order"] >= 0, tf.float32)  # [B]
    labels = tf.maximum(batch["sentence_order"], 0)
    return {
        "sentence_order_loss": mean_of(cross_entropy(logits, labels), known),
        "sentence_order_accuracy": mean_of(correct(logits, labels), known),
    }


def _word_accuracy(hits: tf.Tensor, positions: tf.Tensor, weights: tf.Tensor) -> Mean:
    """Share of the runs of adjacent masks in which every one is right.

    Args:
        hits: `[B * P] float32`, 1 where a mask is right.
        positions: `[B, P] int32`, ascending where they count.
        weights: `[B, P] float32`, 0 for masks that do not count.
    """
    adjacent = tf.equal(positions[:, 1:], positions[:, :-1] + 1)
    begins = tf.pad(~adjacent, [[0, 0], [1, 0]], constant_values=True)  # [B, P]
    counts = tf.reshape(weights > 0, [-1])
    begins = tf.reshape(begins, [-1]) & counts
    words = tf.cumsum(tf.cast(begins, tf.int32)) - 1  # [B * P], the word each mask is in
    wrong = tf.cast(counts, tf.float32) * (1.0 - hits)
    mistakes = tf.math.unsorted_segment_sum(wrong, words, tf.size(hits))
    total = tf.reduce_sum(tf.cast(begins, tf.float32))
    return Mean(total - tf.reduce_sum(tf.cast(mistakes > 0, tf.float32)), total)
