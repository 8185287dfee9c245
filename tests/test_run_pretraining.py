"""The script: its flags, and how it ends when it is asked to."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import small_pretraining
from small_pretraining import history, options

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.pretraining.run import pretrain

SCRIPT = os.path.join(small_pretraining.ROOT, "run_pretraining.py")


def start(*command: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def flags_of(run: PretrainingOptions) -> list[str]:
    """The flags that differ from their defaults."""
    given = {field.name: getattr(run, field.name) for field in dataclasses.fields(run)}
    return [
        f"--{field.name}={given[field.name]}"
        for field in dataclasses.fields(run)
        if given[field.name] != field.default
    ]


def test_mistake_under_the_other_name_of_a_flag_is_one_line(tmp_path):
    flags = ("--input_file=none", f"--output_dir={tmp_path}", "--do_train")
    process = start(SCRIPT, *flags, "--albert_config_file=nowhere.json")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert output.splitlines()[-1].startswith("error: ")
    assert "nowhere.json" in output
    assert "Traceback" not in output


def test_signal_saves_and_ends_well_and_the_run_goes_on_exactly(data, tmp_path):
    whole = options(
        data,
        tmp_path / "whole",
        num_train_steps=60,
        save_checkpoints_steps=30,
        log_steps=20,
    )
    parts = dataclasses.replace(whole, output_dir=str(tmp_path / "parts"))
    process = start(SCRIPT, *flags_of(parts))
    deadline = time.monotonic() + 120
    while not os.path.exists(os.path.join(parts.output_dir, "model.ckpt-0.index")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    steps = CheckpointManager(parts.output_dir).steps()
    assert steps[-1] > 0
    assert steps[-1] % 20  # in the middle of a row
    assert f"stopped and saved at step {steps[-1]}" in output
    pretrain(parts)
    pretrain(whole)
    small_pretraining.assert_same_runs(parts.output_dir, whole.output_dir)


def test_two_workers_do_together_what_one_does(data, tmp_path):
    one = options(
        data,
        tmp_path / "one",
        input_file=os.path.join(data, "shard-*.tfrecord"),
        eval_fraction=0.3,
        do_eval=True,
        eval_batch_size=7,
        save_checkpoints_steps=4,
    )
    two = dataclasses.replace(one, output_dir=str(tmp_path / "two"))
    launcher = os.path.join(small_pretraining.ROOT, "scripts", "launch_local.py")
    process = start(launcher, "-n", "2", SCRIPT, *flags_of(two))
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    pretrain(one)
    rows, expected = history(two.output_dir), history(one.output_dir)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        losses = {name: value for name, value in wanted.items() if name.endswith("loss")}
        assert {name: row[name] for name in losses} == pytest.approx(losses, rel=1e-3)
    # One of them wrote, so there is one of each file.
    files = [
        sorted(
            path.name.partition(".tfevents")[0] for path in pathlib.Path(run.output_dir).iterdir()
        )
        for run in (one, two)
    ]
    assert files[0] == files[1]
