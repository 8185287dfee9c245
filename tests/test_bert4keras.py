"""Checkpoints of google's lineage in bert4keras, where BERT4KERAS_PYTHON names a Python with it."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from test_exchange import import_folder, small_config, write_model, write_theirs

from albert_zh.export.source import load_source

PYTHON = os.environ.get("BERT4KERAS_PYTHON")
SCRIPT = pathlib.Path(__file__).parent / "bert4keras_outputs.py"

pytestmark = pytest.mark.skipif(not PYTHON, reason="BERT4KERAS_PYTHON names no Python with it")


def batch_of(config):
    random = np.random.default_rng(0)
    ids = random.integers(5, config.vocab_size, [3, 12]).astype(np.int32)
    ids[1, 7:] = 0  # It takes entry 0 for padding.
    positions = np.arange(12)
    return {
        "input_ids": ids,
        "input_mask": (ids > 0).astype(np.int32),
        "segment_ids": np.where(ids > 0, positions > 4, 0).astype(np.int32),
        "masked_lm_positions": np.tile(positions, [3, 1]).astype(np.int32),
    }


@pytest.mark.parametrize("lineage", ["google", "brightmart"])
def test_it_reads_a_checkpoint_and_gives_its_outputs(lineage, tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config(lineage)))
    batch = batch_of(source.config)
    expected = source.outputs(batch)
    prefix, config = source.prefix, source.config
    if lineage == "brightmart":  # It knows google's layout alone.
        theirs = write_theirs(str(tmp_path / "run"), tmp_path / "theirs")
        import_folder(theirs, str(tmp_path / "back"))
        source = load_source(str(tmp_path / "back"))
        prefix, config = source.prefix, source.config
    (tmp_path / "albert_config.json").write_text(json.dumps(config.to_dict()))
    np.savez(tmp_path / "inputs.npz", **batch)
    files = [tmp_path / "albert_config.json", prefix, tmp_path / "inputs.npz", tmp_path / "o.npz"]
    # TensorFlow 2 sets the last of these, which its predecessor obeys.
    settings = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TF2_BEHAVIOR": "0"}
    subprocess.run(
        [PYTHON, SCRIPT, *map(str, files)], check=True, timeout=300, env={**os.environ, **settings}
    )
    with np.load(tmp_path / "o.npz") as outputs:
        for name, actual in outputs.items():
            is_text = batch["input_mask"] == 1 if actual.ndim == 3 else slice(None)
            np.testing.assert_allclose(
                actual[is_text], expected[name][is_text], atol=1e-5, err_msg=name
            )
