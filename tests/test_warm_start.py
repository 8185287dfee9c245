"""scripts/warm_start.py: initial weights with word vectors of the corpus."""

import os
import subprocess
import sys

import numpy as np
import pytest
import small
from small_pretraining import ROOT, options

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.pretraining.run import pretrain

WORDS = "bert/embeddings/word_embeddings"
BIAS = "cls/predictions/output_bias"


def warm_start(directory, output, **changes):
    flags = {
        "input_file": os.path.join(directory, "corpus.txt"),
        "vocab_file": os.path.join(directory, "vocab.txt"),
        "bert_config_file": small.write_config(directory),
        "output_dir": output,
        "num_workers": 1,
        **changes,
    }
    command = [sys.executable, os.path.join(ROOT, "scripts", "warm_start.py")]
    command += [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """The result for the small corpus, of both lineages."""
    root = tmp_path_factory.mktemp("warm")
    outputs = {}
    for name, changes in (("brightmart", {}), ("google", {"num_hidden_groups": 1})):
        config = small.write_config(root, name=f"{name}.json", num_hidden_layers=1, **changes)
        outputs[name] = str(root / name)
        done = warm_start(data, outputs[name], bert_config_file=config)
        assert done.returncode == 0, done.stderr
        outputs[f"{name} text"] = done.stdout
    return outputs


@pytest.mark.parametrize("lineage", ["brightmart", "google"])
def test_rows_and_bias_come_from_the_corpus_and_the_rest_is_random(data, made, lineage):
    with open(os.path.join(data, "corpus.txt"), encoding="utf-8") as file:
        text = file.read()
    prefix = os.path.join(made[lineage], "model.ckpt")
    arrays = read_arrays(prefix, read_shapes(prefix))
    table, bias = arrays[WORDS], arrays[BIAS]
    counts = np.array([text.count(entry) if len(entry) == 1 else 0 for entry in small.VOCABULARY])
    expected = np.log((counts + 1) / (counts + 1).sum())
    np.testing.assert_allclose(bias, expected, rtol=1e-5)
    # Question words stand in the same places, so they are nearer to each other than to cities.
    rows = table / np.linalg.norm(table, axis=1, keepdims=True)
    cities, questions = (
        rows[[small.VOCABULARY.index(each) for each in group]]
        for group in (small.CITIES, small.QUESTIONS)
    )
    within = (questions @ questions.T)[np.triu_indices(len(questions), 1)]
    assert within.mean() > (cities @ questions.T).mean() + 0.2
    flags = {"bert_config_file": f"{made[lineage]}.json", "num_workers": 2}
    assert warm_start(data, f"{made[lineage]} again", **flags).returncode == 0
    for name, array in read_arrays(f"{made[lineage]} again/model.ckpt", arrays).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_summary_tells_what_is_covered(made):
    text = made["brightmart text"]
    assert "0.00 % unknown to the vocabulary" in text
    assert f"of {len(small.VOCABULARY)} entries get vectors; 100.00 % of the tokens" in text
    assert "12 entries do not occur in the corpus" in text


def test_pretraining_starts_from_it(data, made, tmp_path):
    run = options(data, tmp_path / "run", init_checkpoint=made["brightmart"], num_train_steps=1)
    pretrain(run)
    first = read_arrays(str(tmp_path / "run" / "model.ckpt-0"), [WORDS])
    written = read_arrays(os.path.join(made["brightmart"], "model.ckpt"), [WORDS])
    np.testing.assert_array_equal(first[WORDS], written[WORDS])


def test_bad_input_is_named(data, tmp_path):
    config = small.write_config(tmp_path, embedding_size=64)
    few = warm_start(data, str(tmp_path / "a"), bert_config_file=config)
    assert few.returncode == 1
    assert "an embedding_size of 64 needs at least as many" in few.stderr
    assert not os.listdir(tmp_path / "a")
    other = small.write_config(tmp_path, name="other.json", vocab_size=99)
    wrong = warm_start(data, str(tmp_path / "b"), bert_config_file=other)
    assert wrong.returncode == 1
    assert "says vocab_size 99" in wrong.stderr
    assert not (tmp_path / "b").exists()
    full = warm_start(data, str(data))
    assert full.returncode == 1
    assert "is not empty; choose a new one" in full.stderr
