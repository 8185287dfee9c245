"""scripts/warm_start.py: initial weights with word vectors of the corpus."""

import json
import os
from collections import Counter

import numpy as np
import pytest
import small
import tensorflow as tf
from processes import run_script
from small_pretraining import options

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.checkpoint.loading import load_exactly
from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
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
    command = [f"--{name}={value}" for name, value in flags.items()]
    return run_script("scripts/warm_start.py", *command)


SIZES = {"embedding_size": 16, "hidden_size": 32, "num_attention_heads": 4}


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """Results for the small corpus: directory of each lineage, and what was printed."""
    root = tmp_path_factory.mktemp("warm")
    outputs = {}
    for name, changes in (
        ("brightmart", small.BRIGHTMART),
        ("preln", {**small.BRIGHTMART, "ln_type": "preln"}),
        ("google", {"num_hidden_groups": 2, "num_hidden_layers": 2}),
    ):
        config = small.write_config(root, name=f"{name}.json", **{**SIZES, **changes})
        outputs[name] = str(root / name)
        done = warm_start(data, outputs[name], bert_config_file=config)
        assert done.returncode == 0, done.stderr
        outputs[f"{name} text"] = done.stdout
    return outputs


LINEAGES = ["brightmart", "preln", "google"]


def evaluated(data, output_dir, config, **changes):
    run = {"do_train": False, "do_eval": True, "num_train_steps": 0, **changes}
    pretrain(options(data, output_dir, bert_config_file=config, **run))
    with open(os.path.join(output_dir, "eval_results.json"), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize("lineage", LINEAGES)
def test_masked_tokens_are_predicted_without_any_training(data, made, tmp_path, lineage):
    config = f"{made[lineage]}.json"
    metrics = evaluated(data, tmp_path, config, init_checkpoint=made[lineage])
    with open(os.path.join(data, "corpus.txt"), encoding="utf-8") as file:
        counts = Counter(file.read().replace("\n", ""))
    most_frequent = max(counts.values()) / counts.total()
    assert metrics["masked_lm_accuracy_mask"] > 3 * most_frequent


@pytest.mark.parametrize("lineage", LINEAGES)
def test_bias_is_the_log_frequency_and_mask_says_nothing(data, made, lineage):
    with open(os.path.join(data, "corpus.txt"), encoding="utf-8") as file:
        text = file.read()
    prefix = os.path.join(made[lineage], "model.ckpt")
    arrays = read_arrays(prefix, read_shapes(prefix))
    counts = np.array([text.count(entry) if len(entry) == 1 else 0 for entry in small.VOCABULARY])
    expected = np.log((counts + 1) / (counts + 1).sum())
    np.testing.assert_allclose(arrays[BIAS], expected, rtol=1e-5)
    assert not arrays[WORDS][small.VOCABULARY.index("[MASK]")].any()
    assert arrays[WORDS][small.VOCABULARY.index("[CLS]")].any()


def test_result_depends_on_the_seed_and_not_on_the_workers(data, made):
    prefix = os.path.join(made["brightmart"], "model.ckpt")
    arrays = read_arrays(prefix, read_shapes(prefix))
    flags = {"bert_config_file": f"{made['brightmart']}.json", "num_workers": 2}
    for name, changes in (("again", {}), ("other", {"random_seed": 6})):
        output = f"{made['brightmart']} {name}"
        assert warm_start(data, output, **flags, **changes).returncode == 0
        others = read_arrays(os.path.join(output, "model.ckpt"), arrays)
        is_same = all(np.array_equal(arrays[each], others[each]) for each in arrays)
        assert is_same == (name == "again")


def test_summary_tells_what_is_covered(made):
    text = made["brightmart text"]
    assert "0.00 % unknown to the vocabulary" in text
    assert f"of {len(small.VOCABULARY)} entries get vectors; 100.00 % of the tokens" in text
    assert "12 entries do not occur in the corpus" in text
    assert "nearest entries" in text


def test_bad_input_is_named(data, tmp_path):
    config = small.write_config(
        tmp_path, **{**SIZES, **small.BRIGHTMART, "embedding_size": 64, "hidden_size": 128}
    )
    few = warm_start(data, str(tmp_path / "a"), bert_config_file=config)
    assert few.returncode == 1
    assert "16 entries of the vocabulary" in few.stderr
    assert "vectors of 64 components need at least as many" in few.stderr
    assert not (tmp_path / "a").exists()
    narrow = small.write_config(tmp_path, name="narrow.json", **{**SIZES, "embedding_size": 8})
    wrong = warm_start(data, str(tmp_path / "c"), bert_config_file=narrow)
    assert wrong.returncode == 1
    assert "a warm start needs a wider model" in wrong.stderr
    other = small.write_config(tmp_path, name="other.json", vocab_size=99)
    wrong = warm_start(data, str(tmp_path / "b"), bert_config_file=other)
    assert wrong.returncode == 1
    assert "says vocab_size 99" in wrong.stderr
    assert not (tmp_path / "b").exists()
    full = warm_start(data, str(data))
    assert full.returncode == 1
    assert "is not empty; choose a new one" in full.stderr


@pytest.mark.parametrize("lineage", LINEAGES)
def test_matching_heads_look_at_the_same_word_of_the_other_segment(made, lineage):
    model = PretrainingModel(ModelConfig.from_json_file(f"{made[lineage]}.json"))
    load_exactly(named_variables(model), os.path.join(made[lineage], "model.ckpt"))
    first, second = "今天很去", "去吗天今"
    names = ["[CLS]", *first, "[SEP]", *second, "[SEP]"]
    ids = np.array([[small.VOCABULARY.index(name) for name in names]], np.int32)
    segments = np.array([[0] * 6 + [1] * 5], np.int32)
    _, hidden = model.albert.embeddings(ids, segments, None, tf.float32)
    blocks = [block for group in model.albert.encoder.groups.values() for block in group]
    for block in blocks:
        query, key = (
            np.reshape(layer(hidden), [len(names), 4, 8])
            for layer in (block.attention.query, block.attention.key)
        )
        # Of four heads, two look at neighbours, one looks for matches, one is free.
        matching = query[:, 2] @ key[:, 2].T
        found = [names[place] for place in matching[1:5].argmax(axis=1)]
        assert [found[0], found[1], found[3]] == ["今", "天", "去"]
        assert (matching[1:5].argmax(axis=1) > 5).all()
