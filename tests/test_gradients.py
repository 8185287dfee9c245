"""Rows and seeds of micro batches; losses whose weight is zero."""

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.train.gradients import Gradients, accumulated_gradients, gradients_of
from albert_zh.train.metrics import Mean, Outcome


def test_every_micro_batch_gets_its_own_rows_and_seed():
    inputs = []

    def compute(batch, seed) -> Gradients:
        inputs.append((batch["x"].numpy().tolist(), tuple(seed.numpy())))
        total = tf.reduce_sum(batch["x"])
        return Gradients(total, {"x": Mean(total, tf.constant(2.0))}, [total[None]])

    sums, is_complete = accumulated_gradients(
        compute,
        {"x": tf.range(6.0)},
        tf.constant([1, 2]),
        micro_steps=3,
        parameters=[tf.Variable([0.0])],
        metrics=["x"],
    )
    assert is_complete
    assert [rows for rows, _ in inputs] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert len({seed for _, seed in inputs}) == 3
    assert (float(sums.loss), sums.gradients[0].numpy().tolist()) == (15.0, [15.0])
    assert [float(part) for part in sums.metrics["x"]] == [15.0, 6.0]


def test_repeated_rows_of_a_table_add_up_over_micro_batches():
    table = tf.Variable(tf.ones([3, 1]))

    def compute(batch, _) -> Gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table, batch["ids"]))
        return Gradients(loss, {}, tape.gradient(loss, [table]))

    sums, is_complete = accumulated_gradients(
        compute,
        {"ids": tf.constant([0, 0, 0, 2])},
        tf.constant([0, 0]),
        micro_steps=2,
        parameters=[table],
        metrics=[],
    )
    assert is_complete
    np.testing.assert_array_equal(sums.gradients[0], [[3.0], [0.0], [1.0]])


@pytest.mark.parametrize("of_whole_step", [False, True])
def test_loss_without_labelled_examples_is_zero_and_so_is_its_gradient(of_whole_step):
    """The sentence-order loss of records without sentence order has weight 0."""
    weight, zero = tf.Variable([3.0]), tf.constant(0.0)

    def objective(batch, _) -> Outcome:
        value = tf.reduce_sum(batch["x"] * weight)
        known, none = Mean(value, tf.constant(2.0)), Mean(value * zero, zero)
        return Outcome({"known": known, "none": none}, {})

    result = gradients_of(
        objective,
        {"x": tf.constant([4.0])},
        tf.constant([0, 0]),
        parameters=[weight],
        weights={"known": tf.constant(2.0), "none": zero} if of_whole_step else None,
    )
    assert float(result.loss) == 6.0
    np.testing.assert_array_equal(result.gradients[0], [2.0])
