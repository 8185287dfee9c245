"""Signals that ask a training to stop."""

import os
import signal
import subprocess
import sys
import threading
import time

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


def test_request_reaches_a_running_step_while_python_waits(capfd):
    told = threading.Event()
    with StopSignals(on_request=told.set) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert told.wait(10)
        assert stop.requested
    assert capfd.readouterr().err.count("SIGTERM: stopping and saving") == 1


def test_second_ctrl_c_ends_a_process_that_python_cannot():
    # Another language's sleep, which no signal interrupts, stands for a device that computes.
    program = (
        "import ctypes\n"
        "from albert_zh.train.stopping import StopSignals\n"
        "with StopSignals():\n"
        "    print('ready', flush=True)\n"
        "    library = ctypes.CDLL(None)\n"
        "    library.pthread_barrier_init(barrier := ctypes.create_string_buffer(64), None, 2)\n"
        "    library.pthread_barrier_wait(barrier)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 130
    assert shown.endswith("interrupted; the newest checkpoint is whole\n")


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
