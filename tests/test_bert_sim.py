"""similarity.py at the root: the published interface."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from test_exchange import small_config, write_model
from test_predictors import PAIRS

import albert_zh
from albert_zh.checkpoint.files import meta_path
from similarity import BertSim


@pytest.fixture
def run(tmp_path):
    return write_model(
        tmp_path / "run",
        small_config("brightmart"),
        kind="classification",
        labels=("0", "1"),
        num_texts=2,
    )


def test_sentences_have_both_probabilities(run):
    sim = BertSim(output_dir=run)
    with pytest.raises(ValueError, match=r"call start_model\(\) first"):
        sim.predict_sentences(PAIRS)
    sim.start_model()
    found = sim.predict_sentences(PAIRS)
    expected = [each.probabilities for each in albert_zh.load(run).predict(PAIRS)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sim.predict_sentences([]).shape == (0, 2)


def test_longer_pairs_are_cut(run):
    sim = BertSim(output_dir=run, max_seq_len=5)
    sim.start_model()
    long, short = ("一丁" * 4, "丂" * 9), ("一", "丂")
    np.testing.assert_allclose(
        sim.predict_sentences([long]), sim.predict_sentences([short]), atol=1e-6
    )


def test_checkpoint_of_the_published_code_takes_its_configuration(run, tmp_path):
    expected = BertSim(output_dir=run)
    expected.start_model()
    config = tmp_path / "config.json"
    prefix = os.path.join(run, "model.ckpt")
    with open(meta_path(prefix), encoding="utf-8") as file:
        config.write_text(json.dumps(json.load(file)["config"]), encoding="utf-8")
    os.unlink(meta_path(prefix))
    sim = BertSim(output_dir=prefix, config_name=str(config))
    sim.start_model()
    np.testing.assert_allclose(
        sim.predict_sentences(PAIRS), expected.predict_sentences(PAIRS), atol=1e-6
    )


def test_program_is_that_of_the_scripts(run):
    root = os.path.join(os.path.dirname(__file__), "..")
    command = [sys.executable, os.path.join(root, "similarity.py"), f"--model={run}"]
    done = subprocess.run([*command, "--text=一\t丁"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["一", "丁"]
