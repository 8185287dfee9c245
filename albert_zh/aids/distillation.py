"""Distillation: a model learns from the predictions of others, its teachers.

Predictions (Hinton et al. 2015, arXiv:1503.02531, section 2): with the teacher's probabilities t
and the model's p, both of logits divided by the temperature T, and label y,

    loss = (1 - w) * -log p(y; T = 1) + w * T^2 * KL(t || p)

The factor T^2 keeps the size of the gradients as T changes. Several teachers have their
probabilities averaged. Of numbers, the divergence is the squared difference from their mean.

Hidden states, as relations between the tokens of a text: these are [L, L], whatever the widths, and
need no mapping (MiniLM, Wang et al. 2020, arXiv:2002.10957, section 3.2; here cosines of hidden
states in place of softmax products of values). Layer m of M is compared with layer m / M of the
teacher, the embeddings being layer 0 (TinyBERT, Jiao et al. 2020, arXiv:1909.10351, section 3.1):

    loss = mean over layers and pairs of tokens of (cos(h_i, h_j) - cos(g_i, g_j))^2

The teachers compute along with each step: hidden states of all texts would not fit in memory.

B rows, L length, D width, N positions, C classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from albert_zh.aids.outcomes import divergence, with_positions
from albert_zh.model.albert import Albert, AlbertOutput
from albert_zh.train.metrics import Batch, Mean, Objective, Outcome, Positions

_LESSON = "lesson"  # key in the batch


class Teacher(NamedTuple):
    """A fine-tuned model of the same task."""

    objective: Objective  # for its predictions
    albert: Albert


class Lesson(NamedTuple):
    """Predictions and hidden states of teachers for a batch."""

    soft: tf.Tensor  # [N, C], logits of their mean probabilities at the temperature; or numbers
    states: list[list[tf.Tensor | None]]  # of each teacher, of `hidden_states`


def taught(objective: Objective, teachers: Sequence[Teacher], temperature: float) -> Objective:
    """The objective of batches to which the teachers add their lesson, for `distilled`."""

    def teach(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        positions, states = [], []
        for teacher in teachers:
            with teacher.albert.outputs_to([]) as outputs:
                positions.append(teacher.objective(batch, None).positions)
            states.append(hidden_states(tf.nest.map_structure(tf.stop_gradient, outputs[0])))
        soft = tf.stop_gradient(mean_prediction(positions, temperature))
        return objective({**batch, _LESSON: Lesson(soft, states)}, seed)

    return teach


def mean_prediction(predictions: Sequence[Positions], temperature: float) -> tf.Tensor:
    """Logits `[N, C]` of the mean probabilities at a temperature; mean numbers `[N, 1]`."""
    logits = tf.stack([each.logits for each in predictions])
    if predictions[0].are_numbers:
        return tf.reduce_mean(logits, axis=0)
    # The logarithm of a mean is finite where the mean of the exponents would be 0.
    softened = tf.nn.log_softmax(logits / temperature)
    return tf.reduce_logsumexp(softened, axis=0)


def distilled(
    objective: Objective,
    albert: Albert,
    *,
    share: float,
    temperature: float,
    hidden_weight: float | None = None,
) -> Objective:
    """The objective mixed with the lesson of `taught`.

    Args:
        objective: Of the labels.
        albert: Encoder of the model that learns.
        share: Weight w of the teachers' predictions.
        temperature: T.
        hidden_weight: Weight of the loss of hidden states; None: none.
    """

    def learn(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        lesson: Lesson = batch[_LESSON]
        with albert.outputs_to([]) as outputs:
            outcome = objective(batch, seed)
        positions = outcome.positions
        soft = soft_losses(positions, lesson.soft, temperature)
        outcome = with_positions(outcome, losses=(1 - share) * positions.losses + share * soft)
        shown = {"distillation_loss": positions._replace(losses=soft).mean_loss()}
        losses = dict(outcome.losses)
        if hidden_weight:
            mask = tf.reshape(batch["input_mask"], [-1, tf.shape(batch["input_mask"])[-1]])
            apart = relation_losses(hidden_states(outputs[0]), lesson.states, mask)
            hidden = Mean(tf.reduce_sum(apart), tf.cast(tf.size(apart), tf.float32))
            shown["hidden_loss"] = hidden
            losses["hidden_loss"] = hidden._replace(total=hidden_weight * hidden.total)
        return outcome._replace(losses=losses, metrics={**outcome.metrics, **shown})

    return learn


def soft_losses(positions: Positions, soft: tf.Tensor, temperature: float) -> tf.Tensor:
    """Distance `[N]` of predictions from those of teachers, of `mean_prediction`."""
    if positions.are_numbers:
        return tf.square(positions.logits - soft)[:, 0]
    return temperature**2 * divergence(soft, positions.logits / temperature)


def hidden_states(output: AlbertOutput) -> list[tf.Tensor | None]:
    """Embeddings and layers, `[B, L, D]` each; None for one that has the first token alone."""
    return [None if state.shape[1] == 0 else state for state in (output.embedding, *output.layers)]


def relation_losses(
    states: Sequence[tf.Tensor | None],
    others: Sequence[Sequence[tf.Tensor | None]],
    mask: tf.Tensor,
) -> tf.Tensor:
    """Mean squared difference `[B]` of cosines between tokens, over layers, teachers and pairs.

    Args:
        states: Embeddings and M layers, of `hidden_states`.
        others: The same of each teacher.
        mask: `[B, L] int32`, 1 for tokens.
    """
    real = tf.cast(mask, tf.float32)
    pairs = real[:, :, None] * real[:, None, :]
    losses = []
    for teacher in others:
        for number, state in enumerate(states):
            other = teacher[round(number * (len(teacher) - 1) / (len(states) - 1))]
            if state is not None and other is not None:
                apart = tf.square(cosines(state) - cosines(other)) * pairs
                losses.append(tf.reduce_sum(apart, axis=[1, 2]) / tf.reduce_sum(pairs, axis=[1, 2]))
    return tf.add_n(losses) / len(losses)


def cosines(states: tf.Tensor) -> tf.Tensor:
    """Cosines `[B, L, L] float32` between the tokens of `[B, L, D]`."""
    units = tf.math.l2_normalize(tf.cast(states, tf.float32), axis=-1)
    return tf.matmul(units, units, transpose_b=True)
