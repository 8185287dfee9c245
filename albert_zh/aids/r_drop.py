"""R-Drop: two passes with different dropout that should agree.

(Liang et al. 2021, arXiv:2106.14448.) Section 2.2, equations 2 to 4: with the predictions
p and q of the two passes for label y,

    loss = -log p(y) - log q(y) + alpha * (KL(p || q) + KL(q || p)) / 2

Of numbers, the divergence is the squared difference, as the paper does for STS-B.
"""

import tensorflow as tf

from albert_zh.aids.outcomes import symmetric_divergence
from albert_zh.train.metrics import Batch, Mean, Objective, Outcome, mean_of


def r_drop(objective: Objective, alpha: float) -> Objective:
    """The objective of both passes, and `r_drop_loss` between them."""

    def twice(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        first, second = (objective(batch, tf.random.fold_in(seed, number)) for number in (0, 1))
        losses = {
            name: Mean(mean.total + second.losses[name].total, mean.weight)
            for name, mean in first.losses.items()
        }
        apart = symmetric_divergence(first.positions, second.positions)
        between = mean_of(apart, first.positions.weights)
        losses["r_drop_loss"] = between._replace(total=alpha * between.total)
        return first._replace(losses=losses, metrics={**first.metrics, "r_drop_loss": between})

    return twice
