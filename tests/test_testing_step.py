"""A training step with a made-up batch."""

import dataclasses

import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.testing.step import pretraining_trial
from albert_zh.train.precision import Precision

CONFIG = dataclasses.replace(golden_case("google").config, num_hidden_layers=1)
SIZES = {"batch_size": 4, "max_seq_length": 12, "max_predictions_per_seq": 3}


def test_the_step_trains_on_the_batch():
    trial = pretraining_trial(CONFIG, **SIZES)
    losses = [float(trial.trainer.one_step(trial.batch).loss) for _ in range(2)]
    # Nearly uniform guesses: ln V for a token, ln 2 for the order.
    assert losses[0] == pytest.approx(float(tf.math.log(2.0 * CONFIG.vocab_size)), rel=0.05)
    assert trial.batch["input_ids"].shape == [4, 12]
    assert int(trial.trainer.step) == 2


def test_parts_precision_and_recomputing_are_those_asked_for():
    whole = pretraining_trial(CONFIG, **SIZES)
    expected = whole.trainer.one_step(whole.batch)
    for changes in ({"micro_batch": 2}, {"recompute": True}, {"precision": Precision.BFLOAT16}):
        trial = pretraining_trial(CONFIG, **SIZES, **changes)
        report = trial.trainer.one_step(trial.batch)
        assert float(report.loss) == pytest.approx(float(expected.loss), rel=0.01), changes


def test_lengths_beyond_the_model_are_an_error():
    with pytest.raises(ValueError, match="max_seq_length 1000 exceeds max_position_embeddings"):
        pretraining_trial(CONFIG, **SIZES | {"max_seq_length": 1000})
