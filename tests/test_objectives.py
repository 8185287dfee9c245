"""Losses and metrics of the objectives, against numpy on the model's own logits."""

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh.objectives.classification import classification_objective
from albert_zh.objectives.pretraining import (
    pretraining_metrics,
    pretraining_objective,
    pretraining_variables,
)
from albert_zh.train.losses import cross_entropy
from albert_zh.train.metrics import Mean, add_means, correct, mean_of, results


@pytest.fixture(scope="module")
def case():
    return golden_case("google")


@pytest.fixture(scope="module")
def model(case):
    return case.pretraining_model()


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def test_cross_entropy_is_the_negative_log_probability():
    losses = cross_entropy(tf.math.log([[0.25, 0.75], [0.5, 0.5]]), tf.constant([1, 0]))
    np.testing.assert_allclose(losses, -np.log([0.75, 0.5]), rtol=1e-6)


def test_cross_entropy_of_bfloat16_logits_is_float32():
    logits = tf.constant([[0.0, 1.0]], tf.bfloat16)
    assert cross_entropy(logits, tf.constant([1])).dtype == tf.float32


def test_correct_compares_the_largest_logit():
    logits = tf.constant([[0.1, 0.9, 0.0], [0.5, 0.4, 0.1]])
    np.testing.assert_array_equal(correct(logits, tf.constant([1, 2])), [1.0, 0.0])


def test_means_add_up_before_they_are_divided():
    first = {"loss": mean_of(tf.constant([1.0, 3.0]))}
    second = {"loss": mean_of(tf.constant([8.0, 100.0]), tf.constant([1.0, 0.0]))}
    assert results(add_means([first, second])) == {"loss": 4.0}


def test_mean_of_nothing_is_zero():
    assert float(Mean(tf.constant(0.0), tf.constant(0.0)).result()) == 0.0


def test_masked_lm_counts_each_mask_by_its_weight(case, model):
    batch = case.batch()
    weights = batch["masked_lm_weights"].numpy()
    assert 0.0 < weights.mean() < 1.0  # some rows have fewer masks
    outcome = pretraining_objective(model, batch)

    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    masked = tf.gather(output.sequence, batch["masked_lm_positions"], batch_dims=1)
    logits = model.masked_lm(masked).numpy()
    labels, flat = batch["masked_lm_ids"].numpy().ravel(), weights.ravel()
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    hits = logits.argmax(-1) == labels
    shown = results(outcome.metrics)
    assert shown["masked_lm_loss"] == pytest.approx(np.average(losses, weights=flat), rel=1e-5)
    assert shown["masked_lm_accuracy"] == pytest.approx(np.average(hits, weights=flat))
    minimised = float(outcome.losses["masked_lm_loss"].result())
    assert minimised == pytest.approx((losses * flat).sum() / (flat.sum() + 1e-5), rel=1e-5)


def test_sentence_order_is_the_plain_mean_over_examples(case, model):
    batch = case.batch()
    outcome = pretraining_objective(model, batch)
    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    logits, labels = model.sentence_order(output.pooled).numpy(), batch["sentence_order"].numpy()
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    shown = results(outcome.metrics)
    assert shown["sentence_order_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert shown["sentence_order_accuracy"] == pytest.approx((logits.argmax(-1) == labels).mean())


def test_unknown_sentence_order_counts_nowhere(case, model):
    batch = case.batch()
    expected = results(pretraining_objective(model, batch).metrics)
    twice = {name: tf.concat([value, value], axis=0) for name, value in batch.items()}
    rows = len(batch["sentence_order"])
    twice["sentence_order"] = tf.concat([batch["sentence_order"], tf.fill([rows], -1)], axis=0)
    outcome = pretraining_objective(model, twice)
    assert float(outcome.losses["sentence_order_loss"].weight) == rows
    shown = results(outcome.metrics)
    for name in ("sentence_order_loss", "sentence_order_accuracy"):
        assert shown[name] == pytest.approx(expected[name], rel=1e-6)


def test_losses_are_weighted_and_metrics_are_not(case, model):
    batch = case.batch()
    plain = pretraining_objective(model, batch)
    weighted = pretraining_objective(model, batch, masked_lm_weight=0.5, sentence_order_weight=3.0)
    for name, factor in (("masked_lm_loss", 0.5), ("sentence_order_loss", 3.0)):
        expected = factor * float(plain.losses[name].result())
        assert float(weighted.losses[name].result()) == pytest.approx(expected, rel=1e-6)
    assert results(weighted.metrics) == results(plain.metrics)


def test_without_sentence_order_all_that_is_trained_has_a_gradient(case, model):
    batch = case.batch()
    variables = pretraining_variables(model, sentence_order=False)
    with tf.GradientTape() as tape:
        alone = pretraining_objective(model, batch, sentence_order_weight=0.0)
        loss = tf.add_n([mean.result() for mean in alone.losses.values()])
    assert all(gradient is not None for gradient in tape.gradient(loss, variables))
    trained, everything = len(variables), len(model.trainable_variables)
    assert everything - trained == 4  # kernel and bias of the pooler and of the head
    assert len(pretraining_variables(model)) == everything
    both = pretraining_objective(model, batch)
    assert float(loss) == float(both.losses["masked_lm_loss"].result())
    assert alone.metrics.keys() == {"masked_lm_loss", "masked_lm_accuracy"}


# Two rows of masks: at adjacent positions stands a word; the last one of row 1 fills up.
POSITIONS = [[1, 2, 5, 6, 8], [3, 4, 5, 9, 0]]
WEIGHTS = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
RIGHT = [[1, 1, 1, 0, 1], [1, 1, 1, 0, 1]]
KINDS = [["mask", "mask", "random", "mask", "kept"], ["mask", "kept", "mask", "random", ""]]


@pytest.fixture
def evaluated(case, model):
    """(batch, outcome) with guesses that are right where the table says so."""
    mask_id, labels = 3, tf.constant([[7, 8, 9, 10, 11], [12, 13, 14, 15, 0]])
    batch = {name: tf.identity(value[:2]) for name, value in case.batch().items()}
    ids = batch["input_ids"].numpy()
    for row, kinds in enumerate(KINDS):
        for column, kind in enumerate(kinds):
            read = {"mask": mask_id, "random": 50, "kept": labels[row, column]}
            if kind:
                ids[row, POSITIONS[row][column]] = read[kind]
    batch |= {
        "input_ids": tf.constant(ids),
        "masked_lm_positions": tf.constant(POSITIONS),
        "masked_lm_weights": tf.constant(WEIGHTS, tf.float32),
        "masked_lm_ids": labels,
    }

    class Guesses:
        albert, sentence_order = model.albert, model.sentence_order

        @staticmethod
        def masked_lm(sequence):
            guess = tf.where(tf.constant(RIGHT) == 1, labels, labels + 20)
            return tf.one_hot(tf.reshape(guess, [-1]), 100)

    return batch, lambda **options: pretraining_metrics(Guesses, batch, **options)


def test_evaluation_tells_words_and_kinds_of_masks(evaluated):
    _, evaluate = evaluated
    shown = results(evaluate(mask_id=3).metrics)
    assert shown["masked_lm_accuracy"] == pytest.approx(7 / 9)
    # Words: 1-2 right, 5-6 wrong, 8 right; 3-5 right, 9 wrong.
    assert shown["masked_lm_word_accuracy"] == pytest.approx(3 / 5)
    assert shown["masked_lm_accuracy_mask"] == pytest.approx(4 / 5)
    assert shown["masked_lm_accuracy_random"] == pytest.approx(1 / 2)
    assert shown["masked_lm_accuracy_kept"] == pytest.approx(2 / 2)


def test_evaluation_without_the_id_of_mask_leaves_the_kinds_out(evaluated):
    _, evaluate = evaluated
    names = evaluate().metrics.keys()
    assert "masked_lm_word_accuracy" in names
    assert not [name for name in names if name.startswith("masked_lm_accuracy_")]


def test_evaluation_shows_what_training_shows(case, model):
    batch = case.batch()
    trained = results(pretraining_objective(model, batch).metrics)
    evaluated = results(pretraining_metrics(model, batch).metrics)
    assert {name: evaluated[name] for name in trained} == pytest.approx(trained, rel=1e-6)
    without = pretraining_metrics(model, batch, sentence_order=False).metrics
    assert not [name for name in without if name.startswith("sentence_order")]


def test_filler_rows_count_nowhere(case, model):
    batch = case.batch()
    expected = results(pretraining_metrics(model, batch, mask_id=3).metrics)
    filled = {name: tf.concat([value, value[:1] * 0], axis=0) for name, value in batch.items()}
    filled["sentence_order"] = tf.concat([batch["sentence_order"], [-1]], axis=0)
    shown = results(pretraining_metrics(model, filled, mask_id=3).metrics)
    assert shown == pytest.approx(expected, rel=1e-6)


def test_masked_lm_of_a_batch_without_masks_is_zero(case, model):
    batch = case.batch()
    batch["masked_lm_weights"] = tf.zeros_like(batch["masked_lm_weights"])
    outcome = pretraining_objective(model, batch)
    assert float(outcome.losses["masked_lm_loss"].result()) == 0.0
    assert results(outcome.metrics)["masked_lm_accuracy"] == 0.0


def test_padding_of_the_masks_changes_nothing(case, model):
    batch, wider = case.batch(), case.batch()
    for name in ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"):
        wider[name] = tf.pad(batch[name], [[0, 0], [0, 3]])
    means = [results(pretraining_objective(model, given).metrics) for given in (batch, wider)]
    assert means[1] == pytest.approx(means[0], rel=1e-6)


def test_classification_is_the_mean_over_examples(case):
    model, batch = case.classifier("classifier.npz"), case.classifier_batch("classifier.npz")
    outcome = classification_objective(model, batch)
    logits = model(batch["input_ids"], batch["input_mask"], batch["segment_ids"]).numpy()
    labels = batch["label_ids"].numpy()
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    assert results(outcome.losses)["classification_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert results(outcome.metrics) == pytest.approx(
        {"classification_loss": losses.mean(), "accuracy": (logits.argmax(-1) == labels).mean()},
        rel=1e-5,
    )


def test_dropout_seed_switches_dropout_on(case):
    model, batch = case.classifier("classifier.npz"), case.classifier_batch("classifier.npz")
    losses = [
        results(classification_objective(model, batch, seed).losses)["classification_loss"]
        for seed in (None, None, tf.constant([1, 2]))
    ]
    assert losses[0] == losses[1] != losses[2]
