"""Devices for training, and their memory."""

import types

import tensorflow as tf

from albert_zh.train import devices
from albert_zh.train.devices import free_host_memory, local_devices, memory_limit

MEMINFO = "MemTotal:       2000 kB\nMemFree:         500 kB\nMemAvailable:    1000 kB\n"


def machine(monkeypatch, *kinds: str) -> None:
    """This process has one device of every kind."""
    known = [types.SimpleNamespace(name=f"{kind}:0", device_type=kind) for kind in kinds]
    monkeypatch.setattr(
        tf.config,
        "list_logical_devices",
        lambda kind: [device for device in known if device.device_type == kind],
    )


def test_accelerators_train_rather_than_processors(monkeypatch):
    for kinds in (("CPU",), ("CPU", "GPU"), ("CPU", "GPU", "TPU")):
        machine(monkeypatch, *kinds)
        assert [device.name for device in local_devices()] == [f"{kinds[-1]}:0"]


def host(root, files):
    for path, text in ({"proc/meminfo": MEMINFO} | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return str(root)


def test_free_memory_is_the_available_memory_of_linux(tmp_path):
    assert free_host_memory(host(tmp_path, {})) == 1000 * 1024


def test_container_has_less_than_its_host(tmp_path):
    for version, name in ((2, "memory.max"), (1, "memory/memory.limit_in_bytes")):
        root = host(tmp_path / str(version), {f"sys/fs/cgroup/{name}": "4096\n"})
        assert free_host_memory(root) == 4096


def test_container_without_limit_has_what_its_host_has(tmp_path):
    assert free_host_memory(host(tmp_path, {"sys/fs/cgroup/memory.max": "max\n"})) == 1000 * 1024


def test_free_memory_of_other_systems_is_unknown(tmp_path):
    assert free_host_memory(str(tmp_path)) is None


def test_processor_gets_half_of_the_free_memory(monkeypatch):
    machine(monkeypatch, "CPU")
    monkeypatch.setattr(devices, "free_host_memory", lambda: 1000)
    assert memory_limit() == 500
    monkeypatch.setattr(devices, "free_host_memory", lambda: None)
    assert memory_limit() is None


def test_this_machine_has_some_memory():
    assert memory_limit() > 100 * 2**20


def test_memory_of_a_tpu_is_unknown(monkeypatch):
    machine(monkeypatch, "CPU", "TPU")
    assert memory_limit() is None


def test_the_smallest_gpu_counts(monkeypatch):
    def device(kind, limit):
        return types.SimpleNamespace(device_type=kind, memory_limit_bytes=limit)

    devices = [device("CPU", 1), device("GPU", 16), device("GPU", 12)]
    machine(monkeypatch, "CPU", "GPU")
    monkeypatch.setattr(tf.compat.v1.Session, "list_devices", lambda session: devices)
    assert memory_limit() == 12
