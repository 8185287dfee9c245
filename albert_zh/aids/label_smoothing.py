"""Label smoothing (Szegedy et al. 2016, arXiv:1512.00567, section 7).

The label y becomes a distribution over the C classes, `(1 - e) [c = y] + e / C`, so
that the loss is

    (1 - e) * -log p(y) + e * mean over c of -log p(c)

A model then gains nothing by probabilities close to 1.
"""

import tensorflow as tf

from albert_zh.aids.outcomes import with_positions
from albert_zh.train.metrics import Batch, Objective, Outcome


def smoothed(objective: Objective, share: float) -> Objective:
    """The objective with smoothed labels.

    Args:
        objective: Classification.
        share: The e above.
    """

    def smooth(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        outcome = objective(batch, seed)
        positions = outcome.positions
        uniform = -tf.reduce_mean(tf.nn.log_softmax(positions.logits), axis=-1)
        losses = (1.0 - share) * positions.losses + share * uniform
        return with_positions(outcome, losses=losses)

    return smooth
