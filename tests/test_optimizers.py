"""Update rules with numbers computed by hand or by the published code."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.train.optimizers import (
    Optimizer,
    OptimizerOptions,
    clip_by_global_norm,
)
from albert_zh.train.rules import adamw, lamb, muon
from albert_zh.train.rules.table import ADAMW, LAMB, MUON

# Published LAMB from one start with one gradient, rate 0.01, decay 0.01, after three steps.
START = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
GRADIENT = [[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]]
DECAYED = [[0.0882981, 0.2116945, 0.2882904], [0.4116894, 0.4882841, 0.6116836]]
EXCLUDED_ADAPTED = [[0.0883024, 0.2116990, 0.2883005], [0.4116998, 0.4883002, 0.6117000]]
EXCLUDED = [[-0.0235925, 0.3236068, 0.1763885], [0.5236140, 0.3763847, 0.7236163]]


@pytest.mark.parametrize(
    ("name", "adapts_excluded", "expected"),
    [
        ("dense/kernel", True, DECAYED),  # brightmart
        ("dense/kernel", False, DECAYED),  # google
        ("dense/bias", True, EXCLUDED_ADAPTED),
        ("LayerNorm/gamma", True, EXCLUDED_ADAPTED),
        ("dense/bias", False, EXCLUDED),
        ("LayerNorm/gamma", False, EXCLUDED),
    ],
)
def test_three_lamb_steps_match_published_numbers(name, adapts_excluded, expected):
    variable = tf.Variable(START, name=name)
    optimizer = Optimizer([variable], OptimizerOptions(LAMB, undecayed={"adapt": adapts_excluded}))
    for _ in range(3):
        optimizer.apply([tf.constant(GRADIENT)], tf.constant(0.01), accept=tf.constant(True))
    np.testing.assert_allclose(variable, expected, atol=1e-7)


def test_two_adamw_steps_match_hand_computed_numbers():
    """
    step 1, gradient 0.1:   m = 0.1 * 0.1 = 0.01             v = 0.001 * 0.01 = 1e-5
      direction = 0.01 / (sqrt(1e-5) + 1e-6) + 0.01 * 0.5     = 3.1612780 + 0.005
    step 2, gradient -0.2:  m = 0.009 - 0.02 = -0.011        v = 9.99e-6 + 4e-5 = 4.999e-5
      direction = -0.011 / (sqrt(4.999e-5) + 1e-6) + 0.01 * p = -1.5555705 + 0.0018337
    """
    first = adamw.update(
        tf.constant([0.1]),
        tf.constant([0.5]),
        tf.constant([0.0]),
        tf.constant([0.0]),
        learning_rate=0.1,
        weight_decay=0.01,
    )
    np.testing.assert_allclose([first.param[0], first.m[0]], [0.1833722, 0.01], rtol=1e-6)
    np.testing.assert_allclose(first.v, [1e-5], rtol=1e-6)
    second = adamw.update(tf.constant([-0.2]), *first, learning_rate=0.1, weight_decay=0.01)
    np.testing.assert_allclose([second.param[0], second.m[0]], [0.3387459, -0.011], rtol=1e-6)
    np.testing.assert_allclose(second.v, [4.999e-5], rtol=1e-6)


def test_lamb_step_is_as_long_as_rate_times_parameter():
    param = tf.constant([3.0, 4.0])
    for size in (1e-3, 1e3):
        update = lamb.update(
            tf.constant([size, -size]),
            param,
            tf.zeros(2),
            tf.zeros(2),
            learning_rate=0.1,
            weight_decay=0.01,
        )
        assert float(tf.norm(update.param - param)) == pytest.approx(0.1 * 5.0, rel=1e-5)


@pytest.mark.parametrize(
    ("param", "gradient"), [([0.0, 0.0], [0.1, 0.2]), ([0.0, 0.0], [0.0, 0.0])]
)
def test_lamb_is_adamw_where_a_norm_is_zero(param, gradient):
    arguments = (tf.constant(gradient), tf.constant(param), tf.zeros(2), tf.zeros(2))
    options = {"learning_rate": 0.1, "weight_decay": 0.01}
    step = lamb.update(*arguments, **options)
    np.testing.assert_array_equal(step.param, adamw.update(*arguments, **options).param)
    assert np.isfinite(step.param).all()


@pytest.mark.parametrize(
    ("name", "decays"),
    [
        ("bert/embeddings/word_embeddings", True),
        ("bert/pooler/dense/kernel", True),
        ("output_weights", True),
        ("bert/pooler/dense/bias", False),
        ("output_bias", False),
        ("cls/predictions/output_bias", False),
        ("bert/embeddings/LayerNorm/beta", False),
        ("encoder/LayerNorm_1/gamma", False),
        ("encoder/layer_norm/scale", False),
    ],
)
def test_weight_decay_leaves_out_biases_and_layer_norms(name, decays):
    variable = tf.Variable([2.0, -2.0], name=name)
    optimizer = Optimizer([variable], OptimizerOptions(ADAMW, weight_decay=0.01))
    optimizer.apply([tf.zeros(2)], tf.constant(0.5), accept=tf.constant(True))
    shrunk = 1 - 0.5 * 0.01 if decays else 1.0
    np.testing.assert_allclose(variable, [2.0 * shrunk, -2.0 * shrunk], rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
def test_orthogonalized_keeps_directions_and_evens_out_their_strength(shape):
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in shape)
    rank = min(shape)
    strengths = np.geomspace(1.0, 0.05, rank)  # before: one direction is 20 times another
    matrix = (left[:, :rank] * strengths) @ right[:rank]
    result = muon.orthogonalized(tf.constant(matrix, tf.float32)).numpy()
    within = left[:, :rank].T @ result @ right[:rank].T  # diagonal if the directions are kept
    assert np.abs(within - np.diag(np.diag(within))).max() < 1e-5
    assert np.diag(within).min() > 0.6
    assert np.diag(within).max() < 1.3


def test_two_muon_steps_match_numpy():
    """
    momentum = 0.95 * momentum + gradient
    step = 0.2 * sqrt(3) * orthogonalized(gradient + 0.95 * momentum)
    """
    kernel = tf.Variable(START, name="dense/kernel")
    optimizer = Optimizer([kernel], OptimizerOptions(MUON, weight_decay=0.1))
    gradients = [np.float32(GRADIENT), np.float32(START)]
    expected, momentum = np.float32(START), np.zeros([2, 3], np.float32)
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], tf.constant(0.01), accept=tf.constant(True))
        momentum = 0.95 * momentum + gradient
        x = gradient + 0.95 * momentum
        x /= np.linalg.norm(x)
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        expected -= 0.01 * (0.2 * np.sqrt(3) * x + 0.1 * expected)
    np.testing.assert_allclose(kernel, expected, rtol=1e-5)
    m, v = optimizer.slots[0]
    np.testing.assert_allclose(m, momentum, rtol=1e-6)
    assert not v.numpy().any()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bert/embeddings/word_embeddings", [2, 3]),
        ("cls/seq_relationship/output_weights", [2, 3]),
        ("dense/bias", [3]),
        ("dense/kernel", [2, 3, 4]),  # of groups
    ],
)
def test_muon_is_adamw_for_what_is_no_kernel_of_two_axes(name, shape):
    rng = np.random.default_rng(0)
    start, gradient = rng.standard_normal((2, *shape)).astype(np.float32)
    ends = []
    for rule in (MUON, ADAMW):
        variable = tf.Variable(start, name=name)
        optimizer = Optimizer([variable], OptimizerOptions(rule))
        optimizer.apply([tf.constant(gradient)], tf.constant(0.01), accept=tf.constant(True))
        ends.append(variable.numpy())
    np.testing.assert_array_equal(*ends)


def test_muon_step_of_a_zero_gradient_is_weight_decay_alone():
    kernel = tf.Variable(START, name="dense/kernel")
    optimizer = Optimizer([kernel], OptimizerOptions(MUON, weight_decay=0.1))
    optimizer.apply([tf.zeros([2, 3])], tf.constant(0.5), accept=tf.constant(True))
    np.testing.assert_allclose(kernel, np.float32(START) * 0.95, rtol=1e-6)


def test_slots_are_named_after_their_variables():
    variables = [tf.Variable(tf.ones([2, 3]), name="a/kernel"), tf.Variable([1.0], name="a/bias")]
    options = OptimizerOptions(LAMB, slots=("lamb_m", "lamb_v"))
    optimizer = Optimizer(variables, options)
    assert {slot.name: tuple(slot.shape) for slot in itertools.chain(*optimizer.slots)} == {
        "a/kernel/lamb_m:0": (2, 3),
        "a/kernel/lamb_v:0": (2, 3),
        "a/bias/lamb_m:0": (1,),
        "a/bias/lamb_v:0": (1,),
    }


def test_clip_scales_all_gradients_by_their_joint_norm():
    clipped, norm = clip_by_global_norm([tf.constant([3.0, 0.0]), tf.constant([[4.0]])], 1.0)
    assert float(norm) == 5.0
    np.testing.assert_allclose(clipped[0], [0.6, 0.0])
    np.testing.assert_allclose(clipped[1], [[0.8]])


def test_clip_leaves_small_gradients_bit_identical():
    gradient = tf.constant([0.1, -0.3, 0.7])
    clipped, norm = clip_by_global_norm([gradient], 1.0)
    assert float(norm) < 1.0
    np.testing.assert_array_equal(clipped[0], gradient)


def test_clip_of_zero_gradients_is_zero():
    clipped, norm = clip_by_global_norm([tf.zeros(3)], 1.0)
    assert float(norm) == 0.0
    np.testing.assert_array_equal(clipped[0], tf.zeros(3))


def test_clip_counts_rows_of_repeated_ids_one_by_one_but_returns_their_sum():
    """Row 1 is 3 + 4 = 7, but published fine-tuning took sqrt(3 * 3 + 4 * 4) = 5 as its norm."""
    sparse = tf.IndexedSlices(tf.constant([[3.0], [4.0]]), tf.constant([1, 1]), tf.constant([3, 1]))
    clipped, norm = clip_by_global_norm([sparse], 1.0)
    assert float(norm) == 5.0
    np.testing.assert_allclose(clipped[0], [[0.0], [1.4], [0.0]])
    _, dense_norm = clip_by_global_norm([tf.convert_to_tensor(sparse)], 1.0)
    assert float(dense_norm) == 7.0


def test_apply_refuses_a_gradient_too_few():
    variables = [tf.Variable([1.0], name="a"), tf.Variable([1.0], name="b")]
    optimizer = Optimizer(variables, OptimizerOptions(ADAMW))
    with pytest.raises(ValueError, match="shorter"):
        optimizer.apply([tf.zeros(1)], tf.constant(0.1), accept=tf.constant(True))
