"""Progress on a terminal and in a log."""

import io

import pytest

from albert_zh.util import progress as progress_module
from albert_zh.util.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """The time that Progress sees, in seconds; set `clock.now` to move it."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(progress_module.time, "monotonic", lambda: Clock.now)
    return Clock


def test_log_gets_one_line_per_interval_with_rate_and_remaining_time(clock):
    log = io.StringIO()
    with Progress(description="train", unit="step", total=1000, stream=log) as progress:
        for _ in range(21):
            clock.now += 1
            progress.advance(10, loss=0.5)
    assert log.getvalue().splitlines() == [
        "train: 100/1,000 step, 10%, 10 step/s, ETA 01:30, loss 0.5",
        "train: 200/1,000 step, 20%, 10 step/s, ETA 01:20, loss 0.5",
        "train: 210/1,000 step, 21%, 10 step/s, ETA 01:19, loss 0.5",
    ]


def test_lines_grow_rarer_the_longer_the_work_takes(clock):
    log = io.StringIO()
    with Progress(description="train", unit="step", stream=log) as progress:
        for _ in range(24 * 60):  # a day
            clock.now += 60
            progress.advance(1)
    assert 100 < log.getvalue().count("\n") < 250


def test_resumed_work_counts_on_and_its_rate_ignores_earlier_runs(clock):
    log = io.StringIO()
    with Progress(description="train", unit="step", total=100, initial=80, stream=log) as progress:
        clock.now += 10
        progress.advance(10)
    assert log.getvalue().splitlines()[-1] == "train: 90/100 step, 90%, 1 step/s, ETA 00:10"


def test_unknown_total_shows_count_and_rate(clock):
    log = io.StringIO()
    with Progress(description="read", unit="line", stream=log) as progress:
        clock.now += 2
        progress.advance(5000)
    assert log.getvalue() == "read: 5,000 line, 2.5e+03 line/s\n"


def test_nothing_done_prints_nothing():
    log = io.StringIO()
    with Progress(description="train", unit="step", total=5, initial=5, stream=log):
        pass
    assert log.getvalue() == ""


def test_terminal_gets_a_redrawn_bar_with_the_values():
    terminal = Terminal()
    with Progress(description="train", unit="step", total=4, stream=terminal) as progress:
        progress.advance(4, loss=1.25, state="warm")
    shown = terminal.getvalue()
    assert "\r" in shown
    assert "train: 100%" in shown
    assert "loss 1.25, state warm" in shown


def test_last_line_is_not_printed_twice(clock):
    log = io.StringIO()
    with Progress(description="train", unit="step", total=2, stream=log) as progress:
        clock.now += 20
        progress.advance(2)
    assert log.getvalue().count("train: 2/2 step") == 1


def test_value_of_unfinished_work_is_shown_and_forgotten(clock):
    log = io.StringIO()
    with Progress(description="train", unit="step", total=2, stream=log) as progress:
        clock.now += 20
        progress.advance(0, state="compiling")
        progress.forget("state")
        clock.now += 20
        progress.advance(1)
    assert log.getvalue().splitlines() == [
        "train: 0/2 step, 0%, state compiling",
        "train: 1/2 step, 50%, 0.025 step/s, ETA 00:40",
    ]
