"""Strategies from flags and TF_CONFIG, and the distribution of batches."""

import contextlib
import json
import socket

import numpy as np
import pytest
import tensorflow as tf
from processes import PROCESSES

from albert_zh.train import strategy
from albert_zh.train.cluster import StrategyOptions, TpuAddress, Workers, parse_workers
from albert_zh.train.rendezvous import await_workers
from albert_zh.train.strategy import (
    connect_workers,
    distribute_batches,
    is_chief,
    make_strategy,
    report_lost_workers,
)


@pytest.fixture(autouse=True)
def _no_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


@contextlib.contextmanager
def listener():
    """A port of this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def free_host() -> str:
    with listener() as host:
        return host


# Flags


def test_workers_of_flags():
    assert parse_workers(None, None) is None
    assert parse_workers("a:1, b.example:65535", 1) == Workers(("a:1", "b.example:65535"), 1)


@pytest.mark.parametrize(
    ("hosts", "index", "message"),
    [
        ("a:1,b:2", None, "--worker_hosts needs --task_index"),
        (None, 0, "list them in --worker_hosts"),
        ("a:1,b:2", 2, "no worker 2 among 2; their numbers .* 0 to 1"),
        ("a:1,b:2", -1, "no worker -1"),
        ("a:1,a:1", 0, "a:1 is two workers at once"),
        ("a,b:2", 0, "'a' is no address .* host:port"),
        ("a:1,", 0, "'' is no address"),
        ("a:70000,b:2", 0, "'a:70000' is no address"),
        ("grpc://a:1,b:2", 0, "'grpc://a:1' is no address"),
    ],
)
def test_mistakes_in_flags(hosts, index, message):
    with pytest.raises(ValueError, match=message):
        parse_workers(hosts, index)


# TF_CONFIG


def connected(monkeypatch, tf_config, workers=None):
    """The workers that `make_strategy` would connect, None if it connects none."""
    if tf_config is not None:
        text = tf_config if isinstance(tf_config, str) else json.dumps(tf_config)
        monkeypatch.setenv("TF_CONFIG", text)
    connections = []
    monkeypatch.setattr(strategy, "connect_workers", connections.append)
    make_strategy(StrategyOptions(workers=workers))
    return connections[0] if connections else None


def test_workers_of_tf_config(monkeypatch):
    cluster = {"worker": ["a:1", "b:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    assert connected(monkeypatch, config) == Workers(("a:1", "b:2"), 1)
    assert connected(monkeypatch, config, Workers(("a:1", "b:2"), 1)).index == 1
    with pytest.raises(
        ValueError, match=r"TF_CONFIG says .*unset TF_CONFIG or leave out the flags"
    ):
        connected(monkeypatch, config, Workers(("a:1", "b:2"), 0))
    with pytest.raises(ValueError, match="leave out --worker_hosts and TF_CONFIG"):
        make_strategy(StrategyOptions(tpu=TpuAddress()))


@pytest.mark.parametrize(
    ("kind", "index", "expected"), [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)]
)
def test_chief_of_tf_config_is_the_first_worker(monkeypatch, kind, index, expected):
    cluster = {"worker": ["a:1", "b:2"], "chief": ["c:3"]}
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    assert connected(monkeypatch, config) == Workers(("c:3", "a:1", "b:2"), expected)


@pytest.mark.parametrize(
    "config",
    [
        None,
        "",
        {"task": {}},
        {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}},
    ],
)
def test_one_worker_connects_to_none(monkeypatch, config):
    assert connected(monkeypatch, config) is None


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[1]",
        {"cluster": {"worker": ["a:1", "b:2"]}},
        {"cluster": {"worker": ["a:1", "b"]}, "task": {"type": "worker", "index": 0}},
        {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}},
        {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "chief", "index": 0}},
        {"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "worker", "index": 0}},
    ],
)
def test_mistakes_in_tf_config_show_how_it_is_written(monkeypatch, config):
    with pytest.raises(ValueError, match=r'^TF_CONFIG: .*write it like {"cluster"'):
        connected(monkeypatch, config)


# Connecting


def test_one_device_is_the_default_strategy_and_its_own_chief():
    default = make_strategy()
    assert default.num_replicas_in_sync == 1
    assert is_chief(default)


def test_unknown_tpu_is_an_error_with_the_flags_to_check():
    for name in ("no-such-tpu", f"grpc://{free_host()}"):
        address = TpuAddress(name=name, zone="zone", project="project")
        with pytest.raises(ValueError, match=f"cannot reach TPU {name}: .*check --tpu_name"):
            make_strategy(StrategyOptions(tpu=address))


def test_worker_that_never_starts_is_named(caplog):
    caplog.set_level("INFO", logger="absl")
    missing = free_host()
    with (
        listener() as present,
        pytest.raises(ValueError, match=rf"do not answer: {missing} \(.*check .* --worker_hosts"),
    ):
        await_workers([free_host(), present, missing], 0, patience=0.1)
    (log,) = [record.getMessage() for record in caplog.records]
    assert log.startswith(f"worker 0 waits for {missing} (")  # once, not at every attempt
    assert present not in log


def test_taken_port_is_an_error():
    with listener() as taken, pytest.raises(ValueError, match=r"cannot listen on port .*in use"):
        await_workers([taken, free_host()], 0)


def test_workers_are_connected_before_tensorflow_computes():
    tf.constant(1)
    with listener() as other, pytest.raises(RuntimeError, match="call make_strategy first"):
        make_strategy(StrategyOptions(workers=Workers((free_host(), other), 0)))


def _connect(hosts: tuple[str, ...]) -> None:
    connect_workers(Workers(hosts, 0), seconds=1)


def test_wait_for_another_program_at_a_workers_address_ends():
    with listener() as stranger:
        process = PROCESSES.Process(target=_connect, args=((free_host(), stranger),), daemon=True)
        process.start()
        process.join(60)
    assert process.exitcode == 1


# Batches


class Replicas:
    """Stand-in for a strategy with the same number of replicas on every host."""

    def __init__(self, count: int, *, hosts: int):
        self.num_replicas_in_sync, self._hosts = count, hosts

    def distribute_datasets_from_function(self, function):
        contexts = [
            tf.distribute.InputContext(self._hosts, host, self.num_replicas_in_sync)
            for host in range(self._hosts)
        ]
        return [list(function(context).as_numpy_iterator()) for context in contexts]


@pytest.mark.parametrize("on_tpu", [False, True])
def test_replicas_take_neighbouring_rows(monkeypatch, on_tpu):
    if on_tpu:  # Its hosts read the data themselves.
        monkeypatch.setattr(tf.distribute, "TPUStrategy", Replicas)
    rows = np.arange(32).reshape(2, 8, 2)
    batches = tf.data.Dataset.from_tensor_slices({"ids": rows, "labels": rows[:, :, 0]})
    hosts = distribute_batches(Replicas(4, hosts=2), batches)
    for host, host_batches in enumerate(hosts):
        assert len(host_batches) == 4  # two steps of two replicas
        for number, batch in enumerate(host_batches):
            step, replica = divmod(number, 2)
            own = slice(4 * host + 2 * replica, 4 * host + 2 * replica + 2)
            np.testing.assert_array_equal(batch["ids"], rows[step, own])
            np.testing.assert_array_equal(batch["labels"], rows[step, own, 0])


def test_one_replica_takes_whole_batches():
    batches = tf.data.Dataset.range(6).batch(4)
    assert distribute_batches(tf.distribute.get_strategy(), batches) is batches


def test_rows_have_to_divide():
    batches = tf.data.Dataset.range(9).batch(3, drop_remainder=True)
    with pytest.raises(ValueError, match="batch of 3 does not divide by 2 devices"):
        distribute_batches(Replicas(2, hosts=1), batches)


# Lost workers


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.UnavailableError(
            None, None, "Collective ops is aborted by: recvmsg:Connection reset by peer"
        ),
        tf.errors.DeadlineExceededError(
            None, None, "Collective ops is aborted by: Deadline Exceeded"
        ),
        tf.errors.UnavailableError(
            None, None, "Socket closed\nAdditional GRPC error information from remote target"
        ),
    ],
)
def test_lost_worker_is_one_message(error):
    with pytest.raises(ValueError, match="another worker is gone"), report_lost_workers():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(
            None, None, "OOM when allocating on /job:worker/replica:0/task:0/device:GPU:0"
        ),
        tf.errors.UnavailableError(None, None, "storage.googleapis.com does not answer"),
        KeyError("step"),
    ],
)
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)), report_lost_workers():
        raise error
