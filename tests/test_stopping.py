"""Signals that ask a training to stop."""

import os
import signal

import pytest
import tensorflow as tf

from albert_zh.train.stopping import StopSignals


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_is_a_request_and_is_reported(number, capfd):
    with StopSignals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested
    assert stop.requested  # The loop may ask after the block.
    assert capfd.readouterr().err.startswith(signal.Signals(number).name)


def test_second_ctrl_c_interrupts_and_second_sigterm_does_not():
    with StopSignals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_restored():
    before = handlers()
    with StopSignals():
        assert before != handlers()
    assert handlers() == before
    with pytest.raises(ZeroDivisionError), StopSignals():
        _ = 1 / 0
    assert handlers() == before


def test_preemption_of_a_tpu_is_a_request(monkeypatch):
    class Strategy:
        pass

    class Watcher:
        preemption_message = None

    monkeypatch.setattr(tf.distribute, "TPUStrategy", Strategy)
    monkeypatch.setattr(tf.distribute.experimental, "PreemptionWatcher", Watcher)
    with StopSignals(Strategy()) as stop:
        assert not stop.requested
        Watcher.preemption_message = "/job:worker/task:1"
        assert stop.requested
