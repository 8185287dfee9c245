"""FGM: training on adversarial word vectors (Miyato et al. 2017, arXiv:1605.07725, section 3).

With s the word vectors of a text, one after the other, and g the gradient of its loss with respect
to them (equations 5 and 6):

    r = epsilon * g / |g|            loss = loss(s) + loss(s + r)

r is a constant for the gradient. As in the paper, each text has an r of its own; to move the whole
table of a batch, as is common, would make a step depend on the division into micro batches. Both
passes have the same dropout, so that r points where the loss grows most. (The paper normalises the
vectors first, which pretrained ones do not allow.)

B rows, L length, E embedding.
"""

import tensorflow as tf

from albert_zh.aids.outcomes import loss_of_labels
from albert_zh.model.albert import Embeddings
from albert_zh.train.metrics import Batch, Objective, Outcome

# Keeps small gradients of float16 layers in range, as `train.loss_scale` does. It cancels.
_SCALE = 2.0**10


def adversarial(objective: Objective, embeddings: Embeddings, epsilon: float) -> Objective:
    """The objective on texts as they are, and on those with moved word vectors.

    Args:
        objective: Computed by a model.
        embeddings: Of this model.
        epsilon: Length of the move of a text.
    """

    def both(batch: Batch, seed: tf.Tensor | None) -> Outcome:
        vectors: list[tf.Tensor] = []

        with tf.GradientTape(watch_accessed_variables=False) as tape:

            def watch(words: tf.Tensor) -> tf.Tensor:
                tape.watch(words)
                vectors.append(words)
                return words

            with embeddings.words_through(watch):
                clean = objective(batch, seed)
            total = _SCALE * clean.losses[loss_of_labels(clean)].total
        # Of several passes, such as R-Drop's, the vectors are the same.
        gradient = tf.add_n(tape.gradient(total, vectors))
        # Squares of float16 gradients would overflow.
        move = tf.stop_gradient(epsilon * unit_rows(tf.cast(gradient, tf.float32)))
        with embeddings.words_through(lambda words: words + tf.cast(move, words.dtype)):
            moved = objective(batch, seed)
        losses = {f"adversarial_{name}": mean for name, mean in moved.losses.items()}
        shown = {"adversarial_loss": moved.losses[loss_of_labels(moved)]}
        return clean._replace(losses={**clean.losses, **losses}, metrics={**clean.metrics, **shown})

    return both


def unit_rows(gradient: tf.Tensor) -> tf.Tensor:
    """`[B, L, E]` with each of the B rows scaled to length 1; those that are 0 or not finite, 0."""
    length = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2], keepdims=True))
    scaled = tf.math.divide_no_nan(gradient, length)
    return tf.where(tf.math.is_finite(length), scaled, 0.0)
