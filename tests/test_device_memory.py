"""How much memory a device has."""

import types

import tensorflow as tf

from albert_zh.train import device_memory
from albert_zh.train.device_memory import free_host_memory, memory_limit

MEMINFO = "MemTotal:       2000 kB\nMemFree:         500 kB\nMemAvailable:    1000 kB\n"


def host(root, files):
    for path, text in ({"proc/meminfo": MEMINFO} | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return str(root)


def test_free_memory_is_what_linux_says_is_available(tmp_path):
    assert free_host_memory(host(tmp_path, {})) == 1000 * 1024


def test_container_has_less_than_its_host(tmp_path):
    for version, name in ((2, "memory.max"), (1, "memory/memory.limit_in_bytes")):
        root = host(tmp_path / str(version), {f"sys/fs/cgroup/{name}": "4096\n"})
        assert free_host_memory(root) == 4096


def test_container_without_limit_has_what_its_host_has(tmp_path):
    assert free_host_memory(host(tmp_path, {"sys/fs/cgroup/memory.max": "max\n"})) == 1000 * 1024


def test_other_systems_say_nothing(tmp_path):
    assert free_host_memory(str(tmp_path)) is None


def test_processor_gets_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    monkeypatch.setattr(device_memory, "free_host_memory", lambda: 1000)
    assert memory_limit() == 500
    monkeypatch.setattr(device_memory, "free_host_memory", lambda: None)
    assert memory_limit() is None


def test_this_machine_has_some_memory():
    assert memory_limit() > 100 * 2**20


def test_tpu_says_nothing(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a"] * (kind == "TPU"))
    assert memory_limit() is None


def test_the_smallest_gpu_counts(monkeypatch):
    def device(kind, limit):
        return types.SimpleNamespace(device_type=kind, memory_limit_bytes=limit)

    devices = [device("CPU", 1), device("GPU", 16), device("GPU", 12)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a"] * (kind == "GPU"))
    monkeypatch.setattr(tf.compat.v1.Session, "list_devices", lambda session: devices)
    assert memory_limit() == 12
