"""Steps that are told to stop between their micro batches, and are dropped."""

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.metrics import Mean, Outcome, mean_of
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import ADAMW
from albert_zh.train.step import Trainer
from albert_zh.train.step_control import StepControl


class StopAt(StepControl):
    """Stops like a signal that comes after some micro batches, counted over all steps."""

    def __init__(self, number: int):
        super().__init__()
        self._left = tf.Variable(number)

    def note_micro_batches(self, number: tf.Tensor) -> None:
        super().note_micro_batches(number)
        self._should_stop.assign(self._left.assign_sub(1) <= 0)


def setup(control: StepControl, **changes) -> tuple[Trainer, Optimizer]:
    weight = tf.Variable([2.0], name="w/kernel")
    optimizer = Optimizer([weight], OptimizerOptions(ADAMW))

    def objective(batch, _) -> Outcome:
        loss = Mean(tf.reduce_sum(batch["x"] * weight**2), tf.constant(4.0))
        return Outcome({"loss": loss}, {"x": mean_of(batch["x"])})

    trainer = Trainer(
        objective=objective,
        optimizer=optimizer,
        schedule=lambda _: tf.constant(0.1),
        seed=0,
        plan=BatchPlan.make(4, num_replicas=1, micro_batch=1),
        control=control,
        **changes,
    )
    return trainer, optimizer


def state(trainer: Trainer, optimizer: Optimizer) -> list[np.ndarray]:
    variables = [*optimizer.parameters, *optimizer.slots[0], *trainer.state.values()]
    return [variable.numpy() for variable in variables]


def batches():
    return iter(tf.data.Dataset.from_tensors({"x": tf.constant([1.0, 2.0, 3.0, 4.0])}).repeat())


@pytest.mark.parametrize(
    "changes",
    [{}, {"xla": True}, {"precision": Precision.FLOAT16}],
    ids=["plain", "XLA", "loss scale"],
)
def test_step_that_stops_in_the_middle_changes_nothing_and_is_not_counted(changes):
    stopped, whole = setup(StopAt(10), **changes), setup(StepControl(), **changes)
    report = stopped[0].run(batches(), 5)  # The third step is dropped after two of its four.
    expected = whole[0].run(batches(), 2)
    assert (int(report.steps), int(expected.steps)) == (2, 2)
    assert (int(report.skipped), int(report.overflowed)) == (0, 0)
    assert float(report.loss) == float(expected.loss)
    assert [float(part) for part in report.metrics["x"]] == [20.0, 8.0]
    for value, wanted in zip(state(*stopped), state(*whole), strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_request_before_a_step_keeps_it_from_beginning():
    control = StepControl()
    trainer, optimizer = setup(control)
    before = state(trainer, optimizer)
    control.request_stop()
    report = trainer.run(batches(), 3)
    assert int(report.steps) == control.micro_batches() == 0
    for value, wanted in zip(state(trainer, optimizer), before, strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_micro_batches_of_the_running_step_are_counted():
    control = StepControl()
    trainer, _ = setup(control)
    trainer.run(batches(), 2)
    assert control.micro_batches() == 4
    control.begin()
    assert control.micro_batches() == 0
