"""Losses against TensorFlow's own."""

import numpy as np
import tensorflow as tf

from albert_zh.train.losses import cross_entropy


def test_cross_entropy_and_its_gradient_are_tensorflows():
    logits = tf.random.stateless_normal([6, 50], [1, 2], stddev=5.0)
    labels, g = tf.constant([0, 49, 7, 7, 3, 12]), tf.linspace(-1.0, 2.0, 6)

    def gradients(function):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = function(logits, labels)
        return losses, tape.gradient(losses, logits, g)

    def expected(logits, labels):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    for one, other in zip(gradients(cross_entropy), gradients(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6, rtol=1e-5)


def test_cross_entropy_of_an_impossible_label_is_finite():
    logits = tf.constant([[0.0, 500.0, -500.0], [1e4, 0.0, 0.0]])
    losses = cross_entropy(logits, tf.constant([2, 1]))
    np.testing.assert_allclose(losses, [1000.0, 10000.0])


def test_cross_entropy_of_half_precision_is_in_float32():
    losses = cross_entropy(tf.zeros([2, 3], tf.bfloat16), tf.constant([0, 1]))
    assert losses.dtype == tf.float32
    np.testing.assert_allclose(losses, np.log([3, 3]), rtol=1e-6)
