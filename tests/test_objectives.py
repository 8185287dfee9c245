"""Losses and metrics of the objectives, against numpy on the model's own logits."""

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh import objectives
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
    outcome = objectives.pretraining(model, batch)

    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    logits = model.masked_lm(output.sequence, batch["masked_lm_positions"]).numpy()
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
    outcome = objectives.pretraining(model, batch)
    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    logits, labels = model.sentence_order(output.pooled).numpy(), batch["sentence_order"].numpy()
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    shown = results(outcome.metrics)
    assert shown["sentence_order_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert shown["sentence_order_accuracy"] == pytest.approx((logits.argmax(-1) == labels).mean())


def test_sentence_order_of_texts_without_pairs_is_not_learnt(case, model):
    batch = case.batch()
    with tf.GradientTape() as tape:
        alone = objectives.pretraining(model, batch, pairs=False)
        loss = tf.add_n([mean.result() for mean in alone.losses.values()])
    head = model.sentence_order.trainable_variables
    assert head
    assert all(not np.any(gradient) for gradient in tape.gradient(loss, head))
    both = objectives.pretraining(model, batch)
    assert float(loss) == float(both.losses["masked_lm_loss"].result())
    masked_lm = ["masked_lm_loss", "masked_lm_accuracy"]
    shown = results(both.metrics)
    assert results(alone.metrics) == {name: shown[name] for name in masked_lm}


def test_masked_lm_of_a_batch_without_masks_is_zero(case, model):
    batch = case.batch()
    batch["masked_lm_weights"] = tf.zeros_like(batch["masked_lm_weights"])
    outcome = objectives.pretraining(model, batch)
    assert float(outcome.losses["masked_lm_loss"].result()) == 0.0
    assert results(outcome.metrics)["masked_lm_accuracy"] == 0.0


def test_padding_of_the_masks_changes_nothing(case, model):
    batch, wider = case.batch(), case.batch()
    for name in ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"):
        wider[name] = tf.pad(batch[name], [[0, 0], [0, 3]])
    means = [results(objectives.pretraining(model, given).metrics) for given in (batch, wider)]
    assert means[1] == pytest.approx(means[0], rel=1e-6)


def test_classification_is_the_mean_over_examples(case):
    model, batch = case.classifier("classifier.npz"), case.classifier_batch("classifier.npz")
    outcome = objectives.classification(model, batch)
    logits = model(batch["input_ids"], batch["input_mask"], batch["segment_ids"]).numpy()
    labels = batch["label_ids"].numpy()
    losses = -_log_softmax(logits)[np.arange(len(labels)), labels]
    assert results(outcome.losses)["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert results(outcome.metrics) == pytest.approx(
        {"eval_loss": losses.mean(), "eval_accuracy": (logits.argmax(-1) == labels).mean()},
        rel=1e-5,
    )


def test_dropout_seed_switches_dropout_on(case):
    model, batch = case.classifier("classifier.npz"), case.classifier_batch("classifier.npz")
    losses = [
        results(objectives.classification(model, batch, seed).losses)["loss"]
        for seed in (None, None, tf.constant([1, 2]))
    ]
    assert losses[0] == losses[1] != losses[2]
