"""Whole pretraining runs on a few records, in this process."""

import dataclasses
import json
import math
import os
import shutil

import numpy as np
import pytest
import small
import small_pretraining
import tensorflow as tf
from small import arrays
from small_pretraining import LENGTHS, create_records, dynamic, history, options, write_config

from albert_zh import estimates
from albert_zh.checkpoint.beside import known_files
from albert_zh.checkpoint.files import read_meta, write_checkpoint
from albert_zh.checkpoint.loading import load_exactly
from albert_zh.checkpoint.names import POSITIONS, is_weight
from albert_zh.config import ModelConfig
from albert_zh.input.batches import evaluation_batches
from albert_zh.input.files import check_records
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.pretraining.data import training_and_validation_records
from albert_zh.pretraining.evaluation import Evaluation
from albert_zh.pretraining.run import pretrain
from albert_zh.runs import plots
from albert_zh.runs.companions import find_vocabulary
from albert_zh.runs.spec import ValidationStopped
from albert_zh.text.vocab import Vocab
from albert_zh.util.locks import locked

pytestmark = pytest.mark.usefixtures("eager")


def test_training_lowers_the_loss_and_leaves_what_explains_the_run(data, tmp_path):
    tf.config.run_functions_eagerly(False)
    run = options(
        data,
        tmp_path,
        input_file=os.path.join(data, "shard-*.tfrecord"),
        do_eval=True,
        eval_fraction=0.3,
        num_train_steps=40,
        save_checkpoints_steps=20,
        keep_checkpoint_max=1,
        log_steps=10,
    )
    pretrain(run)
    rows = history(tmp_path)
    validation = [row for row in rows if "validation_loss" in row]
    assert [row["step"] for row in validation] == [0, 20, 40]
    assert (
        validation[-1]["validation_masked_lm_loss"]
        < validation[0]["validation_masked_lm_loss"] - 0.3
    )
    assert [row["step"] for row in rows if "steps" in row] == [10, 20, 30, 40]
    flops = estimates.training_flops(ModelConfig.from_json_file(run.bert_config_file), **LENGTHS)
    assert rows[-2]["mfu"] == pytest.approx(rows[-2]["examples_per_second"] * flops / 1e12)
    assert rows[-2]["tokens_per_second"] == pytest.approx(rows[-2]["examples_per_second"] * 16)
    with open(tmp_path / "options.json") as file:
        assert json.load(file)["learning_rate"] == 0.01
    with open(tmp_path / "run.json") as file:
        report = json.load(file)
    assert report["files"] == 3
    assert report["epochs"] == pytest.approx(40 * 8 / report["examples"])
    assert report["batch_plan"]["micro_batch"] == 8
    assert report["parameters"] == sum(
        value.size for name, value in arrays(tmp_path / "model.ckpt-40").items() if is_weight(name)
    )
    meta = read_meta(str(tmp_path / "model.ckpt-40"))
    assert meta["step"] == 40
    assert meta["vocabulary"]["size"] == len(small.VOCABULARY)
    best = min(validation, key=lambda row: row["validation_loss"])
    with open(tmp_path / "best_checkpoint.json") as file:
        assert json.load(file)["checkpoint"] == f"model.ckpt-{best['step']}"
    assert {path.suffixes[0] for path in tmp_path.glob("*.index")} == {
        f".ckpt-{step}" for step in {best["step"], 40}
    }
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1
    with open(tmp_path / "eval_results.json") as file:
        results = json.load(file)
    assert results["loss"] == validation[-1]["validation_loss"]  # measured once
    assert results["masked_lm_perplexity"] == pytest.approx(np.exp(results["masked_lm_loss"]))


@pytest.mark.parametrize(
    ("changes", "order"), [({}, "sentence_order"), (small.BRIGHTMART, "next_sentence")]
)
def test_evaluation_writes_the_keys_of_the_lineage(data, tmp_path, changes, order):
    config = write_config(data, name=f"{order}.json", **changes)
    pretrain(options(data, tmp_path, do_eval=True, bert_config_file=config, num_train_steps=1))
    with open(tmp_path / "eval_results.txt") as file:
        keys = [line.split(" = ")[0] for line in file]
    assert keys == sorted(keys)
    published = ["masked_lm_accuracy", "masked_lm_loss", f"{order}_accuracy", f"{order}_loss"]
    assert {"global_step", "loss", *published} <= set(keys)
    assert set(keys) - {"global_step", "loss", *published} == {
        *("checkpoint", "records", "validation_data"),
        *("masked_lm_word_accuracy", "masked_lm_perplexity"),
        *(f"masked_lm_accuracy_{kind}" for kind in ("mask", "random", "kept")),
    }


def evaluated(results_file) -> dict[str, float | str]:
    with open(results_file) as file:
        return json.load(file)


def test_evaluation_equals_the_sums_over_all_records(data, tmp_path):
    run = options(data, tmp_path, do_eval=True, num_train_steps=2, eval_batch_size=7)
    pretrain(run)
    results = evaluated(tmp_path / "eval_results.json")
    model = PretrainingModel(ModelConfig.from_json_file(run.bert_config_file))
    load_exactly(named_variables(model), str(tmp_path / "model.ckpt-2"))
    files = check_records([run.input_file])
    (batch,) = evaluation_batches(files, batch_size=files.num_records)
    expected = pretraining_objective(model, batch).metrics
    assert {name: results[name] for name in expected} == pytest.approx(
        {name: float(mean.result()) for name, mean in expected.items()}, rel=1e-4
    )
    assert results["loss"] == pytest.approx(
        results["masked_lm_loss"] + results["sentence_order_loss"]
    )


def test_report_is_readable(data, tmp_path, caplog):
    with caplog.at_level("INFO", logger="absl"):
        pretrain(options(data, tmp_path, num_train_steps=1, peak_flops=2.5e14))
    for line in (
        "batch plan: global batch 8, num replicas 1, micro batch 8, micro steps 1",
        *("xla: no", "random weights: all", "peak flops per second: 2.5e+14"),
    ):
        assert f"\n  {line}\n" in f"{caplog.text}\n"


def test_training_does_without_a_picture(data, tmp_path, monkeypatch, caplog):
    def not_installed(directory):
        raise ValueError("a picture of the training needs the package matplotlib")

    monkeypatch.setattr(plots, "plot_history", not_installed)
    with caplog.at_level("INFO", logger="absl"):
        pretrain(options(data, tmp_path, num_train_steps=1))
    assert "no curves.png: a picture of the training needs the package matplotlib" in caplog.text


def test_evaluation_ends_after_max_eval_steps(data, tmp_path, capsys):
    pretrain(options(data, tmp_path, do_eval=True, num_train_steps=1, max_eval_steps=2))
    assert "evaluate: 2/2 batch" in capsys.readouterr().err


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
    config = write_config(data, name="two_layers.json", num_hidden_layers=2)
    pretrain(options(data, tmp_path / "one", bert_config_file=config, num_train_steps=1))
    prefix = str(tmp_path / "one" / "model.ckpt-1")
    config = write_config(data, name="two_groups.json", num_hidden_layers=2, num_hidden_groups=2)
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


def test_positions_go_on_beyond_those_that_were_trained(data, tmp_path):
    pretrain(options(data, tmp_path / "one", num_train_steps=1))
    prefix = str(tmp_path / "one" / "model.ckpt-1")
    whole = small.write_half_trained(prefix, str(tmp_path / "sines" / "model.ckpt"))
    half = len(whole) // 2
    changes = {"init_checkpoint": str(tmp_path / "sines"), "trained_positions": half}
    pretrain(options(data, tmp_path / "two", num_train_steps=1, **changes))
    start = arrays(tmp_path / "two" / "model.ckpt-0")[POSITIONS]
    np.testing.assert_allclose(start, whole, atol=1e-5)

    changes["init_checkpoint"] = prefix
    with pytest.raises(ValueError, match=r"model\.ckpt-1: .* are no sums of sines"):
        pretrain(options(data, tmp_path / "three", num_train_steps=1, **changes))
    with pytest.raises(ValueError, match="--trained_positions needs --init_checkpoint"):
        options(data, tmp_path / "four", trained_positions=half).check()


def test_finished_run_trains_nothing_more(data, tmp_path):
    run = options(data, tmp_path, num_train_steps=2)
    pretrain(run)
    before = history(tmp_path)
    pretrain(run)
    assert history(tmp_path) == before


def test_broken_loss_stops_the_run_and_saves_nothing(data, tmp_path):
    run = options(data, tmp_path, learning_rate=1e30, num_warmup_steps=0, optimizer="adamw")
    message = r"of step 2 are not finite \(batch 2: examples 9 to 16 of epoch 1\).*--learning_rate"
    with pytest.raises(ValueError, match=message):
        pretrain(run)
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-0")
    assert all(np.isfinite(value).all() for value in arrays(tmp_path / "model.ckpt-0").values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_train": False}, "nothing to do"),
        ({"max_seq_length": 32}, "max_seq_length=16"),
        ({"max_predictions_per_seq": 4}, "max_predictions_per_seq=3"),
        ({"masking": "word"}, "--masking is for records of --masking=dynamic"),
        ({"masked_lm_prob": 0.2}, "--masked_lm_prob is for records of --masking=dynamic"),
        ({"input_file": "nowhere/*.tfrecord"}, "no file matches 'nowhere/"),
        ({"init_checkpoint": "nowhere/model.ckpt"}, "there is no checkpoint nowhere/model.ckpt"),
        ({"bert_config_file": "nowhere.json"}, "nowhere.json"),
        ({"num_train_steps": 0}, "--num_train_steps=0: it must be at least 1"),
        ({"learning_rate": -1.0}, "--learning_rate=-1.0: it must be at least 0"),
        ({"poly_power": math.nan}, "--poly_power=nan: it must be a finite number"),
        ({"save_checkpoints_steps": 0}, "--save_checkpoints_steps=0: it must be at least 1"),
        ({"train_batch_size": 0}, "--train_batch_size=0: it must be at least 1"),
        ({"micro_batch_size": 3}, "micro_batch_size"),
        ({"eval_steps": 0}, "--eval_steps=0: it must be at least 1"),
        ({"sentence_order_weight": -1.0}, "--sentence_order_weight=-1.0: it must be at least 0"),
        ({"eval_fraction": 0.1}, "--eval_fraction holds out whole files, but there is only"),
        ({"eval_fraction": 0.1, "eval_input_file": "x"}, "both name a validation set; give one"),
        ({"task_index": 1}, "--worker_hosts"),
        ({"stall_minutes": -1.0}, "--stall_minutes=-1.0: it must be at least 0"),
        (
            {"keep_checkpoint_every_n_hours": 0.0},
            "--keep_checkpoint_every_n_hours=0.0: it must be more",
        ),
    ],
)
def test_mistakes_are_named_before_any_training(data, tmp_path, changes, message):
    with pytest.raises((ValueError, OSError), match=message):
        pretrain(options(data, tmp_path, **changes))
    assert not list(tmp_path.glob("model.ckpt-*"))


def test_records_longer_than_the_model_are_refused(data, tmp_path):
    config = write_config(data, name="short.json", max_position_embeddings=8)
    with pytest.raises(ValueError, match="max_seq_length 16 exceeds max_position_embeddings 8"):
        pretrain(options(data, tmp_path, bert_config_file=config))


def test_run_that_masks_its_records_is_resumed_bit_identically(data, tmp_path):
    tf.config.run_functions_eagerly(False)
    whole, parts = dynamic(data, tmp_path / "whole"), dynamic(data, tmp_path / "parts")
    pretrain(whole)
    with small.killed_at(5) as on_row:
        pretrain(parts, on_row=on_row)
    pretrain(parts)
    small_pretraining.assert_same_runs(parts.output_dir, whole.output_dir)
    assert read_meta(os.path.join(whole.output_dir, "model.ckpt-6"))["vocabulary"]["size"] == 28


def test_validation_records_are_masked_alike_at_every_evaluation(data, tmp_path):
    validation = os.path.join(data, "dynamic.tfrecord")
    run = dynamic(
        data,
        tmp_path,
        eval_input_file=validation,
        learning_rate=0.0,
        num_train_steps=4,
        max_eval_steps=2,
    )
    pretrain(run)
    losses = {row["validation_loss"] for row in history(tmp_path) if "validation_loss" in row}
    assert len(losses) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_file": None}, r"dynamic\.tfrecord are to be masked here.*--vocab_file"),
        ({"masking": "word", "ngram": 2}, "--ngram is for --masking=ngram, not word"),
        ({"continuation_labels": "hashed"}, "needs a vocabulary with ## pieces"),
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


def test_longer_training_at_another_rate_is_the_same_run(data, tmp_path):
    pretrain(options(data, tmp_path, num_train_steps=1))
    pretrain(options(data, tmp_path, num_train_steps=2, learning_rate=0.001))
    assert [row["step"] for row in history(tmp_path)] == [1, 2]


def test_positions_grow_and_the_old_ones_are_kept(data, tmp_path, caplog):
    pretrain(options(data, tmp_path / "short", num_train_steps=1))
    prefix = str(tmp_path / "short" / "model.ckpt-1")
    config = write_config(data, name="longer.json", max_position_embeddings=40)
    run = options(data, tmp_path / "long", bert_config_file=config, init_checkpoint=prefix)
    with caplog.at_level("WARNING"):
        pretrain(dataclasses.replace(run, num_train_steps=1))
    assert f"{POSITIONS} grows from 32 to 40 rows" in caplog.text
    before, after = arrays(prefix)[POSITIONS], arrays(tmp_path / "long" / "model.ckpt-0")[POSITIONS]
    np.testing.assert_array_equal(after[:32], before)
    assert 0.005 < after[32:].std() < 0.05


def test_vocabulary_does_not_grow_by_itself(data, tmp_path):
    weights = PretrainingModel(
        ModelConfig.from_json_file(write_config(data, name="few.json", vocab_size=20))
    )
    values = {name: variable.numpy() for name, variable in named_variables(weights).items()}
    write_checkpoint(str(tmp_path / "few.ckpt"), values, {})
    run = options(data, tmp_path / "out", init_checkpoint=str(tmp_path / "few.ckpt"))
    with pytest.raises(ValueError, match=r"scripts/convert_checkpoint\.py converts it to another"):
        pretrain(run)


def test_bad_records_are_named_or_left_out(data, tmp_path):
    with open(os.path.join(data, "records.tfrecord"), "rb") as file:
        damaged = bytearray(file.read())
    damaged[len(damaged) // 2] ^= 255
    (tmp_path / "damaged.tfrecord").write_bytes(damaged)
    run = options(data, tmp_path / "out", input_file=str(tmp_path / "damaged.tfrecord"))
    with pytest.raises(ValueError, match=r"damaged\.tfrecord.*--on_corrupt=skip"):
        pretrain(dataclasses.replace(run, num_train_steps=40))
    pretrain(
        dataclasses.replace(
            run, output_dir=str(tmp_path / "skip"), num_train_steps=1, on_corrupt="skip"
        )
    )
    with open(tmp_path / "skip" / "run.json") as file:
        assert json.load(file)["corrupt_records_left_out"] >= 1


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
    assert not [name for name in results if name.startswith("sentence_order")]
    assert results["loss"] == results["masked_lm_loss"]
    start, end = (arrays(tmp_path / f"model.ckpt-{step}") for step in (0, 6))
    for name in ("cls/seq_relationship/output_weights", "bert/pooler/dense/kernel"):
        np.testing.assert_array_equal(start[name], end[name])  # no gradient and no decay
    # The published code can resume it: it has the moments of all variables.
    pretrain(options(data, tmp_path / "pairs", num_train_steps=1))
    assert set(end) == set(arrays(tmp_path / "pairs" / "model.ckpt-1"))
    for slot in ("adam_m", "adam_v"):
        assert not end[f"bert/pooler/dense/kernel/{slot}"].any()
        assert end[f"cls/predictions/transform/dense/kernel/{slot}"].any()


def test_configuration_of_another_vocabulary_is_refused(data, tmp_path):
    config = write_config(data, name="large.json", vocab_size=99)
    with pytest.raises(ValueError, match=r"has 28 entries.* vocab_size 99"):
        pretrain(options(data, tmp_path, bert_config_file=config))


def test_directory_of_another_run_is_refused(data, tmp_path):
    pretrain(options(data, tmp_path, num_train_steps=1))
    config = write_config(data, name="wider.json", intermediate_size=64)
    before = arrays(tmp_path / "model.ckpt-1")
    for changes in (
        {"bert_config_file": config},
        {"init_checkpoint": "some/model.ckpt"},
        {"train_batch_size": 4},
        {"random_seed": 1},
        {"input_file": os.path.join(data, "shard-*.tfrecord")},
        {"sentence_order_weight": 0.5},
    ):
        with pytest.raises(ValueError, match=r"holds another run.*their order stay the same"):
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


def test_warmup_longer_than_the_training_is_warned_of(data, tmp_path, caplog):
    options(data, tmp_path, num_train_steps=6, num_warmup_steps=6).check()
    assert "warm-up" not in caplog.text
    options(data, tmp_path, num_train_steps=6, num_warmup_steps=10, learning_rate=0.5).check()
    assert "--num_warmup_steps=10: the warm-up lasts to step 10 and the training to" in caplog.text
    assert "ends at 0.3 instead of rising to --learning_rate=0.5" in caplog.text


def test_second_training_in_a_directory_is_refused_and_writes_nothing(data, tmp_path):
    run = options(data, tmp_path / "run")
    os.mkdir(run.output_dir)
    with locked(run.output_dir):
        with pytest.raises(ValueError, match=rf"process {os.getpid()} on .*another --output_dir"):
            pretrain(run)
        assert os.listdir(run.output_dir) == [".lock"]
    pretrain(dataclasses.replace(run, num_train_steps=2, save_checkpoints_steps=2))
    with locked(run.output_dir):  # An evaluation only reads checkpoints.
        pretrain(dataclasses.replace(run, do_train=False, do_eval=True))
    assert os.path.exists(os.path.join(run.output_dir, "eval_results.txt"))
    assert not os.path.exists(os.path.join(run.output_dir, ".lock"))


def test_mistake_leaves_no_empty_directory(data, tmp_path):
    with pytest.raises(ValueError, match="max_seq_length=16"):
        pretrain(options(data, tmp_path / "new", max_seq_length=32))
    assert not (tmp_path / "new").exists()


def test_directory_holds_configuration_and_vocabulary(data, tmp_path, caplog):
    run = options(data, tmp_path / "run", num_train_steps=1, num_warmup_steps=0)
    pretrain(run)
    for name, source in (("vocab.txt", "vocab.txt"), ("albert_config.json", "config.json")):
        assert (tmp_path / "run" / name).exists(), source
    with open(os.path.join(data, "vocab.txt"), encoding="utf-8") as file:
        assert (tmp_path / "run" / "vocab.txt").read_text(encoding="utf-8") == file.read()
    assert "gets no vocab.txt" not in caplog.text
    with open(tmp_path / "run" / "run.json") as file:
        assert json.load(file)["random_weights"] == "all"
    other = tmp_path / "vocab.txt"
    other.write_text("\n".join([*small.VOCABULARY[:-1], "他"]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="made of another vocabulary than"):
        pretrain(dataclasses.replace(run, vocab_file=str(other)))


@pytest.mark.parametrize("config_name", ["albert_config.json", "albert_config_tiny.json"])
def test_files_beside_the_initial_checkpoint_need_no_flags(data, tmp_path, config_name):
    run = options(data, tmp_path / "run", num_train_steps=1, num_warmup_steps=0)
    pretrain(run)
    (tmp_path / "run" / "albert_config.json").rename(tmp_path / "run" / config_name)
    source = os.path.join(tmp_path / "run", "model.ckpt-1")
    unnamed = {"bert_config_file": None, "vocab_file": None}
    following = dynamic(data, tmp_path / "next", init_checkpoint=source, **unnamed)
    following = dataclasses.replace(following, num_train_steps=1, num_warmup_steps=0)
    following.check()
    pretrain(following)
    assert (tmp_path / "next" / "vocab.txt").exists()
    # A run that is resumed has its own.
    pretrain(dataclasses.replace(following, init_checkpoint=None, num_train_steps=2))
    assert (tmp_path / "next" / "model.ckpt-2.index").exists()


@pytest.mark.parametrize("name", ["vocab.txt", "vocab_chinese.txt"])
def test_resumed_run_has_the_vocabulary_from_the_folder_of_its_initial_weights(
    data, tmp_path, name
):
    first = options(data, tmp_path / "first", num_train_steps=1, num_warmup_steps=0)
    pretrain(first)
    (tmp_path / "first" / "vocab.txt").rename(tmp_path / "first" / name)
    run = dynamic(data, tmp_path / "run", init_checkpoint=first.output_dir, vocab_file=None)
    run = dataclasses.replace(run, num_train_steps=1, num_warmup_steps=0)
    pretrain(run)
    assert (tmp_path / "run" / "vocab.txt").exists()
    pretrain(dataclasses.replace(run, num_train_steps=2))
    # As a kill between the two files leaves it.
    (tmp_path / "run" / "vocab.txt").unlink()
    pretrain(dataclasses.replace(run, num_train_steps=3))
    (tmp_path / "run" / "albert_config.json").unlink()
    known = known_files(run.output_dir, run.init_checkpoint)
    assert known["bert_config_file"] == os.path.join(run.init_checkpoint, "albert_config.json")
    assert known["vocab_file"] == os.path.join(run.output_dir, "vocab.txt")
    assert (tmp_path / "run" / "model.ckpt-3.index").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_attention_heads": 4}, "num_attention_heads 2, and --bert_config_file has 4"),
        ({"hidden_act": "relu"}, "hidden_act gelu, and --bert_config_file has relu"),
    ],
)
def test_configuration_that_reads_the_weights_otherwise_is_refused(
    data, tmp_path, changes, message
):
    first = options(data, tmp_path / "first", num_train_steps=1, num_warmup_steps=0)
    pretrain(first)
    other = write_config(tmp_path, **changes)
    run = options(data, tmp_path / "run", init_checkpoint=first.output_dir, bert_config_file=other)
    with pytest.raises(ValueError, match=message):
        pretrain(run)


def test_files_that_were_trained_on_are_not_held_out_later(data, tmp_path):
    run = options(
        data,
        tmp_path,
        input_file=os.path.join(data, "shard-*.tfrecord"),
        eval_fraction=0.25,
        random_seed=7,
        num_train_steps=1,
        num_warmup_steps=0,
    )
    pretrain(run)
    evaluation = dataclasses.replace(run, do_train=False, do_eval=True, max_eval_steps=1)
    pretrain(evaluation)
    with pytest.raises(ValueError, match=r"had --eval_fraction=0\.25 and --random_seed=7; give"):
        pretrain(dataclasses.replace(evaluation, random_seed=8))
    with pytest.raises(ValueError, match="holds out other files than the training did"):
        pretrain(dataclasses.replace(evaluation, eval_fraction=0.5))


def test_vocabulary_beside_a_sentencepiece_model_is_found(tmp_path):
    vocab = Vocab.load(small.write_vocabulary(tmp_path))
    (tmp_path / "spm.model").touch()
    found = find_vocabulary(vocab.fingerprint, [str(tmp_path / "model.ckpt-1")])
    assert found.tokens == vocab.tokens


def test_without_any_configuration_the_flag_is_asked_for(data, tmp_path):
    run = options(data, tmp_path / "run", bert_config_file=None)
    for start in (run.check, lambda: pretrain(run)):
        with pytest.raises(ValueError, match=r"give --bert_config_file: .*albert_config/ has"):
            start()


def test_other_optimizer_is_refused_when_a_run_resumes(data, tmp_path):
    brightmart = small.write_config(
        data, name="brightmart.json", num_hidden_layers=1, **small.BRIGHTMART
    )
    for name, config in (("google", write_config(data)), ("brightmart", brightmart)):
        run = options(data, tmp_path / name, bert_config_file=config, num_train_steps=1)
        pretrain(run)
        other = dataclasses.replace(run, optimizer="adamw", num_train_steps=2)
        with pytest.raises(
            ValueError,
            match=r"^--optimizer=adamw: .*ckpt-1 was trained with lamb.*=lamb",
        ):
            pretrain(other)


def test_evaluation_of_the_training_records_is_said(data, tmp_path, caplog):
    run = options(data, tmp_path, num_train_steps=1, do_eval=True)
    pretrain(run)
    assert "--do_eval measures the training records themselves" in caplog.text


def test_results_name_their_records_and_are_kept_when_others_are_evaluated(data, tmp_path, caplog):
    one, other = (os.path.join(data, name) for name in ("records.tfrecord", "shard-*.tfrecord"))
    run = options(data, tmp_path, do_eval=True, num_train_steps=1, max_eval_steps=1)
    pretrain(run)
    first = evaluated(tmp_path / "eval_results.json")
    assert first["records"] == one
    assert first["checkpoint"] == str(tmp_path / "model.ckpt-1")
    evaluation = dataclasses.replace(run, do_train=False)
    pretrain(evaluation)
    kept = tmp_path / "earlier_evaluations" / "1"
    assert not kept.exists()
    pretrain(dataclasses.replace(evaluation, eval_input_file=other))
    second = evaluated(tmp_path / "eval_results.json")
    assert second["records"].endswith("-of-00004.tfrecord and 3 more")
    assert f"the earlier results, on {one}, were moved to {kept}" in caplog.text
    assert evaluated(kept / "eval_results.json") == first
    assert f"records = {one}\n" in (kept / "eval_results.txt").read_text()


@pytest.mark.parametrize("is_part", [False, True], ids=["other files", "fewer records"])
def test_losses_on_another_validation_set_are_not_compared(is_part, data, tmp_path, caplog):
    one, other = (os.path.join(data, name) for name in ("records.tfrecord", "shard-*.tfrecord"))
    changes = {"max_eval_steps": 1} if is_part else {"eval_input_file": other}
    steps = {"num_train_steps": 2, "save_checkpoints_steps": 2}
    run = options(data, tmp_path, eval_input_file=one, **steps)
    pretrain(run)
    best = tmp_path / "best_checkpoint.json"
    first = evaluated(best)
    best.write_text(json.dumps({**first, "loss": 0.0}))  # which no other checkpoint beats
    pretrain(dataclasses.replace(run, **changes))
    assert "model.ckpt-2 was the best on another validation set" in caplog.text
    assert evaluated(tmp_path / "earlier_evaluations" / "1" / best.name)["loss"] == 0.0
    assert evaluated(best)["validation_data"] != first["validation_data"]
    losses = {row["validation_data"] for row in history(tmp_path) if "validation_loss" in row}
    assert losses == {first["validation_data"], evaluated(best)["validation_data"]}


def test_defaults_of_masking_may_be_spelled_out_and_similar_words_moved(data, tmp_path):
    words = tmp_path / "similar.txt"
    words.write_text("雨 车\n")
    steps = {"num_train_steps": 1, "num_warmup_steps": 0, "masking": None}
    run = dynamic(data, tmp_path / "run", similar_words=str(words), **steps)
    pretrain(run)
    moved = words.rename(tmp_path / "moved.txt")
    spelled_out = {"masking": "word", "replace_per": "word", "similar_words": str(moved)}
    pretrain(dataclasses.replace(run, **spelled_out))
    moved.write_text("雨 钱\n")
    with pytest.raises(ValueError, match="its masking: similar_words is "):
        pretrain(dataclasses.replace(run, similar_words=str(moved)))


def test_validation_records_may_have_other_lengths(data, tmp_path):
    flags = {"max_seq_length": 24, "max_predictions_per_seq": 5}
    corpus, vocab = (os.path.join(data, name) for name in ("corpus.txt", "vocab.txt"))
    longer = create_records(corpus, vocab, str(tmp_path / "longer.tfrecord"), **flags)
    for changes in (LENGTHS, {"max_seq_length": None, "max_predictions_per_seq": None}):
        run = options(data, tmp_path / "run", eval_input_file=longer, **changes)
        config = ModelConfig.from_json_file(run.bert_config_file)
        training, validation = training_and_validation_records(run, config)
        assert dataclasses.asdict(training.lengths) == LENGTHS
        assert dataclasses.asdict(validation.lengths) == flags
    pretrain(run)
    measured = [row for row in history(tmp_path / "run") if "validation_loss" in row]
    assert [row["step"] for row in measured] == [0, 2, 4, 6]
    assert measured[-1]["validation_loss"] < measured[0]["validation_loss"]


def test_stop_ends_a_validation(data, tmp_path):
    run = options(data, tmp_path, eval_input_file=os.path.join(data, "records.tfrecord"))
    config = ModelConfig.from_json_file(run.bert_config_file)
    _, records = training_and_validation_records(run, config)
    strategy = tf.distribute.get_strategy()
    evaluation = Evaluation(run, PretrainingModel(config), records, strategy=strategy)
    with pytest.raises(ValidationStopped):
        evaluation.metrics(0, lambda: True)
    assert evaluation.metrics(0)["loss"] > 0


# ---- shards and folders


@pytest.fixture
def shards(data, tmp_path):
    """A folder with four shards, their manifest and a file of something else."""
    folder = tmp_path / "records"
    shutil.copytree(data, folder, ignore=lambda _, names: {"dynamic.tfrecord", "records.tfrecord"})
    return folder


def checked_records(data, output_dir, **changes):
    run = options(data, output_dir, **changes)
    run.check()
    config = ModelConfig.from_json_file(run.bert_config_file)
    return training_and_validation_records(run, config)


def test_shards_that_a_glob_does_not_find_are_named(data, shards, tmp_path, caplog):
    first, *_, last = sorted(shards.glob("shard-*"))
    checked_records(data, tmp_path / "out", input_file=f"{shards}/shard-*")
    assert "shards that are not read" not in caplog.text
    last.unlink()
    checked_records(data, tmp_path / "out", input_file=f"{shards}/shard-*")
    assert f"lists shards that are not read: {last} (missing). Copy" in caplog.text
    caplog.clear()
    others = f"{shards}/shard-*[!{first.stem[-10]}]-of-*"
    checked_records(data, tmp_path / "out", input_file=others)
    assert f"not read: {first}, {last} (missing)" in caplog.text


def test_shards_of_the_validation_set_and_files_named_one_by_one_are_no_loss(
    data, shards, tmp_path, caplog
):
    first, second, *others = map(str, sorted(shards.glob("shard-*")))
    rest = {"input_file": ",".join(others), "eval_input_file": f"{first},{second}*"}
    checked_records(data, tmp_path / "out", **rest)
    checked_records(data, tmp_path / "out", input_file=first)
    assert "not read" not in caplog.text


def test_records_named_twice_are_read_once(data, shards, tmp_path):
    first, *_ = map(str, sorted(shards.glob("shard-*")))
    spellings = [first, os.path.join(shards, ".", os.path.basename(first)), str(tmp_path / "link")]
    os.symlink(first, spellings[-1])
    training, _ = checked_records(data, tmp_path / "out", input_file=",".join(spellings))
    assert training.files.paths == (first,)


def test_folder_of_records_stands_for_its_shards(data, shards, tmp_path, caplog):
    with caplog.at_level("INFO", logger="absl"):
        training, _ = checked_records(data, tmp_path / "out", input_file=str(shards))
    assert training.files.paths == tuple(map(str, sorted(shards.glob("shard-*"))))
    assert f"left out, as no record begins there: {shards}" in caplog.text
