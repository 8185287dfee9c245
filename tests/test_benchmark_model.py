"""scripts/benchmark_model.py: every format that can run here is measured in its own process."""

import json
import os
import pathlib
import subprocess

import pytest
from processes import run_script
from test_exchange import small_config, write_model

from albert_zh.export.benchmark import benchmark_export
from albert_zh.export.bundle import export_model
from albert_zh.export.options import BenchmarkOptions
from albert_zh.export.source import load_source

ROOT = pathlib.Path(__file__).parent.parent
FORMATS = ("saved_model", "tflite", "onnx")


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    directory = tmp_path_factory.mktemp("benchmark")
    run = write_model(directory / "run", small_config(), kind="classification")
    export_model(load_source(run), export_dir=str(directory / "export"), formats=FORMATS)
    return str(directory / "export")


def options(export, **others):
    made = BenchmarkOptions(export_dir=export, seconds=0.0, rounds=1, **others)
    made.check()
    return made


@pytest.mark.pictures
def test_formats_are_measured_in_all_cases(export, tmp_path):
    output_dir = str(tmp_path / "out")
    lines = benchmark_export(options(export, lengths="8,16", output_dir=output_dir))
    with open(os.path.join(output_dir, "benchmark.json"), encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    assert len(cases) == 2 * len(FORMATS)
    assert {(case["length"], case["batch"], case["threads"]) for case in cases} == {
        (8, 1, 1),
        (16, 1, 1),
    }
    for case in cases:
        assert 0 < case["p50_ms"] <= case["p95_ms"]
        assert case["runs"] >= 10
        assert case["memory_mb"] > 10
        assert case["first_result_s"] > 0
    by_format = {case["format"]: case for case in cases}
    assert by_format["onnx"]["memory_mb"] < by_format["saved_model"]["memory_mb"] / 2
    assert sum(line.startswith("|") for line in lines) == 2 + len(cases)
    assert any("adb shell" in line and "model.tflite" in line for line in lines)
    for name in ("benchmark.md", "benchmark.png"):
        assert os.path.getsize(os.path.join(output_dir, name)) > 100


@pytest.mark.parametrize("kind", [None, "choice"])
def test_models_with_further_inputs_are_measured(kind, tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind=kind)
    export_model(load_source(run), export_dir=str(tmp_path / "export"), formats=["onnx"])
    lines = benchmark_export(options(str(tmp_path / "export"), lengths="8"))
    assert any("| onnx " in line for line in lines)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"against_python": "no/python"}, "--against_python=no/python is no program"),
        ({"threads": "1,4000"}, "--threads=1,4000: there are [0-9]+ cores"),
        ({"batch_sizes": ""}, "--batch_sizes= has to list"),
        ({"lengths": "8,x"}, r"--lengths=8,x has to list whole numbers from 1 on"),
        ({"threads": "0"}, r"--threads=0 has to list"),
        ({"formats": "onnx,caffe"}, r"has no caffe to measure, but saved_model, tflite, onnx"),
        ({"lengths": "4000"}, r"the model reads at most 40 tokens"),
    ],
)
def test_impossible_cases_are_errors(flags, message, export):
    with pytest.raises(ValueError, match=message):
        benchmark_export(options(export, **flags))


def test_damaged_list_of_an_export_is_named(tmp_path):
    (tmp_path / "export.json").write_text("{}")
    with pytest.raises(ValueError, match=r"export\.json is damaged; export again"):
        benchmark_export(options(str(tmp_path)))


def test_format_that_cannot_run_is_named(export, tmp_path):
    made = tmp_path / "copy"
    subprocess.run(["cp", "-r", export, made], check=True)
    (made / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"the format onnx cannot run here: .*--formats"):
        benchmark_export(options(str(made), formats="onnx", lengths="8"))


def test_folder_without_an_export_is_an_error(tmp_path):
    done = run_script("scripts/benchmark_model.py", f"--export_dir={tmp_path}")
    assert done.returncode == 1
    assert "is no export: it holds no export.json" in done.stderr
