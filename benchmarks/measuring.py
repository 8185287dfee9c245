"""The processor, and the environment of the programs that a benchmark starts."""

import os
import pathlib

from project import ROOT


def program_environment() -> dict[str, str]:
    """Environment of a program that is measured on processors and finds the package of this clone.

    A script looks for the package beside itself first.
    """
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def processor_name() -> str:
    """Name and number of the processors that this process may use."""
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {len(os.sched_getaffinity(0))} cores"
