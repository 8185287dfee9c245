"""Arrays computed by the published code under TensorFlow 1.15, one folder a model case.

Each `check_...` compares our model with one kind of them and raises AssertionError where they
differ: `test_goldens.py` calls them as they are, `test_mutations.py` after breaking our code.
"""

import dataclasses
import functools
import json
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.config import ModelConfig, Pooling
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.objectives.classification import classification_objective
from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.train.optimizers import Optimizer, OptimizerOptions, clip_by_global_norm
from albert_zh.train.rules.table import ADAMW, LAMB
from albert_zh.train.step import Trainer
from albert_zh.train.strategy import distribute_batches

# On GPUs TensorFlow rounds the inputs of a float32 product to 10 bits, unless told otherwise.
tf.config.experimental.enable_tensor_float_32_execution(False)

ROOT = os.path.join(os.path.dirname(__file__), "goldens")
MODELS = os.path.join(ROOT, "models")
CASES = sorted(os.listdir(MODELS))

# Rounding noise alone: a softmax does not see what the keys' bias adds.
NOISE = "/key/bias"


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """Largest errors of a correct float32 implementation that sums in another order."""

    forward: float = 2e-5  # outputs, losses, gradients, absolute
    lamb_norm: float = 1e-4  # gradient norms over three LAMB steps, relative
    adamw_loss: float = 1e-4  # relative
    adamw_norm: float = 5e-4  # relative
    adamw_weights: float = 5e-5  # absolute
    adamw_slots: float = 1e-3  # relative to the largest element


PRE_LN = Tolerances(
    forward=1e-4,
    lamb_norm=5e-3,
    adamw_loss=5e-4,
    adamw_norm=1e-2,
    adamw_weights=5e-4,
    adamw_slots=1e-2,
)


class GoldenCase:
    """One folder of expected arrays, and our models with its start weights."""

    def __init__(self, name: str):
        self.directory = os.path.join(MODELS, name)
        with open(self.path("case.json")) as file:
            self.facts = json.load(file)
        with open(self.path("config.json")) as file:
            self.config = ModelConfig.from_dict(
                {**json.load(file), "lineage": self.facts["family"]}
            )
        self.tolerances = PRE_LN if name == "brightmart_preln" else Tolerances()

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    @functools.cache  # noqa: B019 - a handful of cases, alive for the whole test run
    def arrays(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.path(name)) as arrays:
            return dict(arrays)

    def checkpoint(self, name: str) -> dict[str, np.ndarray]:
        return read_arrays(self.path(name), read_shapes(self.path(name)))

    def has(self, name: str) -> bool:
        return os.path.exists(self.path(name))

    def batch(self) -> dict[str, tf.Tensor]:
        inputs = {name: tf.constant(value) for name, value in self.arrays("inputs.npz").items()}
        inputs["sentence_order"] = inputs.pop("next_sentence_labels")[:, 0]
        return inputs

    def classifier_batch(self, name: str) -> dict[str, tf.Tensor]:
        names = ("input_ids", "input_mask", "segment_ids")
        batch = {key: value for key, value in self.batch().items() if key in names}
        return {**batch, "label_ids": tf.constant(self.arrays(name)["label_ids"])}

    def pretraining_model(self) -> PretrainingModel:
        model = PretrainingModel(self.config)
        assign(model, self.checkpoint("model.ckpt-0"))
        return model

    def classifier(self, name: str) -> Classifier:
        pooling = Pooling.MEAN if "mean" in name else Pooling.POOLED
        model = Classifier(self.config, 3, pooling=pooling)
        head = {
            key.removeprefix("head/"): value
            for key, value in self.arrays(name).items()
            if key.startswith("head/")
        }
        assign(model, {**self.checkpoint("model.ckpt-0"), **head})
        return model


def assign(model: tf.Module, arrays: dict[str, np.ndarray]) -> None:
    """Fills every variable of a model."""
    for name, variable in named_variables(model).items():
        variable.assign(arrays[name])


@functools.cache
def golden_case(name: str) -> GoldenCase:
    return GoldenCase(name)


CLASSIFIERS = [
    (name, file)
    for name in CASES
    for file in ("classifier.npz", "classifier_mean.npz")
    if golden_case(name).has(file)
]


def assert_close(actual, expected, *, atol, rtol=2e-5, name=""):
    np.testing.assert_allclose(np.asarray(actual), expected, atol=atol, rtol=rtol, err_msg=name)


def check_forward(case: GoldenCase) -> None:
    model, batch, expected = case.pretraining_model(), case.batch(), case.arrays("outputs.npz")
    output = model.albert(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    outcome = pretraining_objective(model, batch)
    masked = tf.gather(output.sequence, batch["masked_lm_positions"], batch_dims=1)
    logits = model.masked_lm(masked)
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


def check_gradients(case: GoldenCase) -> None:
    model, expected = case.pretraining_model(), case.arrays("grads.npz")
    variables = named_variables(model)
    with tf.GradientTape() as tape:
        losses = pretraining_objective(model, case.batch()).losses
        loss = tf.add_n([mean.result() for mean in losses.values()])
    gradients = dict(zip(variables, tape.gradient(loss, list(variables.values())), strict=True))
    assert set(gradients) == set(expected)
    for name, gradient in gradients.items():
        if name.endswith(NOISE):
            assert np.abs(gradient).max() < 1e-6
        else:
            dense = tf.convert_to_tensor(gradient)
            assert_close(dense, expected[name], atol=case.tolerances.forward, rtol=1e-4, name=name)


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """Numbers of three steps on one batch and of an evaluation after them."""

    losses: list[float]  # [4]
    norms: list[float]  # [4], of the gradients before clipping
    state: dict[str, np.ndarray]  # weights and slots after three steps


def train(
    objective: Callable,
    make_model: Callable[[], tf.Module],
    batch: dict[str, tf.Tensor],
    options: OptimizerOptions,
    learning_rate: float,
    *,
    strategy: tf.distribute.Strategy | None = None,
    **trainer_options,
) -> TrainingRun:
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        model = make_model()
        optimizer = Optimizer(model.trainable_variables, options)
    trainer = Trainer(
        objective=lambda batch, _: objective(model, batch),  # the goldens were made without dropout
        optimizer=optimizer,
        schedule=lambda _: tf.constant(learning_rate),
        seed=0,
        strategy=strategy,
        **trainer_options,
    )
    batches = tf.data.Dataset.from_tensors(batch).repeat()
    batches = iter(distribute_batches(strategy, batches))
    reports = [trainer.run(batches, 1) for _ in range(3)]
    state = {**named_variables(model), **named_variables(optimizer)}
    state = {name: value.numpy() for name, value in state.items()}
    reports.append(trainer.run(batches, 1))
    losses = [float(report.loss) for report in reports]
    return TrainingRun(losses, [float(report.gradient_norm) for report in reports], state)


def check_state(state, expected, *, weights, slots, unused_rows, skip) -> None:
    assert set(state) | {"global_step"} == set(expected)
    for name in state:
        if skip(name):
            continue
        atol = slots * np.abs(expected[name]).max() if name.endswith(("_m", "_v")) else weights
        assert_close(state[name], expected[name], atol=atol, rtol=0, name=name)
        if name.endswith("position_embeddings"):  # rows without gradient: only decay acts
            assert_close(state[name][unused_rows:], expected[name][unused_rows:], atol=1e-6, rtol=0)


def check_lamb(case: GoldenCase, *, copies: int = 1, **settings) -> None:
    """Three LAMB steps.

    Args:
        case: Model and arrays.
        copies: How often the rows of the batch stand in it, which changes no mean.
        settings: Of the trainer, its strategy among them.
    """
    variant, expected = case.config.variant, case.arrays("train.npz")
    options = OptimizerOptions(
        LAMB, slots=variant.slots["lamb"], undecayed=variant.undecayed.get("lamb", {})
    )
    batch = {name: tf.concat(copies * [rows], axis=0) for name, rows in case.batch().items()}
    run = train(pretraining_objective, case.pretraining_model, batch, options, 0.01, **settings)
    assert_close(run.losses, expected["loss"], atol=1e-4, rtol=0)
    assert_close(run.norms, expected["grad_norm"], atol=0, rtol=case.tolerances.lamb_norm)
    # brightmart's trust ratio blows the noise up to full-size steps.
    brightmart = case.config.lineage == "brightmart"
    check_state(
        run.state,
        case.checkpoint("model.ckpt-3"),
        weights=2e-4,
        slots=1e-3,
        unused_rows=case.facts["S"],
        skip=lambda name: NOISE in name and (brightmart or name.endswith(("_m", "_v"))),
    )


def check_classifier(case: GoldenCase, file: str) -> None:
    model, batch, expected = case.classifier(file), case.classifier_batch(file), case.arrays(file)
    logits = model(batch["input_ids"], batch["input_mask"], batch["segment_ids"])
    outcome = classification_objective(model, batch)
    actual = {
        "logits": logits,
        "probabilities": tf.nn.softmax(logits),
        "loss": outcome.losses["classification_loss"].result(),
        "eval_loss": outcome.metrics["classification_loss"].result(),
        "eval_accuracy": outcome.metrics["accuracy"].result(),
    }
    for key, value in actual.items():
        assert_close(value, expected[key], atol=case.tolerances.forward, name=key)


def check_adamw(case: GoldenCase, file: str) -> None:
    expected, tolerances = case.arrays(file), case.tolerances
    run = train(
        classification_objective,
        lambda: case.classifier(file),
        case.classifier_batch(file),
        OptimizerOptions(ADAMW),
        1e-3,
    )
    assert_close(run.losses, expected["train/loss"], atol=0, rtol=tolerances.adamw_loss)
    assert_close(run.norms, expected["train/grad_norm"], atol=0, rtol=tolerances.adamw_norm)
    # Before the first update there is rounding alone, and no room for summed rows.
    assert_close(run.norms[0], expected["train/grad_norm"][0], atol=0, rtol=2e-5)
    stored = file.replace(".npz", ".ckpt-3")
    if case.has(stored + ".index"):
        check_state(
            run.state,
            case.checkpoint(stored),
            weights=tolerances.adamw_weights,
            slots=tolerances.adamw_slots,
            unused_rows=case.facts["S"],
            skip=lambda name: NOISE in name and name.endswith(("_m", "_v")),
        )


def check_clip_norms(case: GoldenCase, file: str) -> None:
    """Sparse gradients count as they are stored, dense ones as the sum: 0.01 % to 0.3 % apart."""
    model, batch, expected = case.classifier(file), case.classifier_batch(file), case.arrays(file)
    with tf.GradientTape() as tape:
        loss = classification_objective(model, batch).losses["classification_loss"].result()
    gradients = tape.gradient(loss, model.trainable_variables)
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    for given, key in ((gradients, "train/grad_norm"), (dense, "train/grad_norm_dense")):
        _, norm = clip_by_global_norm(given, 1.0)
        assert_close(norm, expected[key][0], atol=0, rtol=2e-5, name=key)
    assert abs(expected["train/grad_norm"][0] / expected["train/grad_norm_dense"][0] - 1) > 4e-5
