"""Latency, throughput and memory of the formats of an export, side by side.

Each format runs in a process of its own, and the processes take turns, so that other work on the
machine slows down all of them.
"""

import contextlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from absl import logging

import albert_zh
from albert_zh.export import latency
from albert_zh.export.benchmark_report import (
    Case,
    Measured,
    Results,
    as_json,
    draw,
    phone_lines,
    table_lines,
)
from albert_zh.export.directory import MANIFEST
from albert_zh.export.options import BenchmarkOptions
from albert_zh.util.files import atomic_write, write_json
from albert_zh.util.json_objects import read_object
from albert_zh.util.new_directory import new_directory

_NO_RUNTIME = "checkpoint"  # is for training
_NEEDS = {  # module of formats, by the beginning of their names
    "tflite": "ai_edge_litert",
    "onnx": "onnxruntime",
    "transformers": "transformers",
    "saved_model_text": "tensorflow_text",
}


def benchmark_export(options: BenchmarkOptions) -> list[str]:
    """Measure the formats of an export; return the lines to print.

    Raises:
        FileNotFoundError: There is no such export.
        ValueError: It has none of the formats, or a format cannot run.
    """
    path = _manifest_path(options.export_dir)
    manifest = read_object(path)
    if not isinstance(manifest.get("formats"), dict) or "config" not in manifest:
        raise ValueError(f"{path} is damaged; export again")
    formats = _formats(options, manifest)
    results: Results = {}
    for threads in options.numbers("threads"):
        results |= _measure(options, manifest, formats, threads)
    lines = [*table_lines(results), *phone_lines(options.export_dir, manifest)]
    if options.output_dir:
        with new_directory(options.output_dir, overwrite=False) as directory:
            with atomic_write(os.path.join(directory, "benchmark.md"), "w") as file:
                file.write("\n".join(lines) + "\n")
            write_json(os.path.join(directory, "benchmark.json"), as_json(results))
            draw(os.path.join(directory, "benchmark.png"), results)
        lines.append(f"wrote table, numbers and picture to {options.output_dir}")
    return lines


def _manifest_path(export_dir: str) -> str:
    path = os.path.join(export_dir, MANIFEST)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"--export_dir={export_dir} is no export: it holds no {MANIFEST}; make one with "
            "scripts/export_model.py"
        )
    return path


def _formats(options: BenchmarkOptions, manifest: Mapping[str, Any]) -> list[str]:
    """The formats to measure; those whose runtime is missing are left out, with a word."""
    present = [name for name in manifest["formats"] if name != _NO_RUNTIME]
    if options.formats:
        wanted = [name.strip() for name in options.formats.split(",")]
        if unknown := [name for name in wanted if name not in present]:
            raise ValueError(
                f"--formats: {options.export_dir} has no {unknown[0]} to measure, but "
                f"{', '.join(present)}"
            )
        return wanted
    chosen = []
    for name in present:
        module = next((each for begin, each in _NEEDS.items() if name.startswith(begin)), None)
        is_elsewhere = name == "transformers" and options.against_python
        # TensorFlow has a copy of LiteRT.
        if is_elsewhere or module in (None, "ai_edge_litert") or importlib.util.find_spec(module):
            chosen.append(name)
        else:
            logging.warning("%s is left out: this Python has no %s", name, module)
    return chosen


def _measure(
    options: BenchmarkOptions, manifest: Mapping[str, Any], formats: Sequence[str], threads: int
) -> Results:
    cases = [Case(length, batch, threads) for length, batch in _sizes(options, manifest)]
    longest = manifest["config"]["max_position_embeddings"]
    if any(case.length > longest for case in cases):
        raise ValueError(f"--lengths={options.lengths}: the model reads at most {longest} tokens")
    results: Results = {case: {name: Measured() for name in formats} for case in cases}
    with contextlib.ExitStack() as stack:
        children = {
            name: stack.enter_context(_child(options, manifest, name, threads)) for name in formats
        }
        for _, case, name in itertools.product(range(options.rounds), cases, formats):
            answer = children[name].measure(_wanted(case, manifest, options.seconds))
            measured = results[case][name]
            measured.seconds += answer["seconds"]
            measured.peak_mb = answer["peak_mb"]
            measured.until_first = measured.until_first or answer["until_first"]
    return results


def _sizes(options: BenchmarkOptions, manifest: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Tokens and texts of each case."""
    fixed = manifest.get("shape")
    if not fixed:
        lengths = options.numbers("lengths") or [32, 128]
        return list(itertools.product(lengths, options.numbers("batch_sizes") or [1]))
    for name, size in zip(("batch_sizes", "lengths"), fixed, strict=True):
        if options.numbers(name) not in ([], [size]):
            raise ValueError(
                f"the export takes batches of {fixed[0]} x {fixed[1]} tokens alone; leave out "
                f"--{name}"
            )
    return [(fixed[1], fixed[0])]


def _wanted(case: Case, manifest: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    task, shape = manifest["task"], [case.batch, case.length]
    if task and task["kind"] == "choice":
        shape = [case.batch, len(task["labels"]), case.length]
    return {
        "shape": shape,
        "masks": 0 if task else 1,
        "vocab_size": manifest["config"]["vocab_size"],
        "seconds": seconds,
    }


class _Child:
    """A process that has loaded one format."""

    def __init__(self, python: str, spec: Mapping[str, Any]):
        self._spec = spec
        self.process = subprocess.Popen(
            [python, latency.__file__, json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.path.dirname(os.path.dirname(albert_zh.__file__)),
                "CUDA_VISIBLE_DEVICES": "",
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "OMP_NUM_THREADS": str(spec["threads"]),
            },
        )
        self._read()

    def measure(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        return json.loads(self._read())

    def _read(self) -> str:
        line = self.process.stdout.readline()
        if line and (error := json.loads(line).get("error")):
            raise ValueError(f"the format {self._spec['format']} cannot run here: {error}")
        if not line:
            code = self.process.wait()
            raise ValueError(
                f"the format {self._spec['format']} cannot run here: its process ended with code "
                f"{code}, for the reason above; leave it out of --formats"
            )
        return line


@contextlib.contextmanager
def _child(
    options: BenchmarkOptions, manifest: Mapping[str, Any], name: str, threads: int
) -> Iterator[_Child]:
    path = os.path.join(os.path.abspath(options.export_dir), manifest["formats"][name]["file"])
    is_theirs = name == "transformers" and options.against_python
    python = options.against_python if is_theirs else sys.executable
    child = _Child(python, {"format": name, "path": path, "threads": threads})
    try:
        yield child
    finally:
        child.process.stdin.close()
        child.process.wait()
