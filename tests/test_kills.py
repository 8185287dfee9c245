"""Kills at any moment: the run that is started again ends with the bits of the one left alone."""

import dataclasses
import os
import random
import signal
import time

import pytest
import small_pretraining
import tensorflow as tf
from processes import PROCESSES

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.pretraining.run import pretrain


def _train_and_save_slowly(run: PretrainingOptions) -> None:
    rename = tf.io.gfile.rename

    def slow_rename(*arguments, **options):
        time.sleep(0.02)
        rename(*arguments, **options)

    tf.io.gfile.rename = slow_rename
    pretrain(run)


def _await(condition, child) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert child.is_alive(), "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _start_and_kill(run: PretrainingOptions, *, in_save: bool) -> None:
    """Kills a run some time after its first new checkpoint, or in the middle of a later one."""
    manager = CheckpointManager(run.output_dir)
    before = manager.steps()[-1:]

    def saving() -> bool:
        return any(
            name.startswith("model") and ".tmp" in name for name in os.listdir(manager.directory)
        )

    child = PROCESSES.Process(target=_train_and_save_slowly, args=(run,))
    child.start()
    _await(lambda: manager.steps()[-1:] > before, child)
    moment = random.uniform(0.0, 0.4)
    print(f"killed {moment:.3f} s after the first checkpoint, in a save: {in_save}")
    time.sleep(moment)
    if in_save:
        _await(saving, child)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL, "it ended before it was killed"
    assert not in_save or saving()


@pytest.fixture
def run(tmp_path) -> PretrainingOptions:
    small_pretraining.write_data(tmp_path)
    return small_pretraining.options(
        tmp_path,
        tmp_path / "killed",
        # Dropout on, so that its seeds are resumed, too.
        bert_config_file=small_pretraining.write_config(tmp_path, hidden_dropout_prob=0.1),
        input_file=str(tmp_path / "shard-*.tfrecord"),
        eval_fraction=0.25,
        max_eval_steps=2,
        num_train_steps=140,
        save_checkpoints_steps=7,
        log_steps=5,
        keep_checkpoint_max=3,
    )


def test_five_kills_change_nothing(run, tmp_path):
    for in_save in (False, True, False, True, False):
        _start_and_kill(run, in_save=in_save)
    pretrain(run)
    whole = dataclasses.replace(run, output_dir=str(tmp_path / "whole"))
    pretrain(whole)
    small_pretraining.assert_same_runs(run.output_dir, whole.output_dir)
    kept = [CheckpointManager(each.output_dir).steps() for each in (run, whole)]
    assert kept[0] == kept[1]
