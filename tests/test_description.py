"""Checkpoints for people: what one holds, where two differ."""

import pathlib

import numpy as np
import pytest
from processes import run_script
from test_exchange import small_config, write_model

from albert_zh.checkpoint.description import compare_checkpoints, inspect_checkpoint
from albert_zh.checkpoint.files import read_arrays, read_shapes, write_checkpoint
from albert_zh.checkpoint.options import CompareOptions, InspectOptions

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "convert_checkpoint.py"


def inspect(path):
    return inspect_checkpoint(InspectOptions(checkpoint=str(path)))


def compare(path, other):
    return compare_checkpoints(CompareOptions(checkpoint=str(path), other=str(other)))


@pytest.fixture
def arrays(tmp_path):
    run = write_model(tmp_path / "run", small_config("brightmart"), kind="classification")
    prefix = f"{run}/model.ckpt"
    return read_arrays(prefix, read_shapes(prefix))


def test_checkpoint_is_described(arrays, tmp_path):
    lines = inspect(tmp_path / "run")
    parameters = sum(array.size for array in arrays.values())
    assert f"brightmart lineage, {parameters:,} parameters in {len(arrays)} arrays" in lines[0]
    assert "step: not stored" in lines[1]
    assert "training state: none" in lines[2]
    assert any("task: task, classification, labels no, perhaps, yes" in line for line in lines)
    assert any("60 entries, SHA-256" in line for line in lines)
    assert any("hidden_size 32" in line for line in lines)
    (row,) = (line for line in lines if "| output_weights " in line)
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["3 x 32", "float32", "96"]


def test_state_of_a_training_and_half_precision_are_told(arrays, tmp_path):
    state = {
        "global_step": np.int64(7),
        "output_bias/adam_m": np.zeros(3, np.float32),
        "output_bias/adam_v": np.zeros(3, np.float32),
    }
    half = {name: array.astype(np.float16) for name, array in arrays.items()}
    write_checkpoint(str(tmp_path / "model.ckpt-7"), {**half, **state}, {})
    lines = inspect(tmp_path / "model.ckpt-7")
    assert "step: 7" in lines[1]
    assert "training state: adam_m (1), adam_v (1), global_step (1)" in lines[2]
    assert all("float16" in line for line in lines if "| bert/" in line)


def test_file_without_an_albert_is_described(tmp_path):
    write_checkpoint(str(tmp_path / "model.ckpt-1"), {"x": np.zeros([2, 3], np.float32)}, {})
    (tmp_path / "model.ckpt-1.meta.json").unlink()
    lines = inspect(tmp_path / "model.ckpt-1")
    assert "no ALBERT, 6 parameters in 1 arrays" in lines[0]
    assert "of another toolkit" in lines[3]


def test_differences_are_listed_the_largest_first(arrays, tmp_path):
    changed = dict(arrays)
    changed["output_weights"] = changed["output_weights"] + np.float32(0.5)
    changed["output_bias"] = changed["output_bias"] + np.float32(2.0)
    changed["bert/pooler/dense/bias"] = np.zeros(5, np.float32)
    changed["loss/new"] = np.zeros(2, np.float32)
    del changed["bert/embeddings/LayerNorm/beta"]
    write_checkpoint(str(tmp_path / "model.ckpt-1"), changed, {})
    lines = compare(tmp_path / "run", tmp_path / "model.ckpt-1")
    assert f"{len(arrays) - 2} weights of the same name and shape" in lines[0]
    text = "\n".join(lines)
    assert f"only in {tmp_path}/run/model.ckpt: bert/embeddings/LayerNorm/beta 32" in text
    assert f"only in {tmp_path}/model.ckpt-1: loss/new 2" in text
    assert "of other shapes: bert/pooler/dense/bias, 32 and 5" in text
    assert f"{len(arrays) - 4} are equal; the others differ:" in text
    rows = [line.split("|")[1:3] for line in lines if line.startswith("| output_")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["output_bias", "2"],
        ["output_weights", "0.5"],
    ]
    assert compare(tmp_path / "run", tmp_path / "run")[-1] == "  their numbers are equal"


def test_equal_numbers_of_other_models_are_not_taken_for_equal_models(arrays, tmp_path):
    few = dict(list(arrays.items())[:3])
    write_checkpoint(f"{tmp_path}/few/model.ckpt", few, {})
    lines = compare(tmp_path / "run", tmp_path / "few")
    assert any("only in" in line for line in lines)
    assert lines[-1] == "  the numbers of these 3 are equal"


def test_missing_checkpoint_is_named_with_its_flag(arrays, tmp_path):
    options = CompareOptions(checkpoint=f"{tmp_path}/run", other=f"{tmp_path}/nosuch")
    with pytest.raises(FileNotFoundError, match="--other"):
        options.check()


def test_script_inspects(arrays, tmp_path):
    flags = ("inspect", f"--checkpoint={tmp_path}/run")
    done = run_script("scripts/convert_checkpoint.py", *flags)
    assert done.returncode == 0, done.stderr
    assert "brightmart lineage" in done.stdout
