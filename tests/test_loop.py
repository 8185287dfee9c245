"""The training loop, around a trainer that only counts."""

import json
import time

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.train.loop import Hooks, LoopOptions, train
from albert_zh.train.metrics import Mean
from albert_zh.train.rows import RowSums, SpikeWatch, Workload, mean_loss
from albert_zh.train.step import StepReport
from albert_zh.train.watchdog import Watchdog

RANDOM = np.random.default_rng(3)
TOTALS = np.float32(RANDOM.lognormal(3, 2, 100))  # of the loss, of each step
WEIGHTS = np.float32(RANDOM.integers(1, 200, 100))


class CountingTrainer:
    """Trainer that reports made-up losses; those of the steps in `bad` are not finite."""

    def __init__(self, step: int = 0, bad: frozenset[int] = frozenset()):
        self.step = tf.Variable(step, dtype=tf.int64)
        self.done, self.calls, self._bad = step, [], bad

    def run(self, batches, steps: int) -> StepReport:
        done = range(self.done, self.done + steps)
        bad = [step for step in done if step in self._bad]
        self.done += steps
        self.calls.append(steps)
        good = [step for step in done if step not in bad]
        total, weight = (np.sum(values[good], dtype=np.float64) for values in (TOTALS, WEIGHTS))
        time.sleep(0.001)
        return StepReport(
            metrics={"masked_lm_loss": Mean(total, weight)},
            loss=np.nan if self.done - 1 in bad else TOTALS[self.done - 1],
            gradient_norm=np.float32(1.0),
            learning_rate=np.float32(0.1),
            skipped=len(bad),
            first_skipped=bad[0] if bad else -1,
            overflowed=0,
            steps=steps,
        )


class Stop:
    """A request to stop after `at` steps, or in a validation."""

    def __init__(self, trainer: CountingTrainer, at: int):
        self._trainer, self._at, self.now = trainer, at, False

    @property
    def requested(self) -> bool:
        return self.now or self._trainer.done >= self._at


class Recorder:
    """The calls of the loop, in order."""

    def __init__(self, *, over_at: int | None = None, stop_in_validation: int | None = None):
        self.rows, self.events, self.saved, self.over_at = [], [], {}, over_at
        self.stop, self.stop_in_validation = None, stop_in_validation

    def hooks(self) -> Hooks:
        return Hooks(self._save, self._record, self._validate, "batch {}".format)

    def _save(self, step, unrecorded):
        self.events.append(("save", step))
        self.saved[step] = json.dumps(unrecorded.to_json())

    def _record(self, row):
        self.events.append(("record", row["step"]))
        self.rows.append(json.loads(json.dumps(row)))

    def _validate(self, step):
        self.events.append(("validate", step))
        self.stop.now = step == self.stop_in_validation
        return step == self.over_at


def run(trainer, *, stop_at: int = 10**9, unrecorded=None, recorder=None, **changes) -> Recorder:
    recorder = recorder or Recorder()
    recorder.stop = Stop(trainer, stop_at)
    options = LoopOptions(
        until=100, save_every=40, log_every=25, validate_every=40, iterations_per_loop=1000
    )
    train(
        trainer,
        iter(()),
        options._replace(**changes),
        recorder.hooks(),
        strategy=tf.distribute.get_strategy(),
        workload=Workload(examples=4),
        stop=recorder.stop,
        watchdog=Watchdog(0),
        unrecorded=unrecorded,
    )
    return recorder


def numbers(rows) -> list[dict]:
    """The rows without the values that depend on the clock."""
    clock = ("seconds", "examples_per_second")
    return [{key: row[key] for key in row if key not in clock} for row in rows]


def test_calls_end_where_something_is_to_be_done():
    trainer = CountingTrainer()
    recorder = run(trainer)
    ends = np.cumsum(trainer.calls)
    assert {25, 40, 50, 75, 80, 100} <= set(ends)
    assert [row["step"] for row in recorder.rows] == [25, 50, 75, 100]
    saves_and_validations = [event for event in recorder.events if event[0] != "record"]
    assert saves_and_validations == [
        (event, step) for step in (40, 80, 100) for event in ("save", "validate")
    ]
    assert recorder.events.index(("record", 100)) < recorder.events.index(("save", 100))


def test_validation_has_steps_of_its_own():
    events = run(CountingTrainer(), validate_every=30).events
    assert [step for what, step in events if what == "validate"] == [30, 60, 90, 100]
    assert [step for what, step in events if what == "save"] == [40, 80, 100]


def test_validations_may_save_and_may_end_the_training():
    trainer = CountingTrainer()
    recorder = Recorder(over_at=60)
    events = run(trainer, recorder=recorder, validate_every=30, saves_validated=True).events
    assert [event for event in events if event[0] != "record"] == [
        *(("save", 30), ("validate", 30), ("save", 40), ("save", 60), ("validate", 60)),
    ]
    assert trainer.done == 60


def test_a_row_sums_up_its_steps():
    row = run(CountingTrainer()).rows[1]
    assert (row["step"], row["steps"]) == (50, 25)
    assert row["masked_lm_loss"] == pytest.approx(
        TOTALS[25:50].sum() / WEIGHTS[25:50].sum(), rel=1e-6
    )
    assert row["loss"] == TOTALS[49]
    assert row["examples_per_second"] == pytest.approx(4 * 25 / row["seconds"])


def test_rows_do_not_depend_on_the_calls():
    rows = [numbers(run(CountingTrainer(), iterations_per_loop=most).rows) for most in (1, 3, 1000)]
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize("stop_at", [1, 25, 37, 40, 99])
def test_a_stopped_run_saves_and_its_history_goes_on_exactly(stop_at):
    expected = run(CountingTrainer(), iterations_per_loop=1)
    stopped = run(CountingTrainer(), iterations_per_loop=1, stop_at=stop_at)
    assert stopped.events[-1] == ("save", stop_at)  # and no validation after the signal
    unrecorded = RowSums.from_json(json.loads(stopped.saved[stop_at]))
    resumed = run(CountingTrainer(stop_at), unrecorded=unrecorded, recorder=stopped)
    assert numbers(resumed.rows) == numbers(expected.rows)


@pytest.mark.parametrize(("step", "events"), [(30, 1), (80, 0)], ids=["between saves", "saved"])
def test_stop_in_a_validation_loses_no_step(step, events):
    expected = run(CountingTrainer(), validate_every=10)
    stopped = run(CountingTrainer(), validate_every=10, recorder=Recorder(stop_in_validation=step))
    last = stopped.events.index(("validate", step))
    assert stopped.events[last + 1 :] == events * [("save", step)]
    unrecorded = RowSums.from_json(json.loads(stopped.saved[step]))
    stopped.stop_in_validation = None
    resumed = run(CountingTrainer(step), unrecorded=unrecorded, recorder=stopped)
    assert numbers(resumed.rows) == numbers(expected.rows)


def test_calls_grow_to_the_time_they_may_take():
    trainer = CountingTrainer()
    run(trainer, save_every=100, log_every=100)
    assert trainer.calls[:4] == [1, 2, 4, 8]
    trainer = CountingTrainer()
    run(trainer, save_every=100, log_every=100, iterations_per_loop=3)
    assert max(trainer.calls) == 3


def test_a_slow_device_gets_short_calls():
    trainer = CountingTrainer()
    run(trainer, call_seconds=1e-9)
    assert set(trainer.calls) == {1}


def test_bad_step_ends_the_training_before_anything_is_saved():
    recorder = Recorder()
    with pytest.raises(ValueError, match=r"of step 34 are not finite \(batch 33\).*--on_nan=skip"):
        run(CountingTrainer(bad=frozenset([33])), recorder=recorder)
    assert recorder.events == [("record", 25)]


def test_bad_steps_are_skipped_and_counted_on_request():
    bad = frozenset([33, 34, 49, 60])
    recorder = run(CountingTrainer(bad=bad), skip_bad_steps=True)
    assert [row.get("skipped", 0) for row in recorder.rows] == [0, 3, 1, 0]
    assert recorder.rows[1]["loss"] is None  # step 50 was the last of the row
    good = [step for step in range(25, 50) if step not in bad]
    assert recorder.rows[1]["masked_lm_loss"] == pytest.approx(
        TOTALS[good].sum() / WEIGHTS[good].sum(), rel=1e-6
    )
    assert recorder.events[-1] == ("validate", 100)


def test_row_of_bad_steps_alone_has_no_loss_and_no_part_in_spikes():
    bad = frozenset(range(25, 50))
    recorder = run(CountingTrainer(bad=bad), skip_bad_steps=True)
    row = recorder.rows[1]
    assert (row["skipped"], row["loss"], row["masked_lm_loss"]) == (25, None, None)
    assert mean_loss(row) is None
    watch = SpikeWatch([*recorder.rows[1:2] * 5, *[{"masked_lm_loss": 2.0}] * 9])
    assert not watch.check(row)
    assert not watch.check({"masked_lm_loss": 2.9})  # the tenth
    assert watch.check({"masked_lm_loss": 3.2})


def test_a_hundred_bad_steps_in_a_row_are_an_error():
    with pytest.raises(ValueError, match=r"100 such steps in a row"):
        run(CountingTrainer(bad=frozenset(range(100))), skip_bad_steps=True, log_every=7)


def test_spike_is_measured_against_the_ten_rows_before():
    watch = SpikeWatch([])
    rows = [{"masked_lm_loss": 2.0, "sentence_order_loss": 1.0, "loss": 99.0}] * 10
    assert not any(watch.check(row) for row in rows)
    assert not watch.check({"masked_lm_loss": 4.4})
    assert watch.check({"masked_lm_loss": 4.8})
    assert not SpikeWatch(rows[:9]).check({"masked_lm_loss": 100.0})  # too few rows before


def test_spike_is_in_the_history(monkeypatch, caplog):
    totals = TOTALS * 0 + 1
    totals[80:85] = 10
    monkeypatch.setitem(globals(), "TOTALS", totals)
    monkeypatch.setitem(globals(), "WEIGHTS", np.ones_like(totals))
    with caplog.at_level("WARNING"):
        recorder = run(CountingTrainer(), log_every=5)
    assert [row["step"] for row in recorder.rows if row.get("spike")] == [85]
    assert "steps 81 to 85" in caplog.text


def test_rates_that_are_unknown_are_left_out():
    assert Workload(examples=4).rates(2.0) == {"examples_per_second": 8.0}
    assert "mfu" not in Workload(examples=4, tokens=8, flops=1.0).rates(2.0)
