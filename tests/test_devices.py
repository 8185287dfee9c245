"""Devices for training, and their memory."""

import os
import sys
import types

import pytest
import tensorflow as tf

from albert_zh.train import devices
from albert_zh.train.devices import (
    advice_on_unused_gpu,
    free_host_memory,
    local_devices,
    memory_limit,
    should_compile,
)
from albert_zh.train.strategy import make_strategy
from albert_zh.util.nvidia import find_nvidia_gpu

SMI = "#!/bin/sh\necho 'GPU 0: Tesla (UUID: GPU-1)'\n"
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


@pytest.mark.parametrize(
    ("kind", "one_length", "many_lengths"),
    [("CPU", False, False), ("GPU", True, False), ("TPU", True, True)],
)
def test_step_is_compiled_where_that_takes_less_time_than_it_saves(
    monkeypatch, kind, one_length, many_lengths
):
    machine(monkeypatch, kind)
    assert should_compile("auto", one_length=True) is one_length
    assert should_compile("auto", one_length=False) is many_lengths
    for chosen in (True, False):
        assert should_compile(str(chosen).lower(), one_length=True) is chosen
        assert should_compile(str(chosen).lower(), one_length=False) is chosen


def machine_with_nvidia_smi(folder, monkeypatch) -> None:
    (folder / "nvidia-smi").write_text(SMI)
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


@pytest.mark.parametrize(
    ("has_cuda", "has_libraries", "advice"),
    [
        (False, False, "is built for the CPU alone; uninstall it, then install the other one: "),
        (True, False, "has no CUDA libraries; install them: "),
        (True, True, "the driver may be too old, or this is a container without its GPUs"),
    ],
)
def test_log_says_how_to_train_on_a_gpu_that_is_not_used(
    tmp_path, monkeypatch, caplog, has_cuda, has_libraries, advice
):
    machine_with_nvidia_smi(tmp_path, monkeypatch)
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: has_cuda)
    monkeypatch.setattr(devices, "find_spec", lambda name: object() if has_libraries else None)
    make_strategy()
    (warning,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert warning.startswith("there is an NVIDIA GPU (")
    assert advice in warning
    install = f"{sys.executable} -m pip install 'tensorflow[and-cuda]'"
    assert (install in warning) != has_libraries


def test_gpu_that_is_used_or_hidden_or_not_there_is_no_warning(tmp_path, monkeypatch):
    if find_nvidia_gpu() is None:
        assert advice_on_unused_gpu() is None
    machine_with_nvidia_smi(tmp_path, monkeypatch)
    assert advice_on_unused_gpu() is not None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert advice_on_unused_gpu() is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    assert advice_on_unused_gpu() is None


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
