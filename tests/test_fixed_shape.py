"""Exports for batches of one size alone: results, sizes in the files, prediction, refusals."""

import os

import numpy as np
import onnx
import pytest
import small
from ai_edge_litert.interpreter import Interpreter
from test_exchange import small_config, write_model

import albert_zh
from albert_zh.export.benchmark import benchmark_export
from albert_zh.export.bundle import export_model
from albert_zh.export.options import BenchmarkOptions
from albert_zh.export.source import load_source
from albert_zh.finetuning.run import fine_tune

FORMATS = ("tflite", "onnx", "frozen_graph", "saved_model")


def export(source, directory, *formats, **settings):
    return export_model(source, export_dir=str(directory), formats=formats, **settings)


@pytest.mark.parametrize("kind", ["classification", "regression", "tagging", "reading", "encoder"])
def test_every_format_gives_the_results_of_the_checkpoint(kind, tmp_path):
    is_encoder = kind == "encoder"
    run = write_model(tmp_path / "run", small_config(), kind=None if is_encoder else kind)
    source = load_source(run, is_encoder=is_encoder)
    manifest = export(source, tmp_path / "export", *FORMATS, fixed_shape=(3, 16))
    for row in manifest["formats"].values():
        assert max(row["largest_difference"].values()) < 1e-5
        assert list(row["milliseconds"]) == ["16 tokens"]


def test_files_have_the_sizes(tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config(), kind="classification"))
    export(source, tmp_path / "export", *FORMATS, fixed_shape=(2, 16))
    graph = onnx.load(str(tmp_path / "export" / "model.onnx")).graph
    for value in graph.input:
        assert [each.dim_value for each in value.type.tensor_type.shape.dim] == [2, 16]
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_value == 2
    run = Interpreter(str(tmp_path / "export" / "model.tflite")).get_signature_runner()
    for details in run.get_input_details().values():
        assert details["shape_signature"].tolist() == [2, 16]


def test_predictor_takes_any_number_of_texts_of_any_length(tmp_path):
    task = small.write_task(tmp_path)
    small.write_vocabulary(tmp_path)
    options = small.fine_tuning_options(task, tmp_path / "out", num_train_epochs=1.0)
    fine_tune(options)
    source = load_source(options.output_dir)
    data = {
        "eval_data": os.path.join(options.data_dir, "dev.txt"),
        "calibration_data": os.path.join(options.data_dir, "train.txt"),
        "largest_loss": 1.0,
    }
    formats = ("onnx", "tflite_full_int8")
    manifest = export(source, tmp_path / "export", *formats, fixed_shape=(4, 24), **data)
    assert manifest["task"]["max_seq_length"] <= 24
    assert manifest["formats"]["onnx"]["scores"]["same_predictions"] == 1.0
    with open(data["eval_data"], encoding="utf-8") as file:
        pairs = [tuple(line.split("\t")[:2]) for line in file][:7]
    expected = [each.probabilities for each in source.predictor().predict(pairs)]
    predictor = albert_zh.load(str(tmp_path / "export"))
    actual = [each.probabilities for each in predictor.predict(pairs)]
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert len(predictor.predict([("我" * 50, "你")])) == 1


def test_benchmark_measures_the_only_size(tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config(), kind="classification"))
    path = str(tmp_path / "export")
    export(source, path, "onnx", "tflite", fixed_shape=(2, 16))
    lines = benchmark_export(BenchmarkOptions(export_dir=path, seconds=0.0, rounds=1))
    (row,) = (line for line in lines if "| onnx " in line)
    assert [cell.strip() for cell in row.split("|")[1:3]] == ["16", "2"]
    assert any("--input_layer_shape=2,16:2,16:2,16" in line for line in lines)
    with pytest.raises(ValueError, match="batches of 2 x 16 tokens alone; leave out --lengths"):
        benchmark_export(BenchmarkOptions(export_dir=path, lengths="32"))


@pytest.mark.parametrize(
    ("kind", "formats", "shape", "message"),
    [
        ("classification", ["transformers"], (1, 16), "transformers has no fixed sizes"),
        ("classification", ["onnx"], (1, 4000), "--fixed_shape: the model reads at most 40"),
        ("choice", ["onnx"], (1, 16), "--fixed_shape is for models that take nothing but texts"),
        (None, ["onnx"], (1, 16), "--fixed_shape is for models that take nothing but texts"),
    ],
)
def test_impossible_sizes_are_refused(kind, formats, shape, message, tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config(), kind=kind))
    with pytest.raises(ValueError, match=message):
        export(source, tmp_path / "export", *formats, fixed_shape=shape)
    assert not (tmp_path / "export").exists()
