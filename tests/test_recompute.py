"""A backward pass that computes the blocks again ends where one that kept their values does."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.model import encoder
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective

SEED = tf.constant([4, 2])


def _model(case: str, *, layers: int = 2, **settings) -> PretrainingModel:
    rates = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    config = dataclasses.replace(
        golden_case(case).config, num_hidden_layers=layers, initializer_range=0.1, **rates
    )
    return PretrainingModel(config, seed=3, **settings)


def _gradients(model: PretrainingModel, batch) -> dict[str, tf.Tensor]:
    variables = named_variables(model)
    with tf.GradientTape() as tape:
        losses = pretraining_objective(model, batch, SEED).losses
        loss = tf.add_n([mean.result() for mean in losses.values()])
    gradients = tape.gradient(loss, list(variables.values()))
    return {
        name: tf.convert_to_tensor(gradient)
        for name, gradient in zip(variables, gradients, strict=True)
    }


@pytest.mark.parametrize(
    ("case", "dtype", "compiled"),
    [
        ("brightmart_preln", tf.float32, {}),
        ("google_groups2_inner2", tf.float32, {}),
        ("brightmart_postln", tf.float32, {"jit_compile": True}),
        ("brightmart_postln", tf.bfloat16, {}),
        ("brightmart_postln", tf.float16, {}),
    ],
)
def test_gradients_are_the_same_dropout_too(case, dtype, compiled):
    batch = golden_case(case).batch()
    layers = 1 if compiled else 2  # XLA is slow to compile the drawing of dropout for CPU.
    kept, computed_again = (
        tf.function(lambda model=model: _gradients(model, batch), **compiled)()
        for model in (
            _model(case, layers=layers, dtype=dtype, recompute=flag) for flag in (False, True)
        )
    )
    assert set(kept) == set(computed_again)
    for name, gradient in kept.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(
            computed_again[name], gradient, atol=1e-5 * scale + 1e-8, rtol=0, err_msg=name
        )


def test_blocks_run_once_forward_and_once_backward(monkeypatch):
    calls, call = [], encoder.Block.__call__

    def counted(block, *args):
        calls.append(block)
        return call(block, *args)

    monkeypatch.setattr(encoder.Block, "__call__", counted)
    model, batch = _model("google", recompute=True), golden_case("google").batch()
    _gradients(model, batch)
    layers = model.albert.config.num_hidden_layers
    assert len(calls) == 2 * layers
    pretraining_objective(model, batch)
    assert len(calls) == 3 * layers
