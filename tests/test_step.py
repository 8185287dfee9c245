"""Trainer: steps on one replica and on several, in one call and in many."""

import concurrent.futures
import dataclasses

import goldens
import numpy as np
import pytest
import tensorflow as tf
from goldens import golden_case
from processes import PROCESSES
from steps import Setup, random_batches, run_steps, small_config

from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.loss_scale import LossScale
from albert_zh.train.metrics import Mean, Outcome, mean_of, results
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import ADAMW
from albert_zh.train.step import Trainer, make_evaluation_step
from albert_zh.train.strategy import distribute_batches


def _two_virtual_processors() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


def _on_two_devices() -> dict[str, list[float]]:
    """Losses of the same steps on two devices, with half of every batch each.

    All checks on two devices are here, because the start takes most of the time.
    """
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    half = BatchPlan.make(32, num_replicas=2)
    quarter = BatchPlan.make(32, num_replicas=2, micro_batch=8)
    for name in ("google", "brightmart_postln"):
        goldens.check_lamb(golden_case(name), copies=2, strategy=strategy)
    assert _variance_of_dropout(strategy, BatchPlan.make(2, num_replicas=2)) > 1e-6
    _check_evaluation_counts_all_rows(strategy)
    return {
        "2 x 16": run_steps(strategy, half),
        "2 x 2 x 8": run_steps(strategy, quarter),
        "2 x 16, XLA": run_steps(strategy, half, xla=True),
    }


def _variance_of_dropout(strategy: tf.distribute.Strategy, plan: BatchPlan) -> float:
    """Variance of the random numbers that replicas and micro batches draw in one step."""
    with strategy.scope():
        weight = tf.Variable([1.0], name="w/kernel")
        optimizer = Optimizer([weight], OptimizerOptions(ADAMW))

    def objective(batch, seed) -> Outcome:
        drawn, one = tf.random.stateless_uniform([], seed), tf.constant(1.0)
        loss = Mean(tf.reduce_sum(batch["x"] * weight), one)
        return Outcome({"loss": loss}, {"mean": Mean(drawn, one), "square": Mean(drawn**2, one)})

    trainer = Trainer(
        objective=objective,
        optimizer=optimizer,
        schedule=lambda _: tf.constant(0.1),
        seed=0,
        strategy=strategy,
        plan=plan,
    )
    rows = tf.data.Dataset.from_tensors({"x": tf.ones([plan.global_batch])})
    drawn = results(trainer.run(iter(distribute_batches(strategy, rows)), 1).metrics)
    return drawn["square"] - drawn["mean"] ** 2


def _check_evaluation_counts_all_rows(strategy: tf.distribute.Strategy) -> None:
    def objective(batch, _) -> Outcome:
        return Outcome({}, {"mean": mean_of(batch["x"])})

    rows = tf.data.Dataset.from_tensors({"x": tf.constant([1.0, 2.0, 3.0, 6.0])})
    (batch,) = distribute_batches(strategy, rows)
    mean = make_evaluation_step(objective, strategy)(batch)["mean"]
    assert (float(mean.total), float(mean.weight)) == (12.0, 4.0)


def test_dropout_differs_between_micro_batches():
    one = tf.distribute.get_strategy()
    assert _variance_of_dropout(one, BatchPlan.make(2, num_replicas=1, micro_batch=1)) > 1e-6


def test_micro_batches_in_one_call_give_the_same_bits_again():
    """Large gradients of shared layers are sums too, and must not be merged with ours."""
    sizes = {"embedding_size": 128, "hidden_size": 312, "intermediate_size": 1248}
    config = dataclasses.replace(
        small_config(vocab_size=21128), num_hidden_layers=4, num_attention_heads=12, **sizes
    )

    def weights() -> dict[str, np.ndarray]:
        setup = Setup(config, plan=BatchPlan.make(4, num_replicas=1, micro_batch=2))
        setup.trainer.run(iter(random_batches(6)), 6)
        return setup.state()

    first, second = weights(), weights()
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value, err_msg=name)


def test_devices_micro_batches_and_xla_change_no_loss():
    with concurrent.futures.ProcessPoolExecutor(
        1, mp_context=PROCESSES, initializer=_two_virtual_processors
    ) as pool:
        future = pool.submit(_on_two_devices)
        one = tf.distribute.get_strategy()
        whole = BatchPlan.make(32, num_replicas=1)
        parted = BatchPlan.make(32, num_replicas=1, micro_batch=8)
        expected = run_steps(one, whole)
        losses_by_kind = {
            "4 x 8": run_steps(one, parted),
            "32, XLA": run_steps(one, whole, xla=True),
            "4 x 8, XLA": run_steps(one, parted, xla=True),
            **future.result(timeout=300),
        }
    assert len(set(expected)) == 20  # different batches
    for kind, losses in losses_by_kind.items():
        np.testing.assert_allclose(losses, expected, rtol=1e-5, err_msg=kind)


@pytest.mark.parametrize(
    "settings",
    [{"plan": BatchPlan.make(6, num_replicas=1, micro_batch=2)}, {"xla": True}],
    ids=["micro batches", "XLA"],
)
def test_golden_lamb_steps_hold_however_they_are_taken(settings):
    goldens.check_lamb(golden_case("brightmart_postln"), copies=2, **settings)


def test_half_precision_follows_float32_over_200_steps():
    plan, one = BatchPlan.make(8, num_replicas=1), tf.distribute.get_strategy()
    wide = run_steps(one, plan, 200)
    for precision in (Precision.BFLOAT16, Precision.FLOAT16):
        narrow = run_steps(one, plan, 200, precision=precision)
        assert narrow != wide
        np.testing.assert_allclose(narrow, wide, rtol=0.01, err_msg=precision.value)


def test_steps_in_one_call_equal_steps_in_several():
    setup = Setup(small_config())
    start = setup.state()
    batches = iter(random_batches(3))
    reports = [setup.trainer.run(batches, 1) for _ in range(3)]
    singly = setup.state()
    setup.restore(start)
    together = setup.trainer.run(iter(random_batches(3)), 3)

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
    setup = Setup(small_config(), schedule=lambda step: 0.1 * tf.cast(step, tf.float32))
    start, batches = setup.state(), iter(random_batches(3))
    reports = [setup.trainer.run(batches, 1)]
    kernel = "bert/pooler/dense/kernel"
    np.testing.assert_array_equal(setup.state()[kernel], start[kernel])  # rate 0 moves nothing
    reports += [setup.trainer.run(batches, 1) for _ in range(2)]
    rates = [float(report.learning_rate) for report in reports]
    assert rates == pytest.approx([0.0, 0.1, 0.2])
    assert int(setup.trainer.step) == 3
    assert np.abs(setup.state()[kernel] - start[kernel]).max() > 0


def _losses_of_a_model_that_stays(seed: int, start: int = 0, steps: int = 3) -> list[float]:
    """Losses on one batch at rate 0, which only dropout changes from step to step."""
    setup = Setup(
        small_config(hidden_dropout_prob=0.2), schedule=lambda _: tf.constant(0.0), seed=seed
    )
    setup.trainer.step.assign(start)
    batches = iter(random_batches(1).repeat())
    return [float(setup.trainer.run(batches, 1).loss) for _ in range(steps)]


@pytest.mark.usefixtures("eager")
def test_dropout_differs_by_step_and_follows_seed_and_step():
    losses = _losses_of_a_model_that_stays(seed=1)
    assert len(set(losses)) == 3
    assert _losses_of_a_model_that_stays(seed=1) == losses
    assert _losses_of_a_model_that_stays(seed=1, start=2, steps=1) == losses[2:]  # as resumed
    assert not set(_losses_of_a_model_that_stays(seed=2)) & set(losses)


class Line:
    """Training of w in `loss = sum(w * x)`, whose gradient is x."""

    def __init__(self, xs: list[list[float]], *, learning_rate: float = 0.1, **settings):
        self.weight = tf.Variable([3.0, 4.0], name="w/kernel")
        self.optimizer = Optimizer([self.weight], OptimizerOptions(ADAMW, weight_decay=0.0))
        self.trainer = Trainer(
            objective=self._objective,
            optimizer=self.optimizer,
            schedule=lambda _: tf.constant(learning_rate),
            seed=0,
            **settings,
        )
        rows = tf.data.Dataset.from_tensor_slices({"x": tf.constant(xs)[:, None]})
        self.batches = iter(rows)

    def _objective(self, batch, _) -> Outcome:
        loss = Mean(tf.reduce_sum(batch["x"] * self.weight), tf.constant(1.0))
        return Outcome({"loss": loss}, {"loss": loss})

    def state(self) -> list[list[float]]:
        variables = (self.weight, *self.optimizer.slots[0])
        return [variable.numpy().tolist() for variable in variables]


@pytest.mark.usefixtures("eager")
def test_reported_norm_is_that_before_clipping():
    line = Line([[30.0, 40.0]], learning_rate=0.0)
    report = line.trainer.run(line.batches, 1)
    assert (float(report.loss), float(report.gradient_norm)) == (250.0, 50.0)
    np.testing.assert_allclose(line.optimizer.slots[0][0], [0.06, 0.08], rtol=1e-6)  # 0.1, clipped


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_step_that_is_not_finite_changes_nothing_and_is_named(bad):
    line = Line([[1.0, 2.0], [1.0, bad], [1.0, bad], [2.0, 1.0]])
    line.trainer.run(line.batches, 1)
    before = line.state()
    report = line.trainer.run(line.batches, 2)
    assert line.state() == before
    assert int(line.trainer.step) == 3  # the position in the data goes on
    assert [int(report.skipped), int(report.first_skipped), int(report.overflowed)] == [2, 1, 0]
    assert float(report.metrics["loss"].weight) == 0
    report = line.trainer.run(line.batches, 1)
    assert line.state() != before
    assert [int(report.skipped), int(report.first_skipped)] == [0, -1]


def test_loss_scale_shrinks_on_overflow_down_to_one_and_grows_back():
    bad = [1.0, float("inf")]
    line = Line([bad, bad, bad, [1.0, 2.0], [1.0, 2.0]], precision=Precision.FLOAT16)
    state = line.trainer.state
    assert set(state) == {"global_step", "loss_scale", "good_steps"}
    state["loss_scale"].assign(4.0)
    before = line.state()
    report = line.trainer.run(line.batches, 3)
    assert line.state() == before
    # The third overflow is not the scale's fault, which is 1 by then.
    assert [int(report.overflowed), int(report.skipped), int(report.first_skipped)] == [2, 1, 2]
    assert (float(state["loss_scale"]), int(state["good_steps"])) == (1.0, 0)
    state["good_steps"].assign(LossScale.STEPS_TO_DOUBLE - 2)
    line.trainer.run(line.batches, 1)
    assert (float(state["loss_scale"]), int(state["good_steps"])) == (1.0, 1999)
    report = line.trainer.run(line.batches, 1)
    assert (float(state["loss_scale"]), int(state["good_steps"])) == (2.0, 0)
    assert float(report.gradient_norm) == pytest.approx(5**0.5)  # unscaled


def test_sums_of_metrics_stay_exact_over_the_steps_of_a_call():
    """In float32 the third and fourth total, 1 each, would vanish beside 2 ** 24."""
    line = Line([[0.0, 2.0**21], [0.0, 2.0**21], [-1.0, 1.0], [-1.0, 1.0]], learning_rate=0.0)
    assert float(line.trainer.run(line.batches, 4).metrics["loss"].total) == 2**24 + 2


@pytest.mark.usefixtures("eager")
def test_iterators_that_tracing_would_exhaust_are_refused():
    with pytest.raises(AssertionError):
        Setup(small_config()).trainer.run(iter(list(random_batches(2))), 1)


def test_evaluation_is_without_dropout_and_changes_nothing():
    setup = Setup(small_config(hidden_dropout_prob=0.2))
    (batch,) = random_batches(1)
    start = setup.state()
    evaluate = make_evaluation_step(
        lambda batch, seed: pretraining_objective(setup.model, batch, seed)
    )
    expected = results(pretraining_objective(setup.model, batch).metrics)
    assert results(evaluate(batch)) == pytest.approx(expected, rel=1e-5)
    assert results(evaluate(batch)) == results(evaluate(batch))
    np.testing.assert_equal(setup.state(), start)
