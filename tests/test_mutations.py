"""Each comparison with the published arrays fails on the mistakes that it has to find.

A test makes a mistake in our code on purpose; then a check of `test_goldens.py` has to fail.
"""

import dataclasses
import functools
from collections import Counter

import goldens
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.model import layers
from albert_zh.train import step
from albert_zh.train.optimizers import Optimizer, clip_by_global_norm
from albert_zh.train.rules import adam
from albert_zh.variants import VARIANTS

FAMILIES = ("brightmart_postln", "google")


pytestmark = pytest.mark.usefixtures("eager")


def check_adamw(case: goldens.GoldenCase) -> None:
    goldens.check_adamw(case, "classifier.npz")


def exact_gelu(monkeypatch):
    exact = functools.partial(tf.nn.gelu, approximate=False)
    monkeypatch.setitem(layers.ACTIVATIONS, "gelu", exact)


def layer_norm_epsilon_of_bert_in_pytorch(monkeypatch):
    monkeypatch.setattr(layers.LayerNorm, "EPSILON", 1e-5)


def layer_norm_epsilon_of_keras_bert(monkeypatch):
    monkeypatch.setattr(layers.LayerNorm, "EPSILON", 1e-6)


@pytest.mark.parametrize(
    ("mistake", "cases"),
    [
        (exact_gelu, FAMILIES),
        (layer_norm_epsilon_of_bert_in_pytorch, FAMILIES),
        # So small a mistake shows in models that normalise often.
        (layer_norm_epsilon_of_keras_bert, ("google_groups2_inner2", "google_fast_groups2")),
    ],
)
def test_forward_check_finds(mistake, cases, monkeypatch):
    mistake(monkeypatch)
    for name in cases:
        with pytest.raises(AssertionError):
            goldens.check_forward(golden_case(name))


def _replace_direction(monkeypatch, direction):
    """Replaces the way from moments to direction; `direction(param, m, v, weight_decay)`."""

    def mistaken(grad, param, m, v, weight_decay):
        m = adam.BETA_1 * m + (1.0 - adam.BETA_1) * grad
        v = adam.BETA_2 * v + (1.0 - adam.BETA_2) * tf.square(grad)
        return direction(param, m, v, weight_decay), m, v

    monkeypatch.setattr(adam, "direction", mistaken)


def _plain(param, m, v, weight_decay):
    return m / (tf.sqrt(v) + adam.EPSILON) + weight_decay * param


def no_mistake(monkeypatch):
    """Shows that the replacement itself is right."""
    _replace_direction(monkeypatch, _plain)


def no_weight_decay(monkeypatch):
    _replace_direction(monkeypatch, lambda param, m, v, _: _plain(param, m, v, 0.0))


def decay_of_every_variable(monkeypatch):
    _replace_direction(monkeypatch, lambda param, m, v, _: _plain(param, m, v, 0.01))


def bias_correction(monkeypatch):
    apply, steps = Optimizer.apply, Counter()

    def counted(optimizer, *arguments, **named):
        steps[optimizer] += 1
        steps["now"] = steps[optimizer]
        apply(optimizer, *arguments, **named)

    def corrected(param, m, v, weight_decay):
        m = m / (1.0 - adam.BETA_1 ** steps["now"])
        v = v / (1.0 - adam.BETA_2 ** steps["now"])
        return _plain(param, m, v, weight_decay)

    monkeypatch.setattr(Optimizer, "apply", counted)
    _replace_direction(monkeypatch, corrected)


def epsilon_inside_the_root(monkeypatch):
    def inside(param, m, v, weight_decay):
        return m / tf.sqrt(v + adam.EPSILON) + weight_decay * param

    _replace_direction(monkeypatch, inside)


def trust_ratio_of_the_other_family(monkeypatch):
    for lineage, variant in list(VARIANTS.items()):
        other = {} if variant.undecayed else {"lamb": {"adapt": False}}
        swapped = dataclasses.replace(variant, undecayed=other)
        monkeypatch.setitem(VARIANTS, lineage, swapped)


def no_clipping(monkeypatch):
    def clip_to_a_norm_never_reached(gradients, limit):
        return clip_by_global_norm(gradients, limit=1e9)

    monkeypatch.setattr(step, "clip_by_global_norm", clip_to_a_norm_never_reached)


def summed_rows_in_the_clip_norm(monkeypatch):
    def clip_dense(gradients, limit):
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        return clip_by_global_norm(dense, limit)

    monkeypatch.setattr(step, "clip_by_global_norm", clip_dense)


@pytest.mark.parametrize(
    ("check", "mistake", "cases"),
    [
        (goldens.check_lamb, no_weight_decay, FAMILIES),
        # brightmart's trust ratio all but hides a decay of gammas; test_adam.py finds it.
        (goldens.check_lamb, decay_of_every_variable, ("google", "google_fast_groups2")),
        (goldens.check_lamb, bias_correction, FAMILIES),
        (goldens.check_lamb, epsilon_inside_the_root, FAMILIES),
        (goldens.check_lamb, trust_ratio_of_the_other_family, FAMILIES),
        (goldens.check_lamb, no_clipping, FAMILIES),
        (check_adamw, no_weight_decay, FAMILIES),
        (check_adamw, bias_correction, FAMILIES),
        (check_adamw, epsilon_inside_the_root, FAMILIES),
        (check_adamw, no_clipping, FAMILIES),
        (check_adamw, summed_rows_in_the_clip_norm, FAMILIES),
    ],
)
def test_training_check_finds(check, mistake, cases, monkeypatch):
    mistake(monkeypatch)
    for name in cases:
        with pytest.raises(AssertionError):
            check(golden_case(name))


@pytest.mark.parametrize("check", [goldens.check_lamb, check_adamw])
def test_training_check_passes_without_a_mistake(check, monkeypatch):
    no_mistake(monkeypatch)
    check(golden_case("google"))
