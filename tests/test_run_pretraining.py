"""Whole pretraining runs on a few records."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import small
import tensorflow as tf
from small import arrays

import run_pretraining
from albert_zh.checkpoint.files import read_meta
from run_pretraining import PretrainingOptions, pretrain

ROOT = os.path.dirname(os.path.abspath(run_pretraining.__file__))
LENGTHS = {"max_seq_length": 16, "max_predictions_per_seq": 3}


def create_records(corpus: str, vocab: str, output: str, **changes) -> str:
    flags = {"input_file": corpus, "output_file": output, "vocab_file": vocab, "dupe_factor": 2}
    flags |= {"segmenter": "none", "num_workers": 1, **(changes or LENGTHS)}
    command = [sys.executable, os.path.join(ROOT, "create_pretraining_data.py")]
    command += [f"--{name}={value}" for name, value in flags.items()]
    subprocess.run(command, check=True, capture_output=True)
    return output


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with vocabulary, records and configuration."""
    directory = tmp_path_factory.mktemp("pretraining")
    vocab = small.write_vocabulary(directory)
    corpus = small.write_corpus(directory)
    create_records(corpus, vocab, os.path.join(directory, "records.tfrecord"))
    dynamic = {"masking": "dynamic", "max_seq_length": 16, "compact": True, "compress": "gzip"}
    create_records(corpus, vocab, os.path.join(directory, "dynamic.tfrecord"), **dynamic)
    return directory


def options(data, output_dir, **changes) -> PretrainingOptions:
    given = {
        "bert_config_file": small.write_config(data),
        "input_file": os.path.join(data, "records.tfrecord"),
        "output_dir": str(output_dir),
        "do_train": True,
        "train_batch_size": 8,
        "num_train_steps": 6,
        "num_warmup_steps": 2,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 2,
    }
    return PretrainingOptions(**{**given, **changes})


def dynamic(data, output_dir, **changes) -> PretrainingOptions:
    """Options of a run that masks its records itself."""
    records, vocab = (os.path.join(data, name) for name in ("dynamic.tfrecord", "vocab.txt"))
    return options(
        data,
        output_dir,
        **{"input_file": records, "vocab_file": vocab, "masking": "ngram", **changes},
    )


def history(directory) -> list[dict]:
    with open(os.path.join(directory, "history.jsonl")) as file:
        return [json.loads(line) for line in file]


def test_resumed_run_ends_bit_identical_to_an_uninterrupted_one(data, tmp_path):
    # Dropout on, so that its seeds are resumed too.
    config = small.write_config(data, name="dropout.json", hidden_dropout_prob=0.1)
    whole = options(data, tmp_path / "whole", bert_config_file=config)
    parts = options(data, tmp_path / "parts", bert_config_file=config)
    pretrain(whole)

    with small.killed_at(5):
        pretrain(parts)
    assert tf.train.latest_checkpoint(parts.output_dir).endswith("model.ckpt-4")
    pretrain(parts)

    small.assert_same(
        arrays(os.path.join(parts.output_dir, "model.ckpt-6")),
        arrays(os.path.join(whole.output_dir, "model.ckpt-6")),
    )


def test_training_lowers_the_loss_and_leaves_what_explains_the_run(data, tmp_path):
    run = options(
        data,
        tmp_path,
        do_eval=True,
        eval_input_file=os.path.join(data, "records.tfrecord"),
        num_train_steps=40,
        save_checkpoints_steps=20,
        keep_checkpoint_max=1,
    )
    pretrain(run)
    rows = history(tmp_path)
    held_out = [row for row in rows if "held_out_loss" in row]
    assert [row["step"] for row in held_out] == [0, 20, 40]
    assert held_out[-1]["held_out_masked_lm_loss"] < held_out[0]["held_out_masked_lm_loss"] - 0.3
    assert sum(row.get("steps", 0) for row in rows) == 40
    with open(tmp_path / "options.json") as file:
        assert json.load(file)["learning_rate"] == 0.01
    meta = read_meta(str(tmp_path / "model.ckpt-40"))
    assert meta["step"] == 40
    assert meta["vocabulary"]["size"] == len(small.VOCABULARY)
    assert not (tmp_path / "model.ckpt-20.index").exists()


@pytest.mark.parametrize(
    ("changes", "order"), [({}, "sentence_order"), (small.BRIGHTMART, "next_sentence")]
)
def test_evaluation_writes_the_keys_of_the_lineage(data, tmp_path, changes, order):
    config = small.write_config(data, name=f"{order}.json", **changes)
    pretrain(options(data, tmp_path, do_eval=True, bert_config_file=config, num_train_steps=1))
    with open(tmp_path / "eval_results.txt") as file:
        keys = [line.split(" = ")[0] for line in file]
    masked = ["masked_lm_accuracy", "masked_lm_loss"]
    assert keys == sorted(["global_step", "loss", *masked, f"{order}_accuracy", f"{order}_loss"])


def test_initial_checkpoint_gives_weights_alone(data, tmp_path):
    first = options(data, tmp_path / "first", num_train_steps=2)
    pretrain(first)
    prefix = os.path.join(first.output_dir, "model.ckpt-2")
    pretrain(options(data, tmp_path / "second", init_checkpoint=prefix, num_train_steps=1))
    start = arrays(tmp_path / "second" / "model.ckpt-0")
    for name, value in arrays(prefix).items():
        if name == "global_step":
            assert start[name] == 0
        elif name.endswith(("adam_m", "adam_v")):
            assert not start[name].any(), name
        else:
            np.testing.assert_array_equal(start[name], value, err_msg=name)


def test_group_0_fills_more_groups(data, tmp_path):
    pretrain(options(data, tmp_path / "one", num_train_steps=1))
    prefix = str(tmp_path / "one" / "model.ckpt-1")
    config = small.write_config(data, name="two_groups.json", num_hidden_groups=2)
    two = options(data, tmp_path / "two", bert_config_file=config, init_checkpoint=prefix)
    with pytest.raises(ValueError, match="init_from_group0"):
        pretrain(two)
    pretrain(
        options(
            data,
            tmp_path / "two",
            bert_config_file=config,
            init_checkpoint=prefix,
            init_from_group0=True,
            num_train_steps=1,
        )
    )
    start = arrays(tmp_path / "two" / "model.ckpt-0")
    name = "bert/encoder/transformer/group_{}/inner_group_0/ffn_1/intermediate/dense/kernel"
    expected = arrays(prefix)[name.format(0)]
    for group in range(2):
        np.testing.assert_array_equal(start[name.format(group)], expected)


def test_finished_run_trains_nothing_more(data, tmp_path):
    run = options(data, tmp_path, num_train_steps=2)
    pretrain(run)
    before = history(tmp_path)
    pretrain(run)
    assert history(tmp_path) == before


def test_broken_loss_stops_the_run_and_saves_nothing(data, tmp_path):
    with pytest.raises(ValueError, match=r"loss is (nan|inf).*lower --learning_rate"):
        pretrain(options(data, tmp_path, learning_rate=1e30, num_warmup_steps=0, optimizer="adamw"))
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-0")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_train": False}, "nothing to do"),
        ({"max_seq_length": 32}, "max_seq_length=16"),
        ({"max_predictions_per_seq": 4}, "max_predictions_per_seq=3"),
        ({"masking": "word"}, "--masking is for records of --masking=dynamic"),
        ({"vocab_file": "vocab.txt"}, "--vocab_file is for records of --masking=dynamic"),
        ({"masked_lm_prob": 0.2}, "--masked_lm_prob is for records of --masking=dynamic"),
        ({"input_file": "nowhere/*.tfrecord"}, "no file matches 'nowhere/"),
        ({"init_checkpoint": "nowhere/model.ckpt"}, "there is no checkpoint nowhere/model.ckpt"),
        ({"bert_config_file": "nowhere.json"}, "nowhere.json"),
        ({"num_train_steps": 0}, "num_train_steps"),
        ({"save_checkpoints_steps": 0}, "--save_checkpoints_steps=0: it must be at least 1"),
        ({"train_batch_size": 0}, "--train_batch_size=0: it must be at least 1"),
    ],
)
def test_mistakes_are_named_before_any_training(data, tmp_path, changes, message):
    with pytest.raises((ValueError, OSError), match=message):
        pretrain(options(data, tmp_path, **changes))
    assert not list(tmp_path.glob("model.ckpt-*"))


def test_records_longer_than_the_model_are_refused(data, tmp_path):
    config = small.write_config(data, name="short.json", max_position_embeddings=8)
    with pytest.raises(ValueError, match="max_seq_length 16 exceeds max_position_embeddings 8"):
        pretrain(options(data, tmp_path, bert_config_file=config))


def test_run_that_masks_its_records_is_resumed_bit_identically(data, tmp_path):
    whole, parts = dynamic(data, tmp_path / "whole"), dynamic(data, tmp_path / "parts")
    pretrain(whole)
    with small.killed_at(5):
        pretrain(parts)
    pretrain(parts)
    small.assert_same(
        arrays(os.path.join(parts.output_dir, "model.ckpt-6")),
        arrays(os.path.join(whole.output_dir, "model.ckpt-6")),
    )
    assert read_meta(os.path.join(whole.output_dir, "model.ckpt-6"))["vocabulary"]["size"] == 28


def test_held_out_records_are_masked_alike_at_every_evaluation(data, tmp_path):
    held_out = os.path.join(data, "dynamic.tfrecord")
    run = dynamic(data, tmp_path, eval_input_file=held_out, learning_rate=0.0, num_train_steps=4)
    pretrain(run)
    losses = {row["held_out_loss"] for row in history(tmp_path) if "held_out_loss" in row}
    assert len(losses) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_file": None}, r"dynamic\.tfrecord are to be masked here.*--vocab_file"),
        ({"masking": "word", "ngram": 2}, "--ngram is for --masking=ngram, not word"),
        ({"continuation_labels": "hashed"}, "needs a vocabulary with ## twins"),
    ],
)
def test_mistakes_of_masking_are_named_before_any_training(data, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        pretrain(dynamic(data, tmp_path, **changes))
    assert not list(tmp_path.glob("model.ckpt-*"))


def test_records_are_not_masked_with_another_vocabulary(data, tmp_path):
    entries = [*small.VOCABULARY[:5], *reversed(small.VOCABULARY[5:])]
    other = tmp_path / "vocab.txt"
    other.write_text("\n".join(entries) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"made of another vocabulary than .*vocab\.txt"):
        pretrain(dynamic(data, tmp_path, vocab_file=str(other)))


def test_sentence_order_is_no_objective_of_records_without_pairs(data, tmp_path):
    records = create_records(
        os.path.join(data, "corpus.txt"),
        os.path.join(data, "vocab.txt"),
        str(tmp_path / "full.tfrecord"),
        full_sentences=True,
        **LENGTHS,
    )
    pretrain(options(data, tmp_path, input_file=records, do_eval=True))
    with open(tmp_path / "eval_results.json") as file:
        results = json.load(file)
    assert results.keys() == {"global_step", "loss", "masked_lm_loss", "masked_lm_accuracy"}
    assert results["loss"] == results["masked_lm_loss"]


def test_configuration_of_another_vocabulary_is_refused(data, tmp_path):
    config = small.write_config(data, name="large.json", vocab_size=99)
    with pytest.raises(ValueError, match=r"has 28 entries.* vocab_size 99"):
        pretrain(options(data, tmp_path, bert_config_file=config))


def test_directory_of_another_run_is_refused(data, tmp_path):
    pretrain(options(data, tmp_path, num_train_steps=1))
    config = small.write_config(data, name="wider.json", intermediate_size=64)
    before = arrays(tmp_path / "model.ckpt-1")
    for changes in ({"bert_config_file": config}, {"init_checkpoint": "some/model.ckpt"}):
        with pytest.raises(ValueError, match="holds another run"):
            pretrain(options(data, tmp_path, **changes))
    small.assert_same(arrays(tmp_path / "model.ckpt-1"), before)


def test_published_checkpoint_in_the_output_directory_is_refused(data, tmp_path):
    (tmp_path / "albert_model.ckpt.index").write_bytes(b"")
    with pytest.raises(ValueError, match=r"--init_checkpoint=.*albert_model\.ckpt and another"):
        pretrain(options(data, tmp_path))


def test_weights_of_another_vocabulary_are_refused(data, tmp_path):
    first = options(data, tmp_path / "first", num_train_steps=1)
    pretrain(first)
    prefix = os.path.join(first.output_dir, "model.ckpt-1")
    other = tmp_path / "other"
    other.mkdir()
    entries = [*small.VOCABULARY[:5], *reversed(small.VOCABULARY[5:])]
    (other / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    records = create_records(
        small.write_corpus(other), str(other / "vocab.txt"), str(other / "records.tfrecord")
    )
    second = {"input_file": records, "init_checkpoint": prefix}
    with pytest.raises(ValueError, match="trained with another vocabulary"):
        pretrain(options(data, tmp_path / "second", **second))
    # Without our meta file, the vocabulary beside the checkpoint speaks for it.
    os.remove(prefix + ".meta.json")
    small.write_vocabulary(first.output_dir)
    with pytest.raises(ValueError, match=r"another vocabulary.*first/vocab\.txt"):
        pretrain(options(data, tmp_path / "second", **second))


def script(*flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, os.path.join(ROOT, "run_pretraining.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True)


def test_script_takes_both_names_of_the_config_flag(data, tmp_path):
    required = [f"--input_file={data}/records.tfrecord", f"--output_dir={tmp_path}"]
    done = script(*required, "--albert_config_file=nowhere.json", "--do_train")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "nowhere.json" in done.stderr
    assert "Traceback" not in done.stderr
    done = script(*required, "--bert_config_file=nowhere.json", "--num_trian_steps=3")
    assert done.returncode == 1
    assert "num_trian_steps" in done.stderr
