"""The display of long steps, and of what a step and the run will take."""

import io
import time
import types

import pytest

from albert_zh.train import display
from albert_zh.train.display import StepDisplay
from albert_zh.train.watchdog import Watchdog
from albert_zh.util.progress import Progress


class Control:
    """A step that computes a micro batch whenever it is looked at."""

    def __init__(self):
        self.done = 0

    def begin(self):
        self.done = 0

    def micro_batches(self) -> int:
        self.done += 1
        return self.done


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    monkeypatch.setattr(display, "_LONG_CALL", 0.0)
    monkeypatch.setattr(display, "_SHORTEST_MEASUREMENT", 0.5)
    return io.StringIO()


def test_micro_batches_of_a_long_step_are_shown_and_tell_the_time_it_takes(
    log, caplog, monkeypatch
):
    caplog.set_level("INFO", logger="absl")
    control = Control()
    # A second a micro batch, however busy the machine is.
    clock = types.SimpleNamespace(monotonic=lambda: float(control.done))
    monkeypatch.setattr(display, "time", clock)
    watchdog = Watchdog(0)
    with (
        Progress(description="train", unit="step", total=500, stream=log, interval=0.5) as progress,
        StepDisplay(
            progress,
            watchdog,
            until=500,
            save_every=100,
            control=control,
            micro_batches=3600,
        ) as shown,
    ):
        watchdog.tick()
        with shown.call(0):
            time.sleep(2.5)
    assert "train: 0/500 step, 0%, in step 1, micro batch 2 of 3,600" in log.getvalue()
    assert "a step takes about 60.0 minutes, the 500 steps left about 20.8 days" in caplog.text
    assert "a checkpoint after 100 steps is one after 4.2 days" in caplog.text
    assert "--save_checkpoints_steps=1 saves every hour" in caplog.text


def test_short_steps_are_measured_without_the_first_call_which_compiles(log, caplog):
    caplog.set_level("INFO", logger="absl")
    with (
        Progress(description="train", unit="step", total=500, stream=log) as progress,
        StepDisplay(progress, Watchdog(0), until=500, save_every=100) as shown,
    ):
        shown.measure(1, steps=1, seconds=60.0)
        assert "a step takes" not in caplog.text
        shown.measure(101, steps=100, seconds=5.0)
        shown.measure(201, steps=100, seconds=10.0)
    assert caplog.text.count("a step takes about 0.05 s, the 399 steps left about 20 s") == 1
    assert "--save_checkpoints_steps" not in caplog.text
