"""Filling [MASK] with a pretrained model, in Python and by scripts/fill_mask.py."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import small
import tensorflow as tf
from small_pretraining import ROOT, options

from albert_zh.checkpoint.files import meta_path
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference.fill_mask import load_fill_mask
from albert_zh.pretraining.run import pretrain

TEXTS = ["今天[MASK]京很冷吗。", "去[MASK][MASK]", "[MASK]"]


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    made = options(data, tmp_path_factory.mktemp("run"), num_train_steps=4, learning_rate=0.05)
    pretrain(made)
    return made


def fill_mask(run_dir, *flags, text=None):
    command = [sys.executable, os.path.join(ROOT, "scripts", "fill_mask.py")]
    command += [f"--checkpoint={run_dir}", *flags]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


def test_candidates_are_the_largest_probabilities_of_the_model(run):
    loaded = load_fill_mask(run.output_dir)
    found = loaded.fill(TEXTS, top_k=3)
    assert [len(masks) for masks in found] == [1, 2, 1]
    for text, masks in zip(TEXTS, found, strict=True):
        ids = [loaded.tokenizer.vocab.cls_id]
        for part in text.replace("[MASK]", "?"):
            ids.append(small.VOCABULARY.index("[MASK]" if part == "?" else part))
        ids.append(loaded.tokenizer.vocab.sep_id)
        inputs = tf.constant([ids])
        sequence = loaded.model.albert(inputs, tf.ones_like(inputs), tf.zeros_like(inputs)).sequence
        scores = tf.nn.softmax(loaded.model.masked_lm(sequence)).numpy()
        expected = scores[np.array(ids) == loaded.tokenizer.vocab.mask_id]
        for candidates, row in zip(masks, expected, strict=True):
            order = np.argsort(-row)[:3]
            assert [each.token for each in candidates] == [small.VOCABULARY[i] for i in order]
            np.testing.assert_allclose([c.probability for c in candidates], row[order], rtol=1e-4)


def test_script_prints_the_texts_with_their_candidates(run, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n\n", encoding="utf-8")
    done = fill_mask(run.output_dir, f"--input_file={tmp_path}/texts.txt", "--top_k=2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in TEXTS] == TEXTS
    assert len(lines) == 3 + 4
    assert lines[1].count(" %") == 2
    assert fill_mask(
        run.output_dir, "--input_file=-", "--top_k=2", text="\n".join(TEXTS)
    ).stdout == (done.stdout)


def test_texts_that_cannot_be_filled_are_named(run):
    loaded = load_fill_mask(run.output_dir)
    with pytest.raises(ValueError, match=r"no \[MASK\] to fill in '今天很冷'"):
        loaded.fill(["今天很冷"])
    with pytest.raises(ValueError, match="tokens, the model reads"):
        loaded.fill(["[MASK]" * 1000])
    missing = fill_mask(run.output_dir)
    assert "give a text with --text" in missing.stderr


def test_configuration_and_vocabulary_can_be_given(run, tmp_path):
    folder = shutil.copytree(run.output_dir, tmp_path / "bare")
    prefix = str(folder / "model.ckpt-4")
    os.unlink(meta_path(prefix))
    vocab = shutil.move(folder / "vocab.txt", tmp_path / "vocab.txt")
    with pytest.raises(ValueError, match="give the JSON file of the model with --config_file"):
        load_fill_mask(prefix)
    given = load_fill_mask(prefix, config_file=run.bert_config_file, vocab_file=str(vocab))
    assert given.fill(TEXTS) == load_fill_mask(run.output_dir).fill(TEXTS)


def test_fine_tuned_model_is_refused(data, tmp_path):
    task = small.write_task(tmp_path)
    shutil.copy(os.path.join(data, "vocab.txt"), tmp_path)
    fine_tune(small.fine_tuning_options(task, tmp_path / "out", num_train_epochs=0.125))
    with pytest.raises(ValueError, match="has no masked-LM head"):
        load_fill_mask(str(tmp_path / "out"))
