"""Checkpoints converted to another vocabulary by the script, and what may be done with them."""

import json
import os
import pathlib

import numpy as np
import pytest
import small
import tensorflow as tf
from processes import run_script
from small import arrays, assert_same

from albert_zh.checkpoint.conversion import OUTPUT_BIAS, WORD_TABLE
from albert_zh.checkpoint.files import read_meta, write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import is_weight
from albert_zh.checkpoint.options import ConversionOptions
from albert_zh.checkpoint.vocabulary_change import change_vocabulary
from albert_zh.checkpoint.vocabulary_check import check_vocabulary, vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.run import fine_tune
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.initial_weights import load_initial_weights
from albert_zh.runs.options import RunOptions
from albert_zh.text.vocab import Vocab

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "convert_checkpoint.py"
GOOGLE = {}
# The cities are the other way round, 雨 is gone; one word of known characters, one unknown.
NEW_VOCABULARY = [
    *small.VOCABULARY[:5],
    *reversed(small.CITIES),
    *small.VOCABULARY[11:-2],
    "。",
    "今天",
    "雪",
]


def write_entries(path, entries) -> str:
    path.write_text("\n".join(entries) + "\n", encoding="utf-8")
    return str(path)


def write_source(directory, model: tf.Module, *, meta=None) -> str:
    """A checkpoint in the middle of a training: weights, moments, step."""
    values = {name: variable.numpy() for name, variable in named_variables(model).items()}
    rng = np.random.default_rng(1)
    if OUTPUT_BIAS in values:  # zeros in a new model, which would prove little
        values[OUTPUT_BIAS] = rng.normal(size=values[OUTPUT_BIAS].shape).astype(np.float32)
    slots = {
        f"{name}/{slot}": np.ones_like(values[name])
        for name in (WORD_TABLE, "bert/pooler/dense/bias")
        for slot in model.albert.config.variant.slots["lamb"]
    }
    prefix = os.path.join(directory, "source.ckpt")
    write_checkpoint(prefix, {**values, **slots, "global_step": np.int64(7)}, meta or {})
    if meta is None:
        os.remove(f"{prefix}.meta.json")
    return prefix


def options(directory, *, lineage=GOOGLE, **changes):
    """Options of a conversion whose inputs are made in the directory."""
    config_file = small.write_config(directory, **lineage)
    given = {
        "bert_config_file": config_file,
        "vocab_file": small.write_vocabulary(directory),
        "new_vocab_file": write_entries(directory / "new.txt", NEW_VOCABULARY),
        "output_dir": str(directory / "out"),
    }
    if "init_checkpoint" not in changes:
        model = PretrainingModel(ModelConfig.from_json_file(config_file), seed=3)
        given["init_checkpoint"] = write_source(directory, model)
    return ConversionOptions(**{**given, **changes})


def convert(options) -> dict[str, np.ndarray]:
    change_vocabulary(options)
    return arrays(os.path.join(options.output_dir, "model.ckpt"))


@pytest.mark.parametrize("lineage", [GOOGLE, small.BRIGHTMART])
def test_tables_follow_the_new_vocabulary_and_all_else_stays(tmp_path, lineage):
    given = options(tmp_path, lineage=lineage)
    source, result = arrays(given.init_checkpoint), convert(given)
    old, new = (
        {entry: number for number, entry in enumerate(entries)}
        for entries in (small.VOCABULARY, NEW_VOCABULARY)
    )
    for name in (WORD_TABLE, OUTPUT_BIAS):
        before, after = source[name], result[name]
        for entry in new.keys() & old.keys():
            np.testing.assert_array_equal(after[new[entry]], before[old[entry]])
        np.testing.assert_allclose(
            after[new["今天"]], (before[old["今"]] + before[old["天"]]) / 2, rtol=1e-5
        )
    assert 0 < np.abs(result[WORD_TABLE][new["雪"]]).max() <= 0.04
    others = {name for name in source if is_weight(name)} - {WORD_TABLE, OUTPUT_BIAS}
    assert result.keys() == others | {WORD_TABLE, OUTPUT_BIAS}
    assert_same({name: result[name] for name in others}, {name: source[name] for name in others})


def test_script_reports_what_became_of_the_entries(tmp_path):
    given = options(tmp_path)
    inputs = ("init_checkpoint", "bert_config_file", "vocab_file", "new_vocab_file")
    flags = [f"--{name}={getattr(given, name)}" for name in (*inputs, "output_dir")]
    done = run_script("scripts/convert_checkpoint.py", *flags)
    assert done.returncode == 0, done.stderr
    kept = len(small.VOCABULARY) - 1
    assert done.stdout.splitlines() == [
        f"wrote {given.output_dir}/model.ckpt",
        f"  {kept + 2} entries:",
        f"  {kept} keep their rows",
        "  1 get the mean of the rows of their pieces",
        "  1 start at random: 雪",
        "  1 old entries are dropped: 雨",
        "  5 moments and counters of the training are left out",
    ]


def test_same_conversion_gives_the_same_bytes(tmp_path):
    given = options(tmp_path)
    convert(given)
    again = tmp_path / "again"
    convert(options(tmp_path, init_checkpoint=given.init_checkpoint, output_dir=str(again)))
    data = "model.ckpt.data-00000-of-00001"
    assert (again / data).read_bytes() == (tmp_path / "out" / data).read_bytes()


def test_extension_and_back_gives_the_same_weights(tmp_path):
    extended = write_entries(tmp_path / "more.txt", ["[PAD]", "囧", *small.VOCABULARY[1:], "雪"])
    given = options(tmp_path, new_vocab_file=extended)
    convert(given)
    back = ConversionOptions(
        init_checkpoint=os.path.join(given.output_dir, "model.ckpt"),
        bert_config_file=os.path.join(given.output_dir, "config.json"),
        vocab_file=os.path.join(given.output_dir, "vocab.txt"),
        new_vocab_file=given.vocab_file,
        output_dir=str(tmp_path / "back"),
    )
    result, source = convert(back), arrays(given.init_checkpoint)
    assert_same(result, {name: source[name] for name in result})


@pytest.mark.parametrize("lineage", [GOOGLE, small.BRIGHTMART])
def test_pretraining_starts_from_the_result(tmp_path, lineage):
    given = options(tmp_path, lineage=lineage)
    result = convert(given)
    config = ModelConfig.from_json_file(os.path.join(given.output_dir, "config.json"))
    prefix = os.path.join(given.output_dir, "model.ckpt")
    vocab = Vocab.load(os.path.join(given.output_dir, "vocab.txt"))
    check_vocabulary(prefix, vocab.fingerprint)
    with pytest.raises(ValueError, match="was trained with another vocabulary"):
        check_vocabulary(prefix, Vocab.load(given.vocab_file).fingerprint)
    model = PretrainingModel(config, seed=9)
    run_options = RunOptions(
        bert_config_file=given.bert_config_file,
        output_dir=str(tmp_path / "run"),
        init_checkpoint=prefix,
    )
    identity = CheckpointMeta(config=config, vocabulary=vocabulary_identity(vocab))
    load_initial_weights(RunDirectory(run_options, identity=identity), model)
    assert_same({name: value.numpy() for name, value in named_variables(model).items()}, result)


def test_fine_tuning_starts_from_the_result(tmp_path):
    given = options(tmp_path)
    result = convert(given)
    small.write_task(tmp_path)
    fine_tune(
        ClassifierOptions(
            init_checkpoint=os.path.join(given.output_dir, "model.ckpt"),
            bert_config_file=os.path.join(given.output_dir, "config.json"),
            vocab_file=os.path.join(given.output_dir, "vocab.txt"),
            data_dir=str(tmp_path),
            task_name="lcqmc",
            output_dir=str(tmp_path / "run"),
            do_train=True,
            max_seq_length=16,
            num_train_epochs=0.5,
        )
    )
    start = arrays(tmp_path / "run" / "model.ckpt-0")
    np.testing.assert_array_equal(start[WORD_TABLE], result[WORD_TABLE])


def test_result_says_what_it_is_and_keeps_the_keys_of_the_configuration(tmp_path):
    given = options(tmp_path)
    convert(given)
    meta = read_meta(os.path.join(given.output_dir, "model.ckpt"))
    assert meta["config"]["vocab_size"] == len(NEW_VOCABULARY)
    assert meta["converted"]["init_checkpoint"] == given.init_checkpoint
    assert meta["converted"]["vocabulary"]["size"] == len(small.VOCABULARY)
    assert "task" not in meta
    with open(given.bert_config_file) as before, open(tmp_path / "out" / "config.json") as after:
        assert json.load(after) == {**json.load(before), "vocab_size": len(NEW_VOCABULARY)}
    new = pathlib.Path(given.new_vocab_file)
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == new.read_bytes()


def test_classifier_keeps_its_head_and_its_task(tmp_path):
    task = {"name": "lcqmc", "labels": ["0", "1"], "max_seq_length": 16}
    task |= {"pooling": "pooled", "do_lower_case": True, "kind": "classification"}
    config = ModelConfig.from_json_file(small.write_config(tmp_path))
    prefix = write_source(tmp_path, Classifier(config, 2, seed=3), meta={"task": task})
    result = convert(options(tmp_path, init_checkpoint=prefix))
    assert OUTPUT_BIAS not in result
    np.testing.assert_array_equal(result["output_weights"], arrays(prefix)["output_weights"])
    assert read_meta(str(tmp_path / "out" / "model.ckpt"))["task"] == task


# --- Refusals ------------------------------------------------------------------------------------


def refused(options, complaint, *, error=ValueError):
    with pytest.raises(error, match=complaint):
        change_vocabulary(options)
    assert not os.path.exists(os.path.join(options.output_dir, "vocab.txt"))


def test_output_directory_in_use_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    refused(options(tmp_path), "is not empty; choose a new one", error=FileExistsError)


def test_same_vocabulary_is_refused(tmp_path):
    same = write_entries(tmp_path / "same.txt", small.VOCABULARY)
    refused(options(tmp_path, new_vocab_file=same), "are the same vocabulary")


def test_old_vocabulary_of_another_size_is_refused(tmp_path):
    longer = write_entries(tmp_path / "longer.txt", [*small.VOCABULARY, "雪"])
    refused(options(tmp_path, vocab_file=longer), r"longer.txt has 29 entries, .* vocab_size 28")


def test_old_vocabulary_that_is_not_the_checkpoints_is_refused(tmp_path):
    config = ModelConfig.from_json_file(small.write_config(tmp_path))
    vocab = Vocab(tuple(reversed(small.VOCABULARY)))
    meta = {"vocabulary": vocabulary_identity(vocab).to_json()}
    prefix = write_source(tmp_path, PretrainingModel(config), meta=meta)
    refused(options(tmp_path, init_checkpoint=prefix), "was trained with another vocabulary")


def test_configuration_of_another_size_is_refused(tmp_path):
    other = small.write_config(tmp_path, name="other.json", vocab_size=99)
    refused(options(tmp_path, bert_config_file=other), rf"misshapen  {WORD_TABLE}: .* \(99, 8\)")


def test_missing_checkpoint_is_refused(tmp_path):
    refused(
        options(tmp_path, init_checkpoint=str(tmp_path / "none.ckpt")),
        "there is no checkpoint",
        error=FileNotFoundError,
    )
