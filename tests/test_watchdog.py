"""A training that hangs prints its stacks; one that works prints nothing."""

import threading
import time

import pytest

from albert_zh.train.watchdog import Watchdog

TENTH = 0.1 / 60  # a tenth of a second, in minutes


def hang(seconds):
    time.sleep(seconds)


def test_silence_shows_the_stacks_of_all_threads_and_training_goes_on(capfd):
    other = threading.Event()
    thread = threading.Thread(target=other.wait)
    thread.start()
    with Watchdog(4 * TENTH):
        hang(0.6)
    other.set()
    thread.join()
    shown = capfd.readouterr().err
    assert shown.count("watchdog: no step has ended for 0.00") == 1
    assert "in hang" in shown
    assert shown.count("hread 0x") >= 3  # this one, the other and the watchdog


def test_it_repeats_once_an_interval(capfd):
    with Watchdog(TENTH):
        hang(0.35)
    assert capfd.readouterr().err.count("watchdog:") in (2, 3)


def test_ticks_keep_it_silent(capfd):
    with Watchdog(10 * TENTH) as watchdog:
        for _ in range(15):
            hang(0.1)
            watchdog.tick()
    assert capfd.readouterr().err == ""


def test_a_tick_ends_the_silence(capfd):
    with Watchdog(4 * TENTH) as watchdog:
        hang(0.6)
        watchdog.tick()
        hang(0.2)
    assert capfd.readouterr().err.count("watchdog:") == 1


def test_zero_switches_it_off(capfd):
    before = threading.active_count()
    with Watchdog(0) as watchdog:
        assert threading.active_count() == before
        watchdog.tick()
    assert capfd.readouterr().err == ""


def test_leaving_ends_the_thread_at_once():
    before = threading.active_count()
    started = time.monotonic()
    with Watchdog(10):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    assert time.monotonic() - started < 1


def test_negative_minutes_are_an_error():
    with pytest.raises(ValueError, match="0 switches it off"):
        Watchdog(-1)
