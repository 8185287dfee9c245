"""Muon: momentum with equal singular values for the matrices of layers, AdamW for the rest.

(Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; with the weight decay and the scale
of Liu et al. 2025, arXiv:2502.16982, section 2.2, so that the learning rate is one of AdamW.)

The gradient of a matrix is dominated by few directions. Its nearest orthogonal matrix has all
directions in equal strength, and so rare ones, in which most of the text lies, are learnt as well.
"""

import tensorflow as tf

from albert_zh.train.rules import adam, adamw

_MOMENTUM = 0.95
# Root mean square of the steps of AdamW, which the steps of a matrix are scaled to.
_STEP_SIZE = 0.2
# Odd polynomial that brings singular values between 0 and 1 close to 1 in few iterations.
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
_EPSILON = 1e-7


def update(
    grad: tf.Tensor,
    param: tf.Tensor,
    m: tf.Tensor,
    v: tf.Tensor,
    *,
    learning_rate: tf.Tensor,
    weight_decay: float,
    is_kernel: bool = False,
) -> adam.Update:
    """One step of Muon for a kernel, of AdamW for another parameter.

    Args:
        grad: Gradient; of a kernel, `[I, O]`.
        param: Parameter.
        m: Momentum of a kernel; first moment of another parameter.
        v: Second moment; stays as it is for a kernel.
        learning_rate: Of this step.
        weight_decay: Share of the learning rate by which the parameter shrinks.
        is_kernel: Whether the parameter is the matrix of a layer.
    """
    if not is_kernel:
        return adamw.update(
            grad, param, m, v, learning_rate=learning_rate, weight_decay=weight_decay
        )
    m = _MOMENTUM * m + grad
    scale = _STEP_SIZE * max(param.shape) ** 0.5
    direction = scale * orthogonalized(grad + _MOMENTUM * m) + weight_decay * param
    return adam.Update(param - learning_rate * direction, m, v)


def orthogonalized(matrix: tf.Tensor) -> tf.Tensor:
    """A matrix with the same singular vectors and singular values of about 1, `[I, O]`.

    By Newton-Schulz iterations, which end between 0.7 and 1.2 for all singular values but the
    smallest; 0 for a matrix of zeros.
    """
    rows, columns = matrix.shape
    # The products below are the smaller the fewer rows there are.
    x = tf.transpose(matrix) if rows > columns else matrix
    x /= tf.norm(x) + _EPSILON
    is_long = 2 * min(rows, columns) <= max(rows, columns)
    x = _iterate_on_gram(x) if is_long else _iterate(x)
    return tf.transpose(x) if rows > columns else x


def _iterate(x: tf.Tensor) -> tf.Tensor:
    for _ in range(_ITERATIONS):
        x = tf.matmul(_polynomial(tf.matmul(x, x, transpose_b=True)), x)
    return x


def _iterate_on_gram(x: tf.Tensor) -> tf.Tensor:
    """As `_iterate`, with fewer operations for a matrix with far more columns than rows.

    Each iteration multiplies x by a polynomial of its Gram matrix. All of them commute.
    """
    gram = tf.matmul(x, x, transpose_b=True)
    product = factor = _polynomial(gram)
    for _ in range(_ITERATIONS - 1):
        gram = tf.matmul(factor, tf.matmul(factor, gram))
        factor = _polynomial(gram)
        product = tf.matmul(factor, product)
    return tf.matmul(product, x)


def _polynomial(gram: tf.Tensor) -> tf.Tensor:
    linear, cubic, quintic = _COEFFICIENTS
    return linear * tf.eye(gram.shape[0]) + cubic * gram + quintic * tf.matmul(gram, gram)
