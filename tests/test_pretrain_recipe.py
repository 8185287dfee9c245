"""scripts/pretrain_recipe.sh: warm start, records of two lengths, two runs."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import small

from albert_zh.checkpoint.files import read_meta
from albert_zh.checkpoint.names import POSITIONS
from albert_zh.checkpoint.positions import continue_positions

ROOT = pathlib.Path(__file__).parent.parent
WORDS = "bert/embeddings/word_embeddings"


def script(*flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", ROOT / "scripts" / "pretrain_recipe.sh", *flags],
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
    )


def test_each_stage_starts_from_the_one_before(tmp_path):
    config = {
        "embedding_size": 16,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "max_position_embeddings": 128,
    }
    corpus = small.write_corpus(tmp_path)
    flags = {
        "input_file": corpus,
        "validation_file": corpus,
        "vocab_file": small.write_vocabulary(tmp_path),
        "bert_config_file": small.write_config(tmp_path, **config),
        "output_dir": tmp_path / "out",
        "segmenter": "none",
        "num_train_steps": 20,
        "train_batch_size": 5,
        "lengths": "64,128",
        "save_checkpoints_steps": 100,
    }
    done = script(*(f"--{name}={value}" for name, value in flags.items()))
    assert done.returncode == 0, done.stderr
    short, long = (
        read_meta(str(tmp_path / "out" / name))
        for name in ("phase_64/model.ckpt-18", "phase_128/model.ckpt-2")
    )
    assert [meta["options"]["train_batch_size"] for meta in (short, long)] == [5, 3]
    assert [meta["options"]["learning_rate"] for meta in (short, long)] == [1.6e-3, 8e-4]
    for first, last in (
        ("phase_64/model.ckpt-0", "warm_start/model.ckpt"),
        ("phase_128/model.ckpt-0", "phase_64/model.ckpt-18"),
    ):
        words = (small.arrays(tmp_path / "out" / name)[WORDS] for name in (first, last))
        np.testing.assert_array_equal(*words)
    first, last = (
        small.arrays(tmp_path / "out" / name)[POSITIONS]
        for name in ("phase_64/model.ckpt-18", "phase_128/model.ckpt-0")
    )
    np.testing.assert_array_equal(last, continue_positions(first, 64, source="phase_64"))
    rows = (tmp_path / "out" / "phase_64" / "history.jsonl").read_text().splitlines()
    assert "validation_masked_lm_loss" in rows[0]
    again = script(*(f"--{name}={value}" for name, value in flags.items()))
    assert again.returncode == 0, again.stderr
    assert "at step 2 of 2: nothing to train" in again.stderr
    fewer = script(
        *(f"--{name}={value}" for name, value in {**flags, "num_train_steps": 10}.items())
    )
    assert fewer.returncode == 1
    assert "--num_train_steps=10 gives phase_64 9 steps, but it has 18 in" in fewer.stderr


def test_missing_flags_are_named(tmp_path):
    done = script("--input_file=corpus", f"--output_dir={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.startswith("error: missing: --vocab_file=... --bert_config_file=...; ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": "128,512"}, "--lengths=128,512: the model of .*.json has 64 positions"),
        ({"validation_file": "nosuch.txt"}, "there is no file nosuch.txt"),
        ({"bert_config_file": "vocab.txt"}, "vocab.txt"),
    ],
)
def test_files_that_do_not_fit_are_refused_at_once(tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(tmp_path)
    flags = {
        "input_file": small.write_corpus("."),
        "vocab_file": small.write_vocabulary("."),
        "bert_config_file": small.write_config(".", max_position_embeddings=64),
        "output_dir": "out",
        **changes,
    }
    done = script(*(f"--{name}={value}" for name, value in flags.items()))
    assert done.returncode == 1
    assert re.match(f"error: .*{message}", done.stderr)
    assert not os.path.exists("out")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--num_train_steps=abc", "--num_train_steps=abc is not a whole number above 0"),
        ("--num_train_steps=x[$(touch${IFS}made)]", "--num_train_steps=x"),
        ("--num_train_steps=5", "--num_train_steps=5: .* at least 10 steps"),
        ("--train_batch_size=0", "--train_batch_size=0 is not a whole number above 0"),
        ("--learning_rate=fast", "--learning_rate=fast is not a number"),
        ("--lengths=128", "--lengths=128: it has to be two different numbers"),
        ("--lengths=128,128", "--lengths=128,128: it has to be two different numbers"),
        ("--validation_file=", "--validation_file= has no value; give one, or leave the flag out"),
        ("--output_dir out", "the value of a flag follows after an equals sign: --output_dir=..."),
    ],
)
def test_wrong_values_are_refused_at_once(tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    paths = [f"--{name}=x" for name in ("input_file", "vocab_file", "bert_config_file")]
    done = script(*paths, "--output_dir=out", *flags.split(" "))
    assert done.returncode == 1
    assert re.match(f"error: {message}", done.stderr)
    assert os.listdir() == []
