"""Which checkpoints of a directory are kept and found, also after a kill at any moment."""

import os
import pathlib
import resource
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf
from processes import PROCESSES

from albert_zh.checkpoint.files import read_arrays, read_meta, read_shapes, write_checkpoint
from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.paths import find_checkpoint


def _arrays(step: int) -> dict[str, np.ndarray]:
    return {"a/kernel": np.full([3, 2], step, np.float32), "a/bias": np.float32([step, -step])}


def _assert_whole(prefix: str, step: int) -> None:
    stored = read_arrays(prefix, read_shapes(prefix))
    np.testing.assert_equal(stored, {**_arrays(step), "global_step": np.int64(step)})
    assert read_meta(prefix)["step"] == step


def _save(manager: CheckpointManager, *steps: int) -> None:
    for step in steps:
        manager.save(step, _arrays(step), CheckpointMeta(options={"seed": 1}))


@pytest.fixture
def directory(tmp_path) -> str:
    return str(tmp_path / "run")


def test_new_directory_is_made_and_has_no_latest(directory):
    manager = CheckpointManager(os.path.join(directory, "nested"))
    assert (manager.steps(), manager.latest()) == ([], None)
    _save(manager, 1)
    assert manager.steps() == [1]


def test_saved_step_holds_arrays_step_and_meta(directory):
    manager = CheckpointManager(directory)
    prefix = manager.save(7, _arrays(7), CheckpointMeta(options={"seed": 1}))
    assert prefix == manager.latest() == os.path.join(directory, "model.ckpt-7")
    _assert_whole(prefix, 7)
    assert read_arrays(prefix, ["global_step"])["global_step"].dtype == np.int64
    assert read_meta(prefix) == {"step": 7, "options": {"seed": 1}}


def test_steps_are_ordered_as_numbers(directory):
    manager = CheckpointManager(directory)
    _save(manager, 900, 1000)
    assert manager.steps() == [900, 1000]
    assert manager.latest().endswith("model.ckpt-1000")


@pytest.mark.parametrize(
    ("keep_max", "kept"), [(0, [1, 2, 3, 4]), (1, [4]), (2, [3, 4]), (9, [1, 2, 3, 4])]
)
def test_the_newest_are_kept(keep_max, kept, directory):
    manager = CheckpointManager(directory, keep_max=keep_max)
    _save(manager, 1, 2, 3, 4)
    assert manager.steps() == kept
    assert {name.split(".")[1] for name in os.listdir(directory) if name != "checkpoint"} == {
        f"ckpt-{step}" for step in kept
    }
    state = tf.train.get_checkpoint_state(directory)
    assert list(state.all_model_checkpoint_paths) == [manager.prefix(step) for step in kept]


def test_a_negative_number_to_keep_is_refused(directory):
    with pytest.raises(ValueError, match="keep_checkpoint_max is -1; it must be at least 0"):
        CheckpointManager(directory, keep_max=-1)


def test_one_of_every_so_many_hours_is_kept_for_ever(directory):
    # Saved each half hour; the third save is by a run that was resumed.
    for number, hours in enumerate([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]):
        clock = lambda now=3600 * hours: now  # noqa: E731
        manager = CheckpointManager(directory, keep_max=1, keep_every_hours=1.0, clock=clock)
        _save(manager, number)
    assert manager.steps() == [2, 4, 6]
    without = CheckpointManager(directory, keep_max=1)
    _save(without, 7)
    assert without.steps() == [2, 4, 6, 7]


def test_hours_that_are_none_are_refused(directory):
    with pytest.raises(ValueError, match="keep_checkpoint_every_n_hours is 0; it must be more"):
        CheckpointManager(directory, keep_every_hours=0)


def test_the_best_is_kept_until_another_one_is(directory):
    manager = CheckpointManager(directory, keep_max=2)
    _save(manager, 1, 2)
    assert manager.best() is None
    manager.note_best({"checkpoint": "model.ckpt-1", "loss": 0.5}, newest_scored=2)
    _save(manager, 3, 4, 5)
    assert manager.steps() == [1, 4, 5]
    note = {"checkpoint": "model.ckpt-1", "loss": 0.5, "newest_scored": 2}
    assert manager.best() == note
    manager.note_best({"checkpoint": "model.ckpt-5", "loss": 0.4}, newest_scored=5)
    assert manager.steps() == [1, 4, 5], "an evaluation deletes nothing"
    manager.delete_old(newest=5)
    assert manager.steps() == [4, 5]
    _save(manager, 6, 7, 8)
    assert manager.steps() == [5, 7, 8]


def test_evaluating_deletes_nothing_whatever_number_it_would_keep(directory):
    _save(CheckpointManager(directory, keep_max=4), 1, 2, 3, 4)
    reading = CheckpointManager(directory, keep_max=1)
    reading.note_best({"checkpoint": "model.ckpt-2"}, newest_scored=4)
    assert reading.steps() == [1, 2, 3, 4]


def test_checkpoints_that_were_all_to_be_kept_stay_when_the_run_is_resumed(directory):
    _save(CheckpointManager(directory, keep_max=0), 1, 2, 3)
    _save(CheckpointManager(directory, keep_max=1), 4, 5)
    assert CheckpointManager(directory).steps() == [1, 2, 3, 5]


def test_deletion_of_many_checkpoints_is_said(directory, caplog):
    _save(CheckpointManager(directory, keep_max=9), 1, 2, 3, 4)
    with caplog.at_level("WARNING"):
        _save(CheckpointManager(directory, keep_max=2), 5)
    assert "deleting model.ckpt-1, model.ckpt-2, model.ckpt-3: --keep_checkpoint_max=2" in (
        caplog.text
    )


def test_best_that_is_older_than_checkpoints_without_scores_is_said(directory, caplog):
    manager = CheckpointManager(directory)
    _save(manager, 1, 2)
    manager.note_best({"checkpoint": "model.ckpt-1"}, newest_scored=2)
    assert find_checkpoint(directory) == manager.prefix(1)
    assert not caplog.text
    _save(manager, 3)
    assert find_checkpoint(directory) == manager.prefix(1)
    assert "model.ckpt-1 is the best of the checkpoints up to step 2; 1 newer" in caplog.text


def test_no_space_left_is_said_and_what_was_saved_is_untouched(directory):
    manager = CheckpointManager(directory, keep_max=1)
    _save(manager, 1)
    before = sorted(os.listdir(directory))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(
            OSError, match=r"cannot write .*model\.ckpt-2: .*; make room .*untouched"
        ):
            manager.save(2, {"large": np.zeros(1_000_000, np.float32)}, CheckpointMeta())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(os.listdir(directory)) == before
    _assert_whole(manager.latest(), 1)


def test_tensorflow_finds_the_latest_also_after_a_move(directory, tmp_path):
    manager = CheckpointManager(directory)
    _save(manager, 5, 10)
    assert tf.train.latest_checkpoint(directory) == manager.latest()
    moved = str(tmp_path / "moved")
    shutil.move(directory, moved)
    assert tf.train.latest_checkpoint(moved) == os.path.join(moved, "model.ckpt-10")


FOREIGN = (
    "albert_model.ckpt.index",
    "model.ckpt-best.index",
    "model.ckpt-12.index.json",
    "my_model.ckpt-13.index",
    "model.ckpt-14.data-00000-of-00001",  # someone is copying: the index comes last
    "notes.tmp",
    "table.tmp.json",
    "eval_results.txt",
)


def test_foreign_files_are_neither_counted_nor_touched(directory):
    os.makedirs(directory)
    for name in FOREIGN:
        pathlib.Path(directory, name).write_text("mine")
    manager = CheckpointManager(directory, keep_max=1)
    assert manager.latest() is None
    _save(manager, 1, 2)
    assert manager.steps() == [2]
    for name in FOREIGN:
        assert pathlib.Path(directory, name).read_text() == "mine"


def test_published_directory_that_was_taken_over_keeps_no_litter(directory):
    os.makedirs(directory)
    for step in (7, 8):
        write_checkpoint(os.path.join(directory, f"model.ckpt-{step}"), _arrays(step), {})
        os.remove(os.path.join(directory, f"model.ckpt-{step}.meta.json"))
        pathlib.Path(directory, f"model.ckpt-{step}.meta").write_text("their graph")
    pathlib.Path(directory, "graph.pbtxt").write_text("their graph")
    manager = CheckpointManager(directory, keep_max=2)
    _save(manager, 9)
    assert manager.steps() == [8, 9]
    assert os.path.exists(os.path.join(directory, "graph.pbtxt"))
    _save(manager, 10)
    _assert_clean(directory, [9, 10])


def _kill_after(function_name: str, calls: int) -> None:
    """Makes the process die where it would call a function of tf.io.gfile once more."""
    original, done = getattr(tf.io.gfile, function_name), []

    def counted(*arguments, **options):
        if len(done) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(original(*arguments, **options))

    setattr(tf.io.gfile, function_name, counted)


def _save_and_die(directory: str, step: int, keep_max: int, function_name: str, calls: int) -> None:
    manager = CheckpointManager(directory, keep_max=keep_max)
    _kill_after(function_name, calls)
    _save(manager, step)


def _run_and_expect_kill(*arguments) -> None:
    child = PROCESSES.Process(target=_save_and_die, args=arguments)
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL


def _assert_clean(directory: str, steps: list[int]) -> None:
    endings = ("data-00000-of-00001", "index", "meta", "meta.json")
    expected = {f"model.ckpt-{step}.{ending}" for step in steps for ending in endings}
    assert set(os.listdir(directory)) - {"checkpoint"} == expected


@pytest.mark.parametrize(
    ("renames", "latest"),
    [(0, 1), (1, 1), (2, 1), (3, 2)],
    ids=["all temporary", "meta in place", "data in place", "index in place"],
)
def test_kill_while_saving_leaves_the_previous_or_the_new_checkpoint(renames, latest, directory):
    _save(CheckpointManager(directory), 1)
    _run_and_expect_kill(directory, 2, 5, "rename", renames)
    tensorflow_finds = tf.train.latest_checkpoint(directory)
    _assert_whole(tensorflow_finds, int(tensorflow_finds.rsplit("-", 1)[1]))

    manager = CheckpointManager(directory)
    assert manager.latest() == manager.prefix(latest)
    _assert_whole(manager.latest(), latest)
    manager.remove_leftovers()
    _assert_clean(directory, list(range(1, latest + 1)))
    _save(manager, 3)
    assert tf.train.latest_checkpoint(directory) == manager.prefix(3)


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_kill_while_saving_a_step_again_never_mixes_the_two(renames, directory):
    _save(CheckpointManager(directory), 1, 2)
    _run_and_expect_kill(directory, 2, 5, "rename", renames)
    manager = CheckpointManager(directory)
    assert manager.steps() == [1]
    _assert_whole(manager.latest(), 1)
    manager.remove_leftovers()
    _assert_clean(directory, [1])


@pytest.mark.parametrize("removals", [0, 1, 2, 3])
def test_kill_while_the_oldest_is_deleted_leaves_no_part_of_it(removals, directory):
    _save(CheckpointManager(directory), 1)
    _run_and_expect_kill(directory, 2, 1, "remove", removals)
    assert tf.train.latest_checkpoint(directory) == os.path.join(directory, "model.ckpt-2")
    manager = CheckpointManager(directory, keep_max=1)
    left = [1, 2] if removals == 0 else [2]
    assert manager.steps() == left
    manager.remove_leftovers()
    _assert_clean(directory, left)


def test_a_half_written_data_file_is_removed(directory):
    """TensorFlow writes to a name of its own first, with random digits."""
    manager = CheckpointManager(directory)
    _save(manager, 1)
    half = pathlib.Path(directory, "model.ckpt-2.tmp.data-00000-of-00001.tempstate4211")
    half.write_bytes(b"half")
    assert CheckpointManager(directory).steps() == [1]
    assert half.exists(), "whoever only reads must not disturb a save under way"
    _save(manager, 3)
    assert not half.exists()
