"""The devices that training takes, and how much memory one of them has."""

import pathlib
from collections.abc import Sequence

import tensorflow as tf

# Of what a machine has free that trains on its processors. The rest is for reading and parsing
# records and for other programs.
_HOST_SHARE = 0.5

# Limits of a container, of version 2 and 1 of Linux's control groups.
_CONTAINER_LIMITS = (
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def local_devices() -> Sequence[tf.config.LogicalDevice]:
    """The devices that training takes: TPU cores, else GPUs, else processors; one at least."""
    kinds = map(tf.config.list_logical_devices, ("TPU", "GPU", "CPU"))
    return next(filter(None, kinds))


def is_accelerated() -> bool:
    """Whether training takes more than processors: GPUs or TPU cores."""
    return local_devices()[0].device_type != "CPU"


def should_compile(xla: str) -> bool:
    """Whether XLA compiles the training step.

    Args:
        xla: The flag: "true", "false", or "auto", which compiles for GPUs and TPUs.
    """
    return is_accelerated() if xla == "auto" else xla == "true"


def memory_limit() -> int | None:
    """Bytes that one device may take: the smallest GPU's memory, or half of what the host has free.

    None where nothing tells: on TPUs, and on hosts that are not Linux.
    """
    kind = local_devices()[0].device_type
    if kind == "TPU":
        return None
    if kind == "GPU":
        return _gpu_memory()
    free = free_host_memory()
    return None if free is None else int(free * _HOST_SHARE)


def free_host_memory(root: str = "/") -> int | None:
    """Bytes that programs can still take on this host, or in this container; None if unknown."""
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


def _gpu_memory() -> int:
    # TensorFlow 2 tells nowhere what its allocator may take, which is less than the card has.
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        devices = session.list_devices()
    return min(device.memory_limit_bytes for device in devices if device.device_type == "GPU")
