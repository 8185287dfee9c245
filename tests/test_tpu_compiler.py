"""The compiler of TPUs; what it compiles is skipped without jax and libtpu."""

import importlib.util

import pytest
import tensorflow as tf

from albert_zh.testing import tpu_program
from albert_zh.testing.tpu_compiler import compile_for_tpu, lower
from albert_zh.testing.tpu_program import check_tpu_compiler

needs_compiler = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("jax", "libtpu"))),
    reason="needs the extra tpu-check: jax and libtpu",
)


def test_an_operation_that_no_tpu_runs_is_named_with_its_place():
    def shown(x):
        return tf.strings.as_string(x)

    with pytest.raises(
        ValueError, match=r'AsString \(in file ".*test_tpu_compiler.py", line \d+, in shown\)'
    ):
        lower(shown, [tf.ones([2])])


def test_a_mistake_in_the_function_keeps_its_own_message():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        lower(tf.matmul, [tf.ones([1, 2]), tf.ones([3, 1])])


@pytest.mark.parametrize("missing", [["jax"], ["libtpu"], ["jax", "libtpu"]])
def test_without_a_compiler_the_extra_is_named(missing, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        tpu_program.importlib.util,
        "find_spec",
        lambda name: None if name in missing else found("json"),
    )
    with pytest.raises(ValueError, match=f"needs {' and '.join(missing)}, of the extra tpu-check"):
        check_tpu_compiler()


@needs_compiler
def test_variables_are_changed_in_the_memory_of_arguments():
    table = tf.Variable(tf.zeros([256, 1024]))

    def step(batch):
        table.assign_add(batch["x"])
        return tf.reduce_sum(tf.matmul(table, batch["x"], transpose_b=True))

    program = compile_for_tpu(step, [{"x": tf.ones([256, 1024])}])
    assert program.arguments == 2 * 256 * 1024 * 4  # the variable and x
    assert program.aliased == 256 * 1024 * 4
    assert program.outputs - program.aliased < 10_000  # the sum
    assert program.flops == pytest.approx(2 * 256 * 256 * 1024, rel=0.05)
    assert program.bytes_accessed >= program.arguments


@needs_compiler
def test_a_loop_is_counted_for_one_pass():
    def power(x):
        return tf.while_loop(lambda k, _: k < 5, lambda k, y: (k + 1, x @ y), (0, x))[1]

    program = compile_for_tpu(power, [tf.ones([256, 256])])
    assert program.flops == pytest.approx(2 * 256**3, rel=0.05)


@needs_compiler
def test_what_the_compiler_rejects_is_named():
    with pytest.raises(ValueError, match=r"v5 lite cannot run this: .*[cC]128"):
        compile_for_tpu(lambda x: tf.signal.fft(x), [tf.ones([8], tf.complex128)])


@needs_compiler
def test_too_little_memory_is_an_error():
    def total(*tables):
        return tf.add_n([tf.reduce_sum(table) for table in tables])

    tables = [tf.TensorSpec([40_000, 50_000])] * 3
    with pytest.raises(ValueError, match=r"Ran out of memory.*22.37G.* take fewer examples"):
        compile_for_tpu(total, tables)


@needs_compiler
def test_an_unknown_topology_is_an_error():
    with pytest.raises(ValueError, match="there is no TPU topology v9:2x2; one is v5e:2x2"):
        compile_for_tpu(tf.identity, [tf.ones([2])], topology="v9:2x2")
