"""The model, its gradients and its optimizers against arrays of the published code."""

import functools

import goldens
import numpy as np
import pytest
import tensorflow as tf
from goldens import CASES, CLASSIFIERS, GoldenCase, assert_close, golden_case

from albert_zh.model.heads import sequence
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective


@pytest.fixture(params=CASES)
def case(request) -> GoldenCase:
    return golden_case(request.param)


@pytest.fixture
def published_mean_pooling(monkeypatch):
    """The published mean takes the padding in; ours does not."""
    monkeypatch.setattr(sequence, "masked_mean", lambda encoded, _: tf.reduce_mean(encoded, axis=1))


def test_forward_pass_matches_published_code(case):
    goldens.check_forward(case)


def test_gradients_match_published_code(case):
    goldens.check_gradients(case)


@pytest.mark.usefixtures("eager")
def test_three_lamb_steps_match_published_code(case):
    goldens.check_lamb(case)


@pytest.mark.usefixtures("published_mean_pooling")
@pytest.mark.parametrize(("name", "file"), CLASSIFIERS)
def test_classifier_matches_published_code(name, file):
    goldens.check_classifier(golden_case(name), file)


@pytest.mark.usefixtures("eager", "published_mean_pooling")
@pytest.mark.parametrize(("name", "file"), CLASSIFIERS)
def test_three_adamw_steps_match_published_code(name, file):
    goldens.check_adamw(golden_case(name), file)


def test_compiled_lamb_steps_match_published_code():
    goldens.check_lamb(golden_case("brightmart_postln"))


def test_compiled_adamw_steps_match_published_code():
    goldens.check_adamw(golden_case("google"), "classifier.npz")


def test_clip_norm_follows_published_cpu_and_tpu_paths(case):
    goldens.check_clip_norms(case, "classifier.npz")


@pytest.mark.parametrize("name", ["brightmart_preln", "google_groups2_inner2"])
def test_start_weights_do_not_depend_on_order_of_creation(name):
    config = golden_case(name).config
    first, second = (PretrainingModel(config, seed=7) for _ in range(2))
    classifier = Classifier(config, 3, seed=7)
    start = {name: value.numpy() for name, value in named_variables(first).items()}
    for other in (second, classifier):
        for name, value in named_variables(other).items():
            if name in start:
                np.testing.assert_array_equal(value, start[name])
    other_seed = named_variables(PretrainingModel(config, seed=8))
    name = "bert/pooler/dense/kernel"
    assert np.abs(start[name] - other_seed[name].numpy()).max() > 0


def test_bfloat16_follows_float32(case):
    narrow = PretrainingModel(case.config, dtype=tf.bfloat16)
    wide = case.pretraining_model()
    for variable, source in zip(narrow.variables, wide.variables, strict=True):
        variable.assign(source)
    evaluate = functools.partial(pretraining_objective, batch=case.batch())
    for name, mean in evaluate(narrow).losses.items():
        assert_close(mean.result(), evaluate(wide).losses[name].result(), atol=0.05, rtol=0.02)
    assert all(variable.dtype == tf.float32 for variable in narrow.variables)
