"""Trainer: steps on one replica and on several, in one call and in many."""

import concurrent.futures
import dataclasses
import multiprocessing

import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case

from albert_zh import objectives
from albert_zh.config import ModelConfig
from albert_zh.model.heads import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.train.metrics import Mean, Outcome, results
from albert_zh.train.optimizers import Optimizer, OptimizerOptions, Rule
from albert_zh.train.step import Trainer, make_evaluation_step

# Two virtual processors have to be asked for before TensorFlow starts, so they get a process of
# their own.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tensorflow"])


@pytest.fixture
def eager():
    """Runs tf.functions as plain Python, where what is compiled does not matter."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def _config(**changes) -> ModelConfig:
    config = golden_case("google").config
    return dataclasses.replace(config, num_hidden_layers=1, **changes)


def _batches(count: int, size: int = 4, length: int = 12, masks: int = 3) -> tf.data.Dataset:
    """Random rows; the later ones of a batch have more padding and fewer masks."""
    random = np.random.default_rng(11)
    tokens = np.array([length - row for row in range(size)])
    weights = [[float(mask <= masks - row) for mask in range(masks)] for row in range(size)]
    mask = np.arange(length) < tokens[:, None]

    def integers(limit, *shape):
        return random.integers(0, limit, [count, size, *shape], np.int32)

    return tf.data.Dataset.from_tensor_slices(
        {
            "input_ids": integers(100, length) * mask,
            "input_mask": np.broadcast_to(np.int32(mask), [count, size, length]),
            "segment_ids": integers(2, length) * mask,
            "masked_lm_positions": integers(length - size, masks),
            "masked_lm_ids": integers(100, masks),
            "masked_lm_weights": np.broadcast_to(np.float32(weights), [count, size, masks]),
            "sentence_order": integers(2),
        }
    )


class Setup:
    """A trainer with its model; the whole state, so that runs can be compared."""

    def __init__(self, config: ModelConfig, *, strategy=None, schedule=None, seed: int = 0):
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope():
            self.model = PretrainingModel(config, seed=5)
            self.optimizer = Optimizer(self.model.trainable_variables, OptimizerOptions(Rule.LAMB))
        self.trainer = Trainer(
            objective=lambda batch, seed: objectives.pretraining(self.model, batch, seed),
            optimizer=self.optimizer,
            schedule=schedule or (lambda step: 0.01 / (1.0 + tf.cast(step, tf.float32))),
            seed=seed,
            strategy=strategy,
        )

    def variables(self) -> dict[str, tf.Variable]:
        state = {**named_variables(self.model), **named_variables(self.optimizer)}
        return {**state, "global_step": self.trainer.step}

    def state(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self.variables().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self.variables().items():
            variable.assign(state[name])


def _five_steps(replicas: int):
    """Losses, norms and metrics of five steps on the same 4 rows a batch, and the last weights."""
    strategy = None
    if replicas > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{k}" for k in range(replicas)])
    setup, batches = Setup(_config(), strategy=strategy), _batches(5)
    if strategy:
        batches = strategy.experimental_distribute_dataset(batches)
    iterator = iter(batches)
    reports = [setup.trainer.run(iterator, 1) for _ in range(5)]
    numbers = [
        {"loss": float(report.loss), "norm": float(report.gradient_norm), **results(report.metrics)}
        for report in reports
    ]
    return numbers, setup.state()


def _two_virtual_processors() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


@pytest.mark.usefixtures("eager")
def test_two_replicas_of_two_rows_equal_one_of_four():
    with concurrent.futures.ProcessPoolExecutor(
        1, mp_context=PROCESSES, initializer=_two_virtual_processors
    ) as pool:
        future = pool.submit(_five_steps, 2)
        expected, expected_state = _five_steps(1)
        numbers, state = future.result(timeout=300)
    for actual, wanted in zip(numbers, expected, strict=True):
        assert actual == pytest.approx(wanted, rel=2e-5)
    assert len({row["loss"] for row in expected}) == 5  # five different batches
    assert state.keys() == expected_state.keys()
    for name in state.keys() - {name for name in state if "/key/bias" in name}:  # noise
        np.testing.assert_allclose(state[name], expected_state[name], atol=2e-5, err_msg=name)


def test_steps_in_one_call_equal_steps_in_several():
    setup = Setup(_config())
    start = setup.state()
    batches = iter(_batches(3))
    reports = [setup.trainer.run(batches, 1) for _ in range(3)]
    singly = setup.state()
    setup.restore(start)
    together = setup.trainer.run(iter(_batches(3)), 3)

    assert int(setup.trainer.step) == 3
    for name, value in setup.state().items():
        np.testing.assert_array_equal(value, singly[name], err_msg=name)
    for name, mean in together.metrics.items():
        parts = [report.metrics[name] for report in reports]
        assert float(mean.total) == pytest.approx(sum(float(part.total) for part in parts))
        assert float(mean.weight) == sum(float(part.weight) for part in parts)
    last = reports[-1]
    assert [float(together.loss), float(together.gradient_norm), float(together.learning_rate)] == [
        float(last.loss),
        float(last.gradient_norm),
        float(last.learning_rate),
    ]


@pytest.mark.usefixtures("eager")
def test_learning_rate_is_read_before_the_step_is_counted():
    """The published graph raced: some of its first steps took the second step's rate."""
    setup = Setup(_config(), schedule=lambda step: 0.1 * tf.cast(step, tf.float32))
    start, batches = setup.state(), iter(_batches(3))
    reports = [setup.trainer.run(batches, 1)]
    kernel = "bert/pooler/dense/kernel"
    np.testing.assert_array_equal(setup.state()[kernel], start[kernel])  # rate 0 moves nothing
    reports += [setup.trainer.run(batches, 1) for _ in range(2)]
    rates = [float(report.learning_rate) for report in reports]
    assert rates == pytest.approx([0.0, 0.1, 0.2])
    assert int(setup.trainer.step) == 3
    assert np.abs(setup.state()[kernel] - start[kernel]).max() > 0


def _losses_of_a_model_that_stays(seed: int, start: int = 0, steps: int = 3) -> list[float]:
    """Losses on one batch at rate 0: only dropout can tell the steps apart."""
    setup = Setup(_config(hidden_dropout_prob=0.2), schedule=lambda _: tf.constant(0.0), seed=seed)
    setup.trainer.step.assign(start)
    batches = iter(_batches(1).repeat())
    return [float(setup.trainer.run(batches, 1).loss) for _ in range(steps)]


@pytest.mark.usefixtures("eager")
def test_dropout_differs_by_step_and_follows_seed_and_step():
    losses = _losses_of_a_model_that_stays(seed=1)
    assert len(set(losses)) == 3
    assert _losses_of_a_model_that_stays(seed=1) == losses
    assert _losses_of_a_model_that_stays(seed=1, start=2, steps=1) == losses[2:]  # as resumed
    assert not set(_losses_of_a_model_that_stays(seed=2)) & set(losses)


@pytest.mark.usefixtures("eager")
def test_reported_norm_is_that_before_clipping():
    weight = tf.Variable([3.0, 4.0], name="w/kernel")
    optimizer = Optimizer([weight], OptimizerOptions(Rule.ADAMW, weight_decay=0.0))
    trainer = Trainer(
        objective=lambda batch, _: Outcome(
            {"loss": Mean(tf.reduce_sum(batch["x"] * weight), tf.constant(1.0))}, {}
        ),
        optimizer=optimizer,
        schedule=lambda _: tf.constant(0.0),
        seed=0,
    )
    batches = iter(tf.data.Dataset.from_tensors({"x": tf.constant([30.0, 40.0])}))
    report = trainer.run(batches, 1)
    assert (float(report.loss), float(report.gradient_norm)) == (250.0, 50.0)
    np.testing.assert_allclose(optimizer.first[0], [0.06, 0.08], rtol=1e-6)  # 0.1 of the clipped


@pytest.mark.usefixtures("eager")
def test_iterators_that_tracing_would_exhaust_are_refused():
    with pytest.raises(AssertionError):
        Setup(_config()).trainer.run(iter(list(_batches(2))), 1)


def test_evaluation_is_without_dropout_and_changes_nothing():
    setup = Setup(_config(hidden_dropout_prob=0.2))
    (batch,) = _batches(1)
    start = setup.state()
    evaluate = make_evaluation_step(
        lambda batch, seed: objectives.pretraining(setup.model, batch, seed)
    )
    expected = results(objectives.pretraining(setup.model, batch).metrics)
    assert results(evaluate(batch)) == pytest.approx(expected, rel=1e-5)
    assert results(evaluate(batch)) == results(evaluate(batch))
    np.testing.assert_equal(setup.state(), start)
