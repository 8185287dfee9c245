"""What the script says of a compiled step, and of a missing compiler."""

import importlib.util
import pathlib
import re

import pytest
import small
import tensorflow as tf

from albert_zh.testing import tpu_compiler
from albert_zh.testing.tpu_program import TpuProgram

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "check_tpu.py"
MIB = 2**20
PROGRAM = TpuProgram(
    arguments=51 * MIB,
    outputs=50 * MIB,
    aliased=49 * MIB,
    temporaries=1400 * MIB,
    code=48 * MIB,
    flops=276.62e9,
    bytes_accessed=8.967e9,
)


def load_script():
    spec = importlib.util.spec_from_file_location("check_tpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the script in this process, with batches of 4 x 12 tokens; gives what it prints."""
    options = script.CheckOptions(
        bert_config_file=small.write_config(tmp_path),
        batch_size=4,
        micro_batch_size=2,
        max_seq_length=12,
        max_predictions_per_seq=3,
    )

    def run() -> str:
        options.check()
        script.main(options)
        return capsys.readouterr().out

    return run


def test_the_report_adds_up_what_the_program_takes():
    assert script.report(PROGRAM, micro_steps=1) == (
        "memory            1,500.0 MiB\n"
        "  arguments          51.0 MiB\n"
        "  new outputs         1.0 MiB\n"
        "  temporaries     1,400.0 MiB\n"
        "  program            48.0 MiB\n"
        "operations          276.6 GFLOP\n"
        "memory traffic        9.0 GB"
    )


def test_the_report_says_that_one_micro_step_is_counted():
    assert script.report(PROGRAM, micro_steps=4).endswith(
        "\noperations          276.6 GFLOP, with one of 4 micro steps\n"
        "memory traffic        9.0 GB, with one of 4 micro steps"
    )


def test_the_training_step_of_the_flags_is_compiled(run, monkeypatch):
    compiled = []

    def compile_for_tpu(function, inputs, *, topology):
        compiled.append((function(*inputs), topology))
        return PROGRAM

    monkeypatch.setattr(script, "check_tpu_compiler", lambda: None)
    monkeypatch.setattr(tpu_compiler, "compile_for_tpu", compile_for_tpu)
    started, finished, *table = run().splitlines()
    assert started == (
        "config.json, 4 x 12 tokens, bfloat16: compiling for one core of v5e:2x2; this takes "
        "minutes"
    )
    assert re.fullmatch(r"compiled in \d+ s: the TPU can run this", finished)
    assert "\n".join(table) == "\n" + script.report(PROGRAM, micro_steps=2)
    ((report, topology),) = compiled
    assert topology == "v5e:2x2"
    assert tf.math.is_finite(report.loss)


def test_a_small_step_compiles(run):
    pytest.importorskip("jax", reason="needs the extra tpu-check: jax and libtpu")
    pytest.importorskip("libtpu", reason="needs the extra tpu-check: jax and libtpu")
    assert "the TPU can run this" in run()


def test_a_missing_compiler_is_found_out_first(run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="install it: pip install"):
        run()
