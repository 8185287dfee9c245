"""Compile a TensorFlow function with the TPU compiler, on a machine without a TPU.

```
function -> HLO -> StableHLO -> program of one TPU core
     TensorFlow  jaxlib     libtpu, ahead of time for a topology
```
If the function compiles, a TPU can run each of its operations and has enough memory. TensorFlow
makes the HLO with its kernels for CPUs, because its package has none for TPUs; most are the same.
"""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.testing.tpu_program import TOPOLOGY, TpuProgram, check_tpu_compiler

# libtpu looks for the TPU of this machine, and for other processes that use it.
_NO_TPU_HERE = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}


def compile_for_tpu(
    function: Callable, inputs: Sequence[Any], *, topology: str = TOPOLOGY
) -> TpuProgram:
    """Compile a function for one core of a topology. For a training step it takes minutes.

    Args:
        function: Plain or a `tf.function`; it may read and assign variables.
        inputs: Its arguments: tensors, their specs, or structures of them.
        topology: Kind of TPU and arrangement of its chips.

    Raises:
        ValueError: There is no such topology; or it cannot run the function, whose message names
            the operation, or has too little memory; or jax or libtpu is not installed.
    """
    check_tpu_compiler()
    core = _first_core(topology)
    program = _compile(lower(function, inputs), core)
    memory, costs = program.get_compiled_memory_stats(), program.cost_analysis()
    return TpuProgram(
        arguments=memory.argument_size_in_bytes,
        outputs=memory.output_size_in_bytes,
        aliased=memory.alias_size_in_bytes,
        temporaries=memory.temp_size_in_bytes,
        code=memory.generated_code_size_in_bytes,
        flops=costs.get("flops", 0.0),
        bytes_accessed=costs["bytes accessed"],
    )


def _first_core(topology: str):
    for name, value in _NO_TPU_HERE.items():
        os.environ.setdefault(name, value)
    from jax.errors import JaxRuntimeError
    from jax.experimental import topologies

    try:
        description = topologies.get_topology_desc(platform="tpu", topology_name=topology)
    except JaxRuntimeError as error:
        raise ValueError(
            f"there is no TPU topology {topology}; one is v5e:2x2, v6e:4x4 or v4:2x2x1 ({error})"
        ) from None
    return description.devices[0]


def lower(function: Callable, inputs: Sequence[Any]) -> bytes:
    """The HLO of a function, its variables being further arguments.

    Args:
        function: As for `compile_for_tpu`.
        inputs: As for `compile_for_tpu`.

    Raises:
        ValueError: It has an operation that cannot be compiled, which is named.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)
    stages = compiled.experimental_get_compiler_ir(*inputs)
    try:
        return stages(stage="hlo_serialized")
    except ValueError as error:
        names = re.findall(r"No registered '(\w+)'", str(error))
        places = re.findall(r'^File (".*)$', str(error), flags=re.MULTILINE)
        if not (names and places):
            raise
        raise ValueError(
            f"no TPU can run the TensorFlow operation {names[0]} (in file {places[-1]})"
        ) from None


def _compile(hlo: bytes, core):
    """An executable of one replica, which this machine cannot load."""
    from jax.errors import JaxRuntimeError
    from jax.interpreters.mlir import make_ir_context
    from jaxlib import xla_client
    from jaxlib.mlir import ir

    options = xla_client.CompileOptions()
    options.device_assignment = xla_client.DeviceAssignment.create(np.array([[0]]))
    with make_ir_context():
        module = ir.Module.parse(xla_client._xla.mlir.hlo_to_stablehlo(hlo))
        _remove_copies(module)
        try:
            return core.client.compile(module, xla_client.DeviceList((core,)), options)
        except JaxRuntimeError as error:
            # Below the first line stands where in TensorFlow it was made, or what is in memory.
            reason = str(error).partition("\n")[0].rstrip(".")
            way_out = "; take fewer examples at once" * reason.startswith("RESOURCE_EXHAUSTED")
            raise ValueError(f"{core.device_kind} cannot run this: {reason}{way_out}") from None


def _remove_copies(module) -> None:
    """Remove `mhlo.copy`, which is no StableHLO; the compiler puts copies where it needs them.

    TensorFlow copies variables it returns changed.
    """
    from jaxlib.mlir import ir

    copies = []

    def visit(operation):
        if operation.name == "mhlo.copy":
            copies.append(operation)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for copy in copies:
        copy.results[0].replace_all_uses_with(copy.operands[0])
        copy.erase()
