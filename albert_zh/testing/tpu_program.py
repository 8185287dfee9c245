"""A program of one TPU core as its compiler describes it. No TensorFlow."""

import importlib.util
from typing import NamedTuple

TOPOLOGY = "v5e:2x2"


class TpuProgram(NamedTuple):
    """Costs of a program of one core, as the compiler states them; sizes in bytes."""

    arguments: int  # variables and inputs
    outputs: int  # new values of the variables, and results
    aliased: int  # of the outputs, those that take the memory of arguments
    temporaries: int
    code: int
    flops: float  # a loop's counted for one pass
    bytes_accessed: float  # between memory and core; a loop's for one pass

    @property
    def memory(self) -> int:
        """Memory of the whole program."""
        return self.arguments + self.outputs - self.aliased + self.temporaries + self.code


def check_tpu_compiler() -> None:
    """Fail before the long work if there is no compiler.

    Raises:
        ValueError: There is none; the message says what to install.
    """
    missing = [package for package in ("jax", "libtpu") if not importlib.util.find_spec(package)]
    if missing:
        raise ValueError(
            f"compiling for a TPU needs {' and '.join(missing)}, of the extra tpu-check (Linux, "
            "Python 3.11 or later); install it: pip install '.[tpu-check]'"
        )
