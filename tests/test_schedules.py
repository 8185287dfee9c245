"""The learning-rate schedule against tables of the published code."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from goldens import ROOT

from albert_zh.train.schedules import ScheduleOptions, polynomial_decay_with_warmup

with open(os.path.join(ROOT, "schedule", "lr_schedule.json")) as file:
    TABLES = json.load(file)


def _options(table) -> ScheduleOptions:
    return ScheduleOptions(
        learning_rate=table["init_lr"],
        num_train_steps=table["num_train_steps"],
        num_warmup_steps=table["num_warmup_steps"],
        power=table["power"],
        start_warmup_step=table["start_warmup_step"],
    )


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_rates_match_published_code(table):
    rate = polynomial_decay_with_warmup(_options(table))
    rates = rate(tf.constant(table["steps"], tf.int64))
    # Below start_warmup_step the published formula gives a negative rate: gradient ascent. Ours
    # waits there at 0.
    expected = np.maximum(table["lr"], 0.0)
    np.testing.assert_allclose(rates, expected, atol=1e-6 * table["init_lr"], rtol=6e-6)


def test_tables_hold_a_negative_published_rate_that_ours_replaces_by_zero():
    table = next(table for table in TABLES if table["start_warmup_step"] > 0)
    assert min(table["lr"]) < 0.0
    assert float(polynomial_decay_with_warmup(_options(table))(tf.constant(0, tf.int64))) == 0.0


def test_rate_is_traceable():
    rate = polynomial_decay_with_warmup(
        ScheduleOptions(learning_rate=1.0, num_train_steps=10, num_warmup_steps=4, power=2.0)
    )
    traced = tf.function(rate, input_signature=[tf.TensorSpec([], tf.int64)])
    for step, expected in {0: 0.0, 3: 0.75, 4: 0.36, 5: 0.25, 10: 0.0, 99: 0.0}.items():
        assert float(traced(tf.constant(step, tf.int64))) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("steps", "warmup", "complaint"),
    [
        (0, 0, "num_train_steps is 0; it must be at least 1"),
        (10, -1, "num_warmup_steps is -1; it must be at least 0"),  # would stay at 0 for ever
    ],
)
def test_bad_numbers_of_steps_are_refused(steps, warmup, complaint):
    options = ScheduleOptions(learning_rate=1.0, num_train_steps=steps, num_warmup_steps=warmup)
    with pytest.raises(ValueError, match=complaint):
        polynomial_decay_with_warmup(options)
