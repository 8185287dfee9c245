"""Frozen graphs and checkpoints in another TensorFlow: 1.15, where TF115_PYTHON names one."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from test_exchange import small_config, write_model

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.export.bundle import export_model
from albert_zh.export.check import varied_batches
from albert_zh.export.source import load_source

SCRIPT = pathlib.Path(__file__).parent / "frozen_graph_outputs.py"


def python_of(version):
    if version == "this one":
        return sys.executable
    if "TF115_PYTHON" not in os.environ:
        pytest.skip("TF115_PYTHON names no Python with TensorFlow 1.15")
    return os.environ["TF115_PYTHON"]


@pytest.mark.parametrize("version", ["this one", "1.15"])
def test_graph_runs_and_checkpoint_is_read(version, tmp_path):
    python = python_of(version)
    run = write_model(tmp_path / "run", small_config("brightmart"), kind="classification")
    source = load_source(run)
    export_model(source, export_dir=str(tmp_path / "export"), formats=["frozen_graph"])
    batch = varied_batches(source.config)[2]
    np.savez(tmp_path / "inputs.npz", **batch)
    files = [tmp_path / "export" / "frozen_graph.pb", f"{run}/model.ckpt"]
    files += [tmp_path / "inputs.npz", tmp_path / "outputs.npz"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([python, SCRIPT, *map(str, files)], check=True, timeout=120, env=environment)
    with np.load(tmp_path / "outputs.npz") as arrays:
        found = dict(arrays)
    if version == "1.15":
        assert str(found["version"]).startswith("1.15")
    expected = source.outputs(batch)["probabilities"]
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    stored = read_arrays(source.prefix, read_shapes(source.prefix))
    sums = {f"sum of {name}": array.astype(np.float64).sum() for name, array in stored.items()}
    assert sums.keys() <= found.keys()
    for name, value in sums.items():
        np.testing.assert_allclose(found[name], value, atol=1e-9, err_msg=name)
