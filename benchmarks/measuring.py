"""The environment of the programs that a benchmark starts."""

import os

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
