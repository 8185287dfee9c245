"""The model, its gradients and its optimizers against arrays of the published code."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from goldens import CASES, NOISE, GoldenCase

from albert_zh import objectives
from albert_zh.model import heads
from albert_zh.model.scope import named_variables
from albert_zh.train.optimizers import Optimizer, OptimizerOptions, Rule, clip_by_global_norm
from albert_zh.train.step import Trainer
from albert_zh.variants import variant_of

STEPS = 3


@pytest.fixture(params=CASES)
def case(request) -> GoldenCase:
    return GoldenCase(request.param)


CLASSIFIERS = [
    (case, name)
    for case in CASES
    for name in ("classifier.npz", "classifier_mean.npz")
    if GoldenCase(case).has(name)
]


def assert_close(actual, expected, *, atol, rtol=2e-5, name=""):
    np.testing.assert_allclose(np.asarray(actual), expected, atol=atol, rtol=rtol, err_msg=name)


def train(objective, model, case, batch, rule, learning_rate):
    """Three steps on one batch and an evaluation after; (loss, norm) of the four, and the state."""
    variant = variant_of(case.config)
    slots = variant.lamb_slots if rule is Rule.LAMB else ("adam_m", "adam_v")
    options = OptimizerOptions(rule, slots=slots, adapts_excluded=variant.lamb_adapts_excluded)
    optimizer = Optimizer(model.trainable_variables, options)
    trainer = Trainer(
        objective=lambda batch, _: objective(model, batch),  # the goldens were made without dropout
        optimizer=optimizer,
        schedule=lambda _: tf.constant(learning_rate),
        seed=0,
    )
    reports = [trainer.run(itertools.repeat(batch), 1) for _ in range(STEPS)]
    state = {**named_variables(model), **named_variables(optimizer)}
    state = {name: value.numpy() for name, value in state.items()}
    reports.append(trainer.run(itertools.repeat(batch), 1))
    losses = [float(report.loss) for report in reports]
    return losses, [float(report.gradient_norm) for report in reports], state


def assert_state_close(state, expected, *, weights, slots, unused_rows, skip):
    assert set(state) | {"global_step"} == set(expected)
    for name in state:
        if skip(name):
            continue
        atol = slots * np.abs(expected[name]).max() if name.endswith(("_m", "_v")) else weights
        assert_close(state[name], expected[name], atol=atol, rtol=0, name=name)
        if name.endswith("position_embeddings"):  # rows without gradient: only decay acts
            assert_close(state[name][unused_rows:], expected[name][unused_rows:], atol=1e-6, rtol=0)


def test_forward_pass_matches_published_code(case):
    model, batch, expected = case.pretraining_model(), case.batch(), case.arrays("outputs.npz")
    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    outcome = objectives.pretraining(model, batch)
    logits = model.masked_lm(output.sequence, batch["masked_lm_positions"])
    order = model.sentence_order(output.pooled)
    actual = {
        "embedding_output": output.embedding,
        "sequence_output": output.sequence,
        "pooled_output": output.pooled,
        "mlm_logits": logits,
        "mlm_log_probs": tf.nn.log_softmax(logits),
        "sop_logits": order,
        "sop_log_probs": tf.nn.log_softmax(order),
        "masked_lm_loss": outcome.losses["masked_lm_loss"].result(),
        "next_sentence_loss": outcome.losses["sentence_order_loss"].result(),
        "metric_masked_lm_loss": outcome.metrics["masked_lm_loss"].result(),
        "metric_masked_lm_accuracy": outcome.metrics["masked_lm_accuracy"].result(),
        "metric_sop_loss": outcome.metrics["sentence_order_loss"].result(),
        "metric_sop_accuracy": outcome.metrics["sentence_order_accuracy"].result(),
    }
    actual |= {f"layer_{k:02d}": layer for k, layer in enumerate(output.layers)}
    assert sum(name.startswith("layer_") for name in expected) == len(output.layers)
    for name, value in actual.items():
        assert_close(value, expected[name], atol=case.tolerances.forward, name=name)


def test_gradients_match_published_code(case):
    model, expected = case.pretraining_model(), case.arrays("grads.npz")
    variables = named_variables(model)
    with tf.GradientTape() as tape:
        losses = objectives.pretraining(model, case.batch()).losses
        loss = tf.add_n([mean.result() for mean in losses.values()])
    gradients = dict(zip(variables, tape.gradient(loss, list(variables.values())), strict=True))
    assert set(gradients) == set(expected)
    for name, gradient in gradients.items():
        if name.endswith(NOISE):
            assert np.abs(gradient).max() < 1e-6
        else:
            dense = tf.convert_to_tensor(gradient)
            assert_close(dense, expected[name], atol=case.tolerances.forward, rtol=1e-4, name=name)


def test_three_lamb_steps_match_published_code(case):
    expected = case.arrays("train.npz")
    losses, norms, state = train(
        objectives.pretraining, case.pretraining_model(), case, case.batch(), Rule.LAMB, 0.01
    )
    assert_close(losses, expected["loss"], atol=1e-4, rtol=0)
    assert_close(norms, expected["grad_norm"], atol=0, rtol=case.tolerances.lamb_norm)
    brightmart = variant_of(case.config).lamb_adapts_excluded
    stored = case.checkpoint("model.ckpt-3")
    assert_state_close(
        state,
        stored,
        weights=2e-4,
        slots=1e-3,
        unused_rows=case.facts["S"],
        # brightmart's trust ratio blows the noise up to full-size steps.
        skip=lambda name: NOISE in name and (brightmart or name.endswith(("_m", "_v"))),
    )


@pytest.fixture
def published_mean_pooling(monkeypatch):
    """The published mean takes the padding in; ours does not."""
    monkeypatch.setattr(heads, "masked_mean", lambda sequence, _: tf.reduce_mean(sequence, axis=1))


@pytest.mark.usefixtures("published_mean_pooling")
@pytest.mark.parametrize(("case", "name"), CLASSIFIERS)
def test_classifier_matches_published_code(case, name):
    case = GoldenCase(case)
    model, batch, expected = case.classifier(name), case.classifier_batch(name), case.arrays(name)
    logits = model(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    outcome = objectives.classification(model, batch)
    actual = {
        "logits": logits,
        "probabilities": tf.nn.softmax(logits),
        "loss": outcome.losses["loss"].result(),
        "eval_loss": outcome.metrics["eval_loss"].result(),
        "eval_accuracy": outcome.metrics["eval_accuracy"].result(),
    }
    for key, value in actual.items():
        assert_close(value, expected[key], atol=case.tolerances.forward, name=key)


@pytest.mark.usefixtures("published_mean_pooling")
@pytest.mark.parametrize(("case", "name"), CLASSIFIERS)
def test_three_adamw_steps_match_published_code(case, name):
    case = GoldenCase(case)
    expected, tolerances = case.arrays(name), case.tolerances
    losses, norms, state = train(
        objectives.classification,
        case.classifier(name),
        case,
        case.classifier_batch(name),
        Rule.ADAMW,
        1e-3,
    )
    assert_close(losses, expected["train/loss"], atol=0, rtol=tolerances.adamw_loss)
    assert_close(norms, expected["train/grad_norm"], atol=0, rtol=tolerances.adamw_norm)
    stored = name.replace(".npz", ".ckpt-3")
    if case.has(stored + ".index"):
        assert_state_close(
            state,
            case.checkpoint(stored),
            weights=tolerances.adamw_weights,
            slots=tolerances.adamw_slots,
            unused_rows=case.facts["S"],
            skip=lambda name: NOISE in name and name.endswith(("_m", "_v")),
        )


@pytest.mark.parametrize("case", CASES)
def test_clip_norm_follows_published_cpu_and_tpu_paths(case):
    """Sparse gradients count as they are stored, dense ones as the sum: 0.01 % to 0.3 % apart."""
    case = GoldenCase(case)
    model = case.classifier("classifier.npz")
    batch, expected = case.classifier_batch("classifier.npz"), case.arrays("classifier.npz")
    with tf.GradientTape() as tape:
        loss = objectives.classification(model, batch).losses["loss"].result()
    gradients = tape.gradient(loss, model.trainable_variables)
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    for given, key in ((gradients, "train/grad_norm"), (dense, "train/grad_norm_dense")):
        _, norm = clip_by_global_norm(given, 1.0)
        assert_close(norm, expected[key][0], atol=0, rtol=2e-5, name=key)
    assert abs(expected["train/grad_norm"][0] / expected["train/grad_norm_dense"][0] - 1) > 4e-5


def test_start_weights_do_not_depend_on_order_of_creation(case):
    first, second = (heads.PretrainingModel(case.config, seed=7) for _ in range(2))
    classifier = heads.Classifier(case.config, 3, seed=7)
    start = {name: value.numpy() for name, value in named_variables(first).items()}
    for other in (second, classifier):
        for name, value in named_variables(other).items():
            if name in start:
                np.testing.assert_array_equal(value, start[name])
    other_seed = named_variables(heads.PretrainingModel(case.config, seed=8))
    name = "bert/pooler/dense/kernel"
    assert np.abs(start[name] - other_seed[name].numpy()).max() > 0


def test_bfloat16_follows_float32(case):
    narrow = heads.PretrainingModel(case.config, dtype=tf.bfloat16)
    wide = case.pretraining_model()
    for variable, source in zip(narrow.variables, wide.variables, strict=True):
        variable.assign(source)
    evaluate = functools.partial(objectives.pretraining, batch=case.batch())
    for name, mean in evaluate(narrow).losses.items():
        assert_close(mean.result(), evaluate(wide).losses[name].result(), atol=0.05, rtol=0.02)
    assert all(variable.dtype == tf.float32 for variable in narrow.variables)
