"""What runs remember and refuse, on a run of a few steps."""

import dataclasses

import pytest
import small
from small_pretraining import LENGTHS, history, options

from albert_zh import estimates
from albert_zh.checkpoint.files import read_meta
from albert_zh.config import ModelConfig
from albert_zh.pretraining.run import pretrain
from albert_zh.runs import run as runs

GIGABYTE = 10**9


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def run(data, tmp_path):
    return options(data, tmp_path, num_train_steps=2)


def micro_batch(run, step: int) -> int:
    return read_meta(f"{run.output_dir}/model.ckpt-{step}")["batch_plan"]["micro_batch"]


def test_micro_batch_is_what_memory_holds_and_stays_in_a_resumed_run(run, monkeypatch):
    config = ModelConfig.from_json_file(run.bert_config_file)
    memory = estimates.training_memory(config, **LENGTHS, micro_batch=3)
    monkeypatch.setattr(runs, "memory_limit", lambda: memory)
    pretrain(run)
    assert micro_batch(run, 2) == 2  # the largest that parts 8 examples evenly
    # More memory would give other micro batches, and other bits.
    monkeypatch.setattr(runs, "memory_limit", lambda: GIGABYTE)
    longer = dataclasses.replace(run, num_train_steps=3)
    pretrain(longer)
    assert micro_batch(run, 3) == micro_batch(run, 2)
    pretrain(dataclasses.replace(run, num_train_steps=4, micro_batch_size=8))
    assert micro_batch(run, 4) == 8


@pytest.mark.parametrize("memory", [GIGABYTE, None])
def test_batch_is_computed_at_once_where_it_fits_or_nothing_tells(run, monkeypatch, memory):
    monkeypatch.setattr(runs, "memory_limit", lambda: memory)
    pretrain(dataclasses.replace(run, num_train_steps=1))
    assert micro_batch(run, 1) == 8


def test_too_little_memory_for_one_example_is_said(run, monkeypatch):
    monkeypatch.setattr(runs, "memory_limit", lambda: 1000)
    with pytest.raises(ValueError, match=r"even one example at a time; set --recompute=True"):
        pretrain(run)


def test_precision_may_change_in_a_run(run):
    pretrain(dataclasses.replace(run, num_train_steps=1))
    pretrain(dataclasses.replace(run, num_train_steps=2, precision="float16"))
    assert "loss_scale" in small.arrays(f"{run.output_dir}/model.ckpt-2")
    pretrain(dataclasses.replace(run, num_train_steps=3, precision="bfloat16"))
    assert "loss_scale" not in small.arrays(f"{run.output_dir}/model.ckpt-3")
    assert [row["step"] for row in history(run.output_dir)] == [1, 2, 3]


def test_float16_checkpoint_gives_weights_to_another_run(run, data, tmp_path):
    pretrain(dataclasses.replace(run, num_train_steps=1, precision="float16"))
    prefix = f"{run.output_dir}/model.ckpt-1"
    pretrain(options(data, tmp_path / "next", init_checkpoint=prefix, num_train_steps=1))


def test_worker_at_another_step_than_the_chief_is_refused(run, monkeypatch):
    pretrain(run)
    monkeypatch.setattr(runs, "of_chief", lambda strategy, step: step + 2)
    with pytest.raises(ValueError, match=r"at step 2 for this worker.*read the same directory"):
        pretrain(dataclasses.replace(run, num_train_steps=3, micro_batch_size=8))


def test_evaluation_that_a_kill_prevented_is_made_up_for(data, tmp_path, monkeypatch):
    run = options(
        data,
        tmp_path,
        eval_input_file=f"{data}/shard-00000-of-00004.tfrecord",
        max_eval_steps=1,
        num_train_steps=4,
    )
    note = runs.Run._note_held_out

    def killed(self, step, scores):
        if step == 2:
            raise KeyboardInterrupt
        note(self, step, scores)

    monkeypatch.setattr(runs.Run, "_note_held_out", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(run)
    monkeypatch.setattr(runs.Run, "_note_held_out", note)
    pretrain(run)
    steps = [(row["step"], "held_out_loss" in row) for row in history(tmp_path)]
    assert steps == [
        *((0, True), (1, False), (2, False), (2, True)),
        *((3, False), (4, False), (4, True)),
    ]


def test_run_that_is_to_stop_saves_and_evaluates_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setattr(runs.StopSignals, "requested", property(lambda self: True))
    pretrain(options(data, tmp_path, do_eval=True))
    assert (tmp_path / "model.ckpt-1.index").exists()
    assert not (tmp_path / "eval_results.txt").exists()
