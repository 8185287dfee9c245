"""The processor of this machine, to be named beside what was measured on it."""

import contextlib

from albert_zh.util.process_pool import available_cores


def processor_name() -> str:
    """Name of the processor, and how many cores this process may use."""
    names: list[str] = []
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {available_cores()} cores"
