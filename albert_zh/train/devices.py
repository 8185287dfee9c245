"""The devices of this machine that training uses, and their memory."""

import os
import pathlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec

import tensorflow as tf

from albert_zh.util.nvidia import find_nvidia_gpu

# Share of the free memory that training on processors may take. The rest is for reading and parsing
# records and for other programs.
_HOST_SHARE = 0.5

# Memory limits of containers: files of Linux's control groups, versions 2 and 1.
_CONTAINER_LIMITS = (
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def local_devices() -> Sequence[tf.config.LogicalDevice]:
    """The devices for training, at least one: TPU cores, else GPUs, else processors."""
    kinds = map(tf.config.list_logical_devices, ("TPU", "GPU", "CPU"))
    return next(filter(None, kinds))


def is_accelerated() -> bool:
    """True if training uses GPUs or TPU cores."""
    return _kind() != "CPU"


def advice_on_unused_gpu() -> str | None:
    """Way to train on an NVIDIA GPU that TensorFlow does not see; None if there is none.

    It asks for the devices without starting them.
    """
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if is_hidden or tf.config.list_physical_devices("GPU") or not (sign := find_nvidia_gpu()):
        return None
    install = f"{sys.executable} -m pip install 'tensorflow[and-cuda]'"
    if not tf.test.is_built_with_cuda():
        reason = f"is built for the CPU alone; uninstall it, then install the other one: {install}"
    elif find_spec("nvidia") is None:
        reason = f"has no CUDA libraries; install them: {install}"
    else:
        reason = (
            "has CUDA libraries but cannot start the GPU, and says above why: the driver may be "
            "too old, or this is a container without its GPUs (docker run --gpus all)"
        )
    return (
        f"there is an NVIDIA GPU ({sign}), but it is not used: this TensorFlow {reason}. "
        "CUDA_VISIBLE_DEVICES=-1 hides the GPU and this warning"
    )


def should_compile(xla: str, *, one_length: bool) -> bool:
    """True if the training step is to be compiled with XLA.

    Args:
        xla: Value of the flag: "true", "false", or "auto".
        one_length: Whether all batches are padded to the same length. If not, "auto" compiles for
            TPUs alone: on a GPU, XLA tries kernels for a minute or two for each length.
    """
    if xla != "auto":
        return xla == "true"
    return _kind() == "TPU" or (_kind() == "GPU" and one_length)


def memory_limit() -> int | None:
    """Bytes that one device may use: the smallest GPU's memory, or half of the host's free memory.

    None if unknown: on TPUs, and on hosts that are not Linux.
    """
    if _kind() == "TPU":
        return None
    if _kind() == "GPU":
        return _gpu_memory()
    free = free_host_memory()
    return None if free is None else int(free * _HOST_SHARE)


def free_host_memory(root: str = "/") -> int | None:
    """Bytes of free memory on this host or in this container; None if unknown."""
    try:
        lines = pathlib.Path(root, "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    limits = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    for path in _CONTAINER_LIMITS:
        try:
            limits.append(int(pathlib.Path(root, path).read_text()))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return min(limits, default=None)


def _kind() -> str:
    return local_devices()[0].device_type


def _gpu_memory() -> int:
    # The allocator may use less than the card has; no call of TensorFlow 2 returns its limit.
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        devices = session.list_devices()
    return min(device.memory_limit_bytes for device in devices if device.device_type == "GPU")
