"""Formulas of the training aids, against numbers worked out by hand."""

import dataclasses
import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.aids.class_weights import inverse_frequency, weighted
from albert_zh.aids.composition import aided
from albert_zh.aids.distillation import (
    Teacher,
    cosines,
    distilled,
    mean_prediction,
    relation_losses,
    soft_losses,
    taught,
)
from albert_zh.aids.fgm import adversarial, unit_rows
from albert_zh.aids.label_smoothing import smoothed
from albert_zh.aids.learning_rates import learning_rate_factors
from albert_zh.aids.options import AidOptions
from albert_zh.aids.outcomes import divergence, symmetric_divergence
from albert_zh.aids.r_drop import r_drop
from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.config import Pooling
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.model.heads.choice import ChoiceClassifier
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.heads.tokens import TokenClassifier
from albert_zh.objectives.classification import classification_objective
from albert_zh.objectives.inputs import outcome_of
from albert_zh.objectives.tokens import reading_objective
from albert_zh.train.averaging import AveragingOptimizer, decay_at
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Positions, results
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.rules.table import ADAMW

SEED = tf.constant([3, 4])
LOG_3 = math.log(3)


def positions_of(logits, labels, weights=None) -> Positions:
    logits, labels = tf.constant(logits, tf.float32), tf.constant(labels)
    losses = cross_entropy(logits, labels)
    weights = tf.ones_like(losses) if weights is None else tf.constant(weights, tf.float32)
    return Positions(logits, labels, losses, weights)


def fixed(*passes):
    """An objective that gives the positions of one pass after the other, whatever the batch."""
    rest = list(passes)
    return lambda batch, seed: outcome_of("label_loss", rest.pop(0), {})


def numbers(values, targets) -> Positions:
    values, targets = tf.constant(values, tf.float32), tf.constant(targets, tf.float32)
    return Positions(values[:, None], targets, tf.square(values - targets), tf.ones_like(values))


# Probabilities (3/4, 1/4) and (1/2, 1/2).
SURE, UNSURE = [LOG_3, 0.0], [0.0, 0.0]


def test_label_smoothing_spreads_a_share_over_all_classes():
    outcome = smoothed(fixed(positions_of([SURE], [0])), 0.2)({}, SEED)
    # The label's class has 0.9 of the distribution, the other one 0.1.
    expected = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4)
    assert results(outcome.losses)["label_loss"] == pytest.approx(expected, rel=1e-6)
    assert results(outcome.metrics)["label_loss"] == pytest.approx(-math.log(3 / 4), rel=1e-6)


def test_class_weights_weigh_losses_and_divisor():
    positions = positions_of([SURE, SURE, UNSURE], [0, 1, 1], [1, 1, 0])
    outcome = weighted(fixed(positions), [1.0, 3.0])({}, SEED)
    expected = (-math.log(3 / 4) - 3 * math.log(1 / 4)) / 4
    assert results(outcome.losses)["label_loss"] == pytest.approx(expected, rel=1e-6)


def test_inverse_frequency_gives_each_class_the_same_part():
    assert inverse_frequency(np.array([0, 0, 0, 2]), 3) == [4 / 6, 1.0, 4 / 2]


def test_divergence_of_two_predictions():
    # 3/4 log(3/2) + 1/4 log(1/2), and back 1/2 log(2/3) + 1/2 log 2.
    there = 0.75 * math.log(1.5) - 0.25 * math.log(2)
    back = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    p, q = positions_of([SURE], [0]), positions_of([UNSURE], [0])
    np.testing.assert_allclose(divergence(p.logits, q.logits), [there], rtol=1e-5)
    np.testing.assert_allclose(symmetric_divergence(p, q), [(there + back) / 2], rtol=1e-5)
    np.testing.assert_allclose(
        symmetric_divergence(numbers([3.0], [0.0]), numbers([1.0], [0.0])), [4.0]
    )


def test_r_drop_adds_both_losses_and_the_divergence():
    positions = positions_of([SURE], [0]), positions_of([UNSURE], [0])
    outcome = r_drop(fixed(*positions), 5.0)({}, SEED)
    apart = float(symmetric_divergence(*positions)[0])
    losses = results(outcome.losses)
    assert losses["label_loss"] == pytest.approx(-math.log(3 / 4) + math.log(2), rel=1e-6)
    assert losses["r_drop_loss"] == pytest.approx(5 * apart, rel=1e-6)
    assert results(outcome.metrics)["r_drop_loss"] == pytest.approx(apart, rel=1e-6)


def test_passes_of_r_drop_have_different_seeds():
    seeds = []

    def objective(batch, seed):
        seeds.append(tuple(seed.numpy()))
        return outcome_of("label_loss", positions_of([SURE], [0]), {})

    r_drop(objective, 1.0)({}, SEED)
    assert len(set(seeds)) == 2


def test_distillation_compares_softened_probabilities():
    teacher, student = positions_of([[2 * LOG_3, 0.0]], [0]), positions_of([UNSURE], [0])
    soft = mean_prediction([teacher], 2.0)  # of logits (log 3, 0): (3/4, 1/4)
    np.testing.assert_allclose(tf.exp(soft), [[0.75, 0.25]], rtol=1e-6)
    apart = 0.75 * math.log(1.5) - 0.25 * math.log(2)
    np.testing.assert_allclose(soft_losses(student, soft, 2.0), [4 * apart], rtol=1e-5)


def test_probabilities_and_numbers_of_several_teachers_are_averaged():
    both = mean_prediction([positions_of([SURE], [0]), positions_of([UNSURE], [0])], 1.0)
    np.testing.assert_allclose(tf.nn.softmax(both), [[0.625, 0.375]], rtol=1e-6)
    soft = mean_prediction([numbers([1.0], [0.0]), numbers([4.0], [0.0])], 7.0)
    np.testing.assert_allclose(soft, [[2.5]])
    np.testing.assert_allclose(soft_losses(numbers([2.0], [0.0]), soft, 7.0), [0.25])


def test_relations_of_tokens_are_compared_whatever_the_widths():
    states = tf.constant([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]])  # cosine 0; the third is padding
    others = tf.constant([[[1.0, 1.0, 0.0], [3.0, 0.0, 0.0], [7.0, 7.0, 7.0]]])  # cosine sqrt(1/2)
    np.testing.assert_allclose(cosines(others)[0, 0, 1], math.sqrt(0.5), rtol=1e-6)
    losses = relation_losses([None, states], [[None, others]], tf.constant([[1, 1, 0]]))
    np.testing.assert_allclose(losses, [2 * 0.5 / 4], rtol=1e-6)  # two of the four pairs differ


def test_layers_are_compared_with_those_at_the_same_share_of_depth():
    near, far = tf.constant([[[1.0, 0.0], [1.0, 0.0]]]), tf.constant([[[1.0, 0.0], [0.0, 1.0]]])
    mask = tf.constant([[1, 1]])
    # Embeddings and 2 layers, of embeddings and 4 layers: 0, 2 and 4 count.
    losses = relation_losses([near, far, near], [[near, far, far, near, near]], mask)
    np.testing.assert_allclose(losses, [0.0], atol=1e-6)


def test_move_of_a_text_has_length_1_and_is_0_without_a_gradient():
    gradient = tf.constant([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    units = unit_rows(gradient)
    np.testing.assert_allclose(units[0], [[0.6, 0.0], [0.0, 0.8]])
    np.testing.assert_array_equal(units[1], tf.zeros([2, 2]))
    broken = unit_rows(tf.constant([[[np.inf, 1.0]]]))
    np.testing.assert_array_equal(broken, tf.zeros([1, 1, 2]))


def test_average_follows_the_weight_and_comes_into_use():
    weight = tf.Variable([2.0], name="w/kernel")
    optimizer = AveragingOptimizer(
        Optimizer([weight], OptimizerOptions(ADAMW, weight_decay=0.0)), 0.5
    )
    np.testing.assert_allclose([decay_at(0, 0.5), decay_at(99, 0.5)], [0.1, 0.5])
    gradient, rate = [tf.constant([1.0])], tf.constant(0.1)
    average = 2.0
    for step in range(12):
        optimizer.apply(gradient, rate, accept=tf.constant(step != 5))
        if step != 5:  # That step was not finite, and counts nowhere.
            decay = min(0.5, (1 + step - (step > 5)) / (10 + step - (step > 5)))
            average = decay * average + (1 - decay) * float(weight[0])
    assert float(optimizer.averages[0][0]) == pytest.approx(average, rel=1e-5)
    raw = float(weight[0])
    assert raw < average
    with optimizer.averages_in_use():
        assert float(weight[0]) == float(optimizer.averages[0][0])
    assert float(weight[0]) == raw
    assert int(optimizer.steps) == 11


@pytest.mark.parametrize(
    "name", ["google", "google_groups2_inner2", "brightmart_postln", "google_fast_groups2"]
)
def test_levels_of_a_shared_encoder(name):
    config = golden_case(name).config
    model = Classifier(config, 2)
    factors = learning_rate_factors(model, decay=0.5, head_factor=10.0)
    groups = len(model.albert.encoder.groups)
    assert factors["output_weights"] == factors["output_bias"] == 10.0
    assert model.albert.pooler.kernel.name.removesuffix(":0") not in factors
    words = model.albert.embeddings.words.name.removesuffix(":0")
    assert factors[words] == 0.5 ** (groups + 1)
    for depth, group in enumerate(reversed(range(groups)), start=1):
        (block, *_) = model.albert.encoder.groups[str(group)]
        assert factors[block.attention_norm.gamma.name.removesuffix(":0")] == 0.5**depth
    assert learning_rate_factors(model) == {}


def test_levels_of_more_than_ten_groups_are_in_their_order():
    config = golden_case("google").config
    config = dataclasses.replace(config, num_hidden_layers=12, num_hidden_groups=12)
    factors = learning_rate_factors(Classifier(config, 2), decay=0.5)
    depths = [
        -math.log2(next(factors[name] for name in factors if f"/group_{group}/" in name))
        for group in range(12)
    ]
    assert depths == list(range(12, 0, -1))


def test_head_of_choices_has_a_rate_of_its_own():
    config = golden_case("google").config
    alone = learning_rate_factors(ChoiceClassifier(config), head_factor=3.0)
    assert set(alone.values()) == {3.0}


def test_factor_of_a_learning_rate_scales_the_step():
    weights = [tf.Variable([1.0], name=name) for name in ("a/kernel", "b/kernel")]
    optimizer = Optimizer(weights, OptimizerOptions(ADAMW, weight_decay=0.0), {"b/kernel": 0.25})
    gradients = [tf.constant([1.0]), tf.constant([1.0])]
    optimizer.apply(gradients, tf.constant(0.1), accept=tf.constant(True))
    steps = [1.0 - float(weight[0]) for weight in weights]
    assert steps[1] == pytest.approx(steps[0] / 4, rel=1e-5)


# On a model


@pytest.fixture(scope="module")
def case():
    return golden_case("google")


@pytest.fixture(scope="module")
def batch(case):
    rows = {name: case.batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    return {**rows, "label_ids": tf.range(len(rows["input_ids"])) % 2}


def gradients_of(objective, batch, model, seed=SEED):
    """Gradient of the sum of the losses, and its value."""
    with tf.GradientTape() as tape:
        losses = objective(batch, seed).losses
        loss = tf.add_n([mean.result() for mean in losses.values()])
    variables = model.trainable_variables
    return [tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, variables)]


@pytest.mark.parametrize("kind", ["classification", "mean", "reading"])
def test_fgm_gradient_is_that_of_the_texts_and_of_the_moved_texts(case, batch, kind):
    """Of each row, the word vectors move by epsilon along the gradient of its own loss."""
    if kind == "reading":
        model, inner = TokenClassifier(case.config, 2), reading_objective
        batch = {**batch, "answer_spans": tf.tile([[1, 2]], [len(batch["input_ids"]), 1])}
    else:
        model = Classifier(
            case.config, 2, pooling=Pooling.MEAN if kind == "mean" else Pooling.POOLED
        )
        inner = classification_objective
    embeddings, epsilon = model.albert.embeddings, 0.3

    def objective(batch, seed):
        return inner(model, batch, seed)

    # Worked out row by row, from the words as they are looked up.
    words = tf.gather(embeddings.words, batch["input_ids"])
    moves = []
    for row in range(len(words)):
        one = {name: value[row : row + 1] for name, value in batch.items()}
        vectors = words[row : row + 1]
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            with embeddings.words_through(lambda _, vectors=vectors: vectors):
                (mean,) = objective(one, None).losses.values()
                total = mean.total
        gradient = tape.gradient(total, vectors)
        moves.append(epsilon * gradient / tf.norm(gradient))
    moved = tf.concat(moves, axis=0)

    plain = gradients_of(objective, batch, model, seed=None)
    with embeddings.words_through(lambda words: words + moved):
        perturbed = gradients_of(objective, batch, model, seed=None)
    both = gradients_of(adversarial(objective, embeddings, epsilon), batch, model, seed=None)
    for one, other, together in zip(plain, perturbed, both, strict=True):
        np.testing.assert_allclose(one + other, together, rtol=2e-3, atol=2e-5)
    # The loss of the moved texts is larger, and the model is as before.
    losses = results(adversarial(objective, embeddings, epsilon)(batch, None).losses)
    (name,) = objective(batch, None).losses
    assert losses[f"adversarial_{name}"] > losses[name]
    np.testing.assert_array_equal(objective(batch, None).positions.losses.shape[0] > 0, True)


def test_r_drop_differs_between_passes_only_by_dropout(case, batch):
    model = Classifier(case.config, 2)

    def objective(batch, seed):
        return classification_objective(model, batch, seed)

    with_dropout = r_drop(objective, 1.0)(batch, SEED)
    assert results(with_dropout.losses)["r_drop_loss"] > 0

    def without(batch, seed):
        return classification_objective(model, batch, None)

    same = r_drop(without, 1.0)(batch, SEED)
    assert results(same.losses)["r_drop_loss"] == 0.0


@pytest.mark.parametrize("pooling", list(Pooling))
def test_model_that_is_its_own_teacher_learns_nothing_from_it(case, batch, pooling):
    model = Classifier(case.config, 2, pooling=pooling)

    def objective(batch, seed):
        return classification_objective(model, batch, None)

    learn = distilled(objective, model.albert, share=1.0, temperature=3.0, hidden_weight=2.0)
    pupil = taught(learn, [Teacher(objective, model.albert)] * 2, 3.0)
    losses = results(pupil(batch, SEED).losses)
    assert losses == pytest.approx({"classification_loss": 0.0, "hidden_loss": 0.0}, abs=1e-5)
    for gradient in gradients_of(pupil, batch, model):
        np.testing.assert_allclose(gradient, 0.0, atol=1e-4)


def test_lesson_is_no_part_of_the_gradient_and_teachers_stay(case, batch):
    model, other = (Classifier(case.config, 2, seed=seed) for seed in (1, 2))

    def objective_of(model):
        return lambda batch, seed: classification_objective(model, batch, None)

    learn = distilled(objective_of(model), model.albert, share=0.9, temperature=2.0)
    pupil = taught(learn, [Teacher(objective_of(other), other.albert)], 2.0)
    with tf.GradientTape() as tape:
        loss = pupil(batch, SEED).losses["classification_loss"].result()
    assert not any(each is not None for each in tape.gradient(loss, other.trainable_variables))


# Flags


@pytest.mark.parametrize(
    ("flags", "kind", "message"),
    [
        ({"label_smoothing": 0.1}, "reading", "--label_smoothing works on classification, choice"),
        ({"label_smoothing": 0.1}, "regression", "is of the kind regression"),
        ({"class_weights": "a=2"}, "choice", "--class_weights works on classification, tagging"),
        ({"class_weights": "c=2"}, "classification", "'c=2' is no LABEL=X; the labels are a, b,"),
        ({"class_weights": "a=-1"}, "classification", "a number X above 0"),
        ({"class_weights": "a=x"}, "classification", "a number X above 0"),
        ({"class_weights": "O=2"}, "classification", "'O=2' is no LABEL=X"),
        ({"class_weights": "a=1,a=2"}, "classification", "names 'a' twice; leave one out"),
    ],
)
def test_aids_that_do_not_fit_a_task(flags, kind, message):
    with pytest.raises(ValueError, match=message):
        AidOptions(**flags).check_aids("mine", kind=kind, labels=("a", "b"))


def test_settings_of_a_teacher_need_one():
    with pytest.raises(ValueError, match="--hidden_weight needs a teacher"):
        AidOptions(hidden_weight=1.0)


def test_aids_that_are_on_are_listed_with_their_defaults():
    assert AidOptions().chosen_aids() == {}
    on = AidOptions(teacher_model="a, b", fgm_epsilon=0.5)
    assert on.teacher_paths() == ["a", "b"]
    assert on.chosen_aids() == {
        "fgm_epsilon": 0.5,
        "teacher_model": "a, b",
        "distillation_weight": 0.5,
        "distillation_temperature": 2.0,
    }


def test_weights_of_types_may_contain_equal_signs():
    given = AidOptions(class_weights="a=b=2,O=0.5").given_class_weights
    assert given(kind="tagging", labels=("a=b", "c")) == {"a=b": 2.0, "O": 0.5}


# Every kind of task


@pytest.mark.parametrize("kind", KIND_MODELS)
@pytest.mark.parametrize("recompute", [False, True])
def test_aids_work_on_every_kind_and_with_recomputation(case, kind, recompute):
    labels = ("a", "b", "c")
    meta = TaskMeta("mine", labels, 16, Pooling.MEAN, do_lower_case=True, kind=kind)
    settings = {"recompute": recompute}
    models = [KIND_MODELS[kind].build(case.config, meta, seed=each, **settings) for each in (1, 2)]
    objectives = [functools.partial(KIND_MODELS[kind].objective, model) for model in models]
    rows, length = 4, 12
    shape = [rows, 3, length] if kind == "choice" else [rows, length]
    random = np.random.default_rng(1)
    batch = {
        "input_ids": random.integers(5, 50, shape, np.int32),
        "input_mask": np.ones(shape, np.int32),
        "segment_ids": np.zeros(shape, np.int32),
        "label_ids": np.int32([0, 1, 2, 1]),
        "numbers": np.float32([0.0, 1.0, 2.0, 3.0]),
        "tags": random.integers(-1, 7, shape, np.int32),
        "answer_spans": np.int32([[1, 2], [3, 4], [0, 0], [5, 9]]),
    }
    batch = {name: tf.constant(values) for name, values in batch.items()}
    has_classes = kind in ("classification", "choice", "tagging")
    options = AidOptions(
        fgm_epsilon=0.1,
        r_drop_alpha=1.0,
        label_smoothing=0.1 if has_classes else None,
        teacher_model="teacher",
        hidden_weight=1.0,
    )
    options.check_aids("mine", kind=kind, labels=labels)
    teacher = Teacher(objectives[1], models[1].albert)
    objective = aided(objectives[0], models[0], options, teachers=[teacher])
    shown = results(objective(batch, SEED).metrics)
    for name in ("adversarial_loss", "r_drop_loss", "distillation_loss", "hidden_loss"):
        assert 0.0 <= shown[name] < 100.0, name
    moved = [np.abs(each).max() for each in gradients_of(objective, batch, models[0])]
    assert np.isfinite(moved).all()
    assert np.mean(np.array(moved) > 0) > 0.8
