"""Outcomes of objectives as aids change them. An aid is a function from objective to objective.

B batch, N positions, C classes.
"""

import tensorflow as tf

from albert_zh.train.metrics import Outcome, Positions


def loss_of_labels(outcome: Outcome) -> str:
    """Name of the loss that is the mean over the positions."""
    return next(iter(outcome.losses))


def with_positions(outcome: Outcome, **changes: tf.Tensor) -> Outcome:
    """The outcome with other losses or weights of its positions."""
    positions = outcome.positions._replace(**changes)
    losses = {**outcome.losses, loss_of_labels(outcome): positions.mean_loss()}
    return outcome._replace(losses=losses, positions=positions)


def divergence(logits: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence `KL(p || q) = sum p (log p - log q)` of logits, `[N]`.

    Args:
        logits: `[N, C]`, of p.
        others: `[N, C]`, of q.
    """
    log_p, log_q = tf.nn.log_softmax(logits), tf.nn.log_softmax(others)
    return tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1)


def symmetric_divergence(first: Positions, second: Positions) -> tf.Tensor:
    """`(KL(p || q) + KL(q || p)) / 2` of two predictions, `[N]`.

    Of numbers, the squared difference: the same of normal distributions, if the squared error is
    their negative log-likelihood (variance 1/2).
    """
    if first.are_numbers:
        return tf.square(first.logits - second.logits)[:, 0]
    both = divergence(first.logits, second.logits) + divergence(second.logits, first.logits)
    return both / 2.0
