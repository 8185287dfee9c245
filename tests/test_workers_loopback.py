"""Two processes on this machine train as one: the same losses, stopping together, no hang."""

import os
import signal
import socket
import time

import numpy as np
import tensorflow as tf
from processes import PROCESSES
from steps import run_steps

from albert_zh.train.agreement import any_worker, broadcast_from_chief
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.cluster import StrategyOptions, parse_workers
from albert_zh.train.stopping import StopSignals
from albert_zh.train.strategy import (
    distribute_batches,
    is_chief,
    make_strategy,
    report_lost_workers,
)

STEPS = 20
# Workers are connected before TensorFlow computes anything: not in the process of the tests.


def _work(hosts: str, index: int, pipe) -> None:
    """All that two workers are tested for, one after the other: they take seconds to start."""
    strategy = make_strategy(StrategyOptions(workers=parse_workers(hosts, index)))
    pipe.send({"chief": is_chief(strategy), "replicas": strategy.num_replicas_in_sync})
    pipe.send(_rows(strategy))
    pipe.send(run_steps(strategy, BatchPlan.make(32, num_replicas=2), STEPS))
    pipe.send([any_worker(strategy, flag) for flag in (False, index == 1, True)])
    pipe.send(broadcast_from_chief(strategy, 10 + index))
    with StopSignals(strategy) as stop:
        pipe.send("ready")
        step = 0
        while not any_worker(strategy, stop.requested):
            time.sleep(0.01 * index)  # The workers have different paces.
            step += 1
    pipe.send(step)
    try:
        with report_lost_workers():
            while True:
                any_worker(strategy, False)
    except ValueError as error:
        pipe.send(str(error))


def _rows(strategy) -> list[list[int]]:
    """This worker's rows of a finite dataset with the batches 0 1 2 3 and 4 5 6 7."""
    batches = tf.data.Dataset.range(8).batch(4, drop_remainder=True)
    local_rows = map(strategy.experimental_local_results, distribute_batches(strategy, batches))
    return [rows.numpy().tolist() for (rows,) in local_rows]


class Worker:
    """A process at work, and what it tells."""

    def __init__(self, hosts: str, index: int):
        self._pipe, end = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_work, args=(hosts, index, end), daemon=True)
        self.process.start()
        end.close()

    def told(self, timeout: float = 120.0):
        assert self._pipe.poll(timeout), "the worker hangs"
        return self._pipe.recv()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


def _one_device() -> list[float]:
    return run_steps(tf.distribute.get_strategy(), BatchPlan.make(32, num_replicas=1), STEPS)


def test_two_workers_train_as_one_stop_together_and_miss_each_other():
    hosts = ",".join(f"127.0.0.1:{port}" for port in _free_ports(2))
    chief, other = (Worker(hosts, index) for index in range(2))
    expected = _one_device()
    assert chief.told() == {"chief": True, "replicas": 2}
    assert other.told() == {"chief": False, "replicas": 2}
    assert (chief.told(), other.told()) == ([[0, 1], [4, 5]], [[2, 3], [6, 7]])
    losses = chief.told()
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert losses == other.told()
    assert chief.told() == other.told() == [False, True, True]
    assert chief.told() == other.told() == 10

    assert chief.told() == other.told() == "ready"
    time.sleep(0.3)  # some steps
    os.kill(other.process.pid, signal.SIGTERM)
    assert chief.told() == other.told() > 0

    other.process.kill()
    assert "another worker is gone" in chief.told(timeout=60)
    chief.process.join(60)
    assert chief.process.exitcode == 0
