"""Compile the pretraining step with the TPU compiler, on a machine without a TPU.

  python scripts/check_tpu.py --bert_config_file=albert_config/albert_config_tiny.json \\
    --batch_size=64 --max_seq_length=128

After some minutes it prints that a TPU can run the step, with its memory and number of operations,
or it names an operation that a TPU cannot run. It needs the extra tpu-check (jax and libtpu;
Linux, Python 3.11 or later): pip install '.[tpu-check]'

The program is the part of one core in a step of run_pretraining.py. A real run differs in three
points:
  - the cores sum their gradients over their connections, which takes some memory;
  - TensorFlow translates the step for the compiler with its TPU kernels. The TensorFlow package has
    none, so its CPU kernels are used here;
  - the data comes from the host.
The program is not run, so its speed stays unknown.
"""

import os
import signal
import time
from dataclasses import dataclass

from project import cli

from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.testing.tpu_program import TOPOLOGY, TpuProgram, check_tpu_compiler
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import LAMB, RULES, find_rule


@dataclass(frozen=True)
class CheckOptions:
    """Flags of the step and the TPU."""

    bert_config_file: str = option(
        REQUIRED, "JSON file with the sizes of the model.", alias="albert_config_file", is_file=True
    )
    topology: str = option(
        TOPOLOGY,
        "TPU version and layout of its chips, such as v5e:2x2, v6e:4x4 or v4:2x2x1.",
    )
    batch_size: int = option(
        64, "Examples per core and optimizer step: --train_batch_size / cores.", at_least=1
    )
    micro_batch_size: int | None = option(
        None, "Examples that a core computes at once. Default: all.", at_least=1
    )
    max_seq_length: int = option(128, "Tokens per example.", at_least=1)
    max_predictions_per_seq: int = option(20, "Prediction targets per example.", at_least=1)
    precision: str = option(
        Precision.BFLOAT16.value,
        "Type in which layers compute.",
        choices=[precision.value for precision in Precision],
    )
    optimizer: str = option(LAMB.name, "Update rule.", choices=list(RULES))
    recompute: bool = option(
        False, "Compute layers again in the backward pass instead of storing their values."
    )

    def check(self) -> None:
        ModelConfig.from_json_file(self.bert_config_file)
        check_tpu_compiler()


def main(options: CheckOptions) -> None:
    from albert_zh.testing.step import pretraining_trial
    from albert_zh.testing.tpu_compiler import compile_for_tpu

    trial = pretraining_trial(
        ModelConfig.from_json_file(options.bert_config_file),
        batch_size=options.batch_size,
        micro_batch=options.micro_batch_size,
        max_seq_length=options.max_seq_length,
        max_predictions_per_seq=options.max_predictions_per_seq,
        rule=find_rule(options.optimizer),
        precision=Precision(options.precision),
        recompute=options.recompute,
    )
    print(
        f"{os.path.basename(options.bert_config_file)}, {options.batch_size} x "
        f"{options.max_seq_length} tokens, {options.precision}: compiling for one core of "
        f"{options.topology}; this takes minutes",
        flush=True,
    )
    started = time.monotonic()
    program = compile_for_tpu(trial.trainer.one_step, [trial.batch], topology=options.topology)
    print(f"compiled in {time.monotonic() - started:.0f} s: the TPU can run this\n")
    micro_steps = options.batch_size // (options.micro_batch_size or options.batch_size)
    print(report(program, micro_steps=micro_steps))


def report(program: TpuProgram, *, micro_steps: int) -> str:
    """Table of the program's sizes."""
    memory = {
        "memory": program.memory,
        "  arguments": program.arguments,  # weights, moments, batch
        "  new outputs": program.outputs - program.aliased,
        "  temporaries": program.temporaries,
        "  program": program.code,
    }
    scope = f", with one of {micro_steps} micro steps" if micro_steps > 1 else ""
    lines = [
        *(f"{name:14s} {size / 2**20:10,.1f} MiB" for name, size in memory.items()),
        f"operations     {program.flops / 1e9:10,.1f} GFLOP{scope}",
        f"memory traffic {program.bytes_accessed / 1e9:10,.1f} GB{scope}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    # The compiler runs for minutes without returning to Python; Ctrl-C should not wait for it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli.run(main, CheckOptions, needs_tensorflow=True)
