"""What runs remember and refuse, on a run of a few steps."""

import contextlib
import dataclasses
import json
import shutil

import pytest
import small
import tensorflow as tf
from small_pretraining import LENGTHS, history, options

from albert_zh import estimates
from albert_zh.checkpoint.files import read_meta
from albert_zh.config import ModelConfig
from albert_zh.pretraining.run import pretrain
from albert_zh.runs.batch_size import plan_within_memory
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.spec import Lengths
from albert_zh.train import agreement
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.rules.table import LAMB
from albert_zh.train.stopping import StopSignals
from albert_zh.util.error_text import one_line
from albert_zh.util.locks import LOCK, locked

GIGABYTE = 10**9


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def run(data, tmp_path):
    return options(data, tmp_path, num_train_steps=2)


def micro_batch(run, step: int) -> int:
    return read_meta(f"{run.output_dir}/model.ckpt-{step}")["batch_plan"]["micro_batch"]


def plan(run, memory: int) -> BatchPlan:
    config = ModelConfig.from_json_file(run.bert_config_file)
    return plan_within_memory(
        8, Lengths(**LENGTHS), LAMB, options=run, config=config, num_replicas=1, memory=memory
    )


def test_micro_batch_is_what_memory_holds(run):
    config = ModelConfig.from_json_file(run.bert_config_file)
    memory = estimates.training_memory(config, **LENGTHS, micro_batch=3)
    assert plan(run, memory).micro_batch == 2  # the largest that parts 8 examples evenly


def test_micro_batch_stays_in_a_resumed_run(run):
    pretrain(dataclasses.replace(run, micro_batch_size=2))
    # The memory would hold all 8, which would give other bits.
    pretrain(dataclasses.replace(run, num_train_steps=3))
    assert micro_batch(run, 3) == micro_batch(run, 2) == 2
    pretrain(dataclasses.replace(run, num_train_steps=4, micro_batch_size=8))
    assert micro_batch(run, 4) == 8


@pytest.mark.parametrize("memory", [GIGABYTE, 0])
def test_batch_is_computed_at_once_where_it_fits_or_nothing_tells(run, memory):
    assert plan(run, memory).micro_batch == 8


def test_too_little_memory_for_one_example_is_said(run):
    with pytest.raises(ValueError, match=r"even one example at a time .*; set --recompute=True"):
        plan(run, 1000)


def test_precision_may_change_in_a_run(run):
    pretrain(dataclasses.replace(run, num_train_steps=1))
    pretrain(dataclasses.replace(run, num_train_steps=2, precision="float16"))
    assert "loss_scale" in small.arrays(f"{run.output_dir}/model.ckpt-2")
    pretrain(dataclasses.replace(run, num_train_steps=3, precision="bfloat16"))
    assert "loss_scale" not in small.arrays(f"{run.output_dir}/model.ckpt-3")
    assert [row["step"] for row in history(run.output_dir)] == [1, 2, 3]


def test_change_of_the_course_of_a_run_is_said(run, caplog):
    pretrain(run)
    changed = {"learning_rate": 0.001, "num_train_steps": 4, "poly_power": 0.5}
    pretrain(dataclasses.replace(run, **changed))
    assert (
        f"{run.output_dir}: from step 2 on, --learning_rate is 0.001 (it was 0.01), "
        "--num_train_steps is 4 (it was 2), --poly_power is 0.5 (it was 1.0); to go on as before, "
        "give --learning_rate=0.01 --num_train_steps=2 --poly_power=1.0"
    ) in caplog.text


def test_resumption_with_the_same_course_is_not_remarked(run, caplog):
    with small.killed_at(3) as on_row:
        pretrain(dataclasses.replace(run, num_train_steps=4), on_row=on_row)
    pretrain(dataclasses.replace(run, num_train_steps=4, log_steps=2, micro_batch_size=2))
    pretrain(dataclasses.replace(run, num_train_steps=4, learning_rate=1.0))  # nothing to train
    assert "to go on as before" not in caplog.text


def test_float16_checkpoint_gives_weights_to_another_run(run, data, tmp_path):
    pretrain(dataclasses.replace(run, num_train_steps=1, precision="float16"))
    prefix = f"{run.output_dir}/model.ckpt-1"
    pretrain(options(data, tmp_path / "next", init_checkpoint=prefix, num_train_steps=1))


def test_worker_at_another_step_than_the_chief_is_refused(run, monkeypatch):
    pretrain(run)
    monkeypatch.setattr(agreement, "broadcast_from_chief", lambda strategy, step: step + 2)
    with pytest.raises(ValueError, match=r"at step 2 for this worker.*read the same directory"):
        pretrain(dataclasses.replace(run, num_train_steps=3, micro_batch_size=8))


def test_evaluation_that_a_kill_prevented_is_made_up_for(data, tmp_path):
    run = options(
        data,
        tmp_path,
        eval_input_file=f"{data}/shard-00000-of-00004.tfrecord",
        max_eval_steps=1,
        num_train_steps=4,
    )

    def kill_at_validation(row):
        if row["step"] == 2 and "validation_loss" in row:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(run, on_row=kill_at_validation)
    pretrain(run)
    steps = [(row["step"], "validation_loss" in row) for row in history(tmp_path)]
    assert steps == [
        *((0, True), (1, False), (2, False), (2, True)),
        *((3, False), (4, False), (4, True)),
    ]


def test_run_that_is_to_stop_saves_and_evaluates_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setattr(StopSignals, "requested", property(lambda self: True))
    pretrain(options(data, tmp_path, do_eval=True))
    assert (tmp_path / "model.ckpt-1.index").exists()
    assert not (tmp_path / "eval_results.txt").exists()


def test_damaged_note_of_the_best_is_told_before_the_training(run, tmp_path):
    pretrain(run)
    (tmp_path / "best_checkpoint.json").write_text("{")
    with pytest.raises(ValueError, match=r"best_checkpoint\.json is damaged; delete it"):
        pretrain(dataclasses.replace(run, num_train_steps=4))
    assert [row["step"] for row in history(tmp_path)] == [1, 2]


@pytest.mark.parametrize("log_steps", [1, 100])  # a row or a checkpoint is written first
def test_directory_that_is_removed_while_it_trains_gets_its_files_again(
    log_steps, data, tmp_path, monkeypatch, caplog
):
    def saved_then_removed(run, step, *arguments, **names):
        save(run, step, *arguments, **names)
        if step == 2:
            shutil.rmtree(tmp_path / "out")

    save = RunDirectory.save
    monkeypatch.setattr(RunDirectory, "save", saved_then_removed)
    run = options(
        data,
        tmp_path / "out",
        num_train_steps=4,
        log_steps=log_steps,
        vocab_file=f"{data}/vocab.txt",
    )
    pretrain(run)
    assert "somebody removed albert_config.json and options.json and run.json of" in caplog.text
    assert caplog.text.count("somebody removed") == 1
    files = {path.name.split(".")[0] for path in (tmp_path / "out").iterdir()}
    assert {"albert_config", "vocab", "options", "run", "history", "events"} <= files
    assert (tmp_path / "out" / "model.ckpt-4.index").exists()
    pretrain(dataclasses.replace(run, num_train_steps=5))
    assert (tmp_path / "out" / "model.ckpt-5.index").exists()


def test_training_leaves_its_directory_to_one_that_began_there_anew(run, tmp_path):
    with contextlib.ExitStack() as other:

        def begin_anew(row):
            if row["step"] == 3:
                shutil.rmtree(tmp_path)
                other.enter_context(locked(str(tmp_path), patience=0))

        with pytest.raises(ValueError, match=r"another process is at work .* this training ends"):
            pretrain(dataclasses.replace(run, num_train_steps=4), on_row=begin_anew)
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_directory_of_a_run_that_nobody_touches_is_not_remarked(run, caplog):
    pretrain(run)
    assert "somebody removed" not in caplog.text


@pytest.mark.parametrize("name", ["history.jsonl", ".lock", "best_checkpoint.json"])
def test_folder_where_a_file_of_the_run_should_be_is_told(name, run, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises((OSError, ValueError, tf.errors.OpError)) as caught:
        pretrain(run)
    assert name in one_line(caught.value)
    assert "remove it" in one_line(caught.value)


def test_damaged_newest_checkpoint_tells_the_way_out(run, tmp_path):
    pretrain(dataclasses.replace(run, num_train_steps=4))
    (tmp_path / "model.ckpt-4.data-00000-of-00001").unlink()
    longer = dataclasses.replace(run, num_train_steps=6)
    with pytest.raises(ValueError, match=r"model\.ckpt-4\.\* to resume from model\.ckpt-2"):
        pretrain(longer)
    for part in tmp_path.glob("model.ckpt-4.*"):
        part.unlink()
    pretrain(longer)
    assert [row["step"] for row in history(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_best_that_nothing_notes_is_kept_without_validation_records(data, tmp_path, caplog):
    run = options(
        data,
        tmp_path,
        eval_input_file=f"{data}/shard-00000-of-00004.tfrecord",
        max_eval_steps=1,
        num_train_steps=6,
        keep_checkpoint_max=1,
    )
    with small.killed_at(5) as on_row:
        pretrain(dataclasses.replace(run, keep_checkpoint_max=5), on_row=on_row)
    rows = [
        {**row, "validation_loss": 0.0} if row["step"] == 2 and "validation_loss" in row else row
        for row in history(tmp_path)
    ]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "best_checkpoint.json").unlink()
    pretrain(dataclasses.replace(run, eval_input_file=None))
    assert "model.ckpt-2 is the best checkpoint, and it is noted again" in caplog.text
    assert {path.name for path in tmp_path.glob("*.index")} == {
        *("model.ckpt-2.index", "model.ckpt-6.index"),
    }
