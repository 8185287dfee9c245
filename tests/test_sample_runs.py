"""Samples in data/ from files to a submission: every kind trains, is killed, resumes, predicts."""

import os
import pathlib
import signal

import pytest
import small
from processes import PROCESSES

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.run import fine_tune
from albert_zh.tasks.submission_archive import VERSIONS, find_predictions, refusals, wanted_files

DATA = pathlib.Path(__file__).parent.parent / "data"
CLUE = DATA / "clue_sample"
REVIEWS = DATA / "custom_sample"
STARS = {
    "task_name": "custom",
    "kind": "regression",
    "train_file": str(REVIEWS / "reviews.csv"),
    "dev_fraction": 0.1,
    "input_file": str(REVIEWS / "new_reviews.csv"),
    "text_columns": "review",
    "label_column": "stars",
}


def options_of(name: str, folder: pathlib.Path, **changes) -> ClassifierOptions:
    """A training of a few steps, with evaluations and predictions."""
    sizes = {"vocab_size": 21_128, "max_position_embeddings": 64, "num_hidden_layers": 1}
    task = STARS if name == "stars" else {"task_name": name, "data_dir": str(CLUE / name)}
    return ClassifierOptions(
        **task,
        bert_config_file=small.write_config(folder, hidden_dropout_prob=0.1, **sizes),
        vocab_file=str(DATA.parent / "albert_config" / "vocab.txt"),
        output_dir=str(folder / name),
        do_train=True,
        do_eval=True,
        do_predict=True,
        max_seq_length=64,
        train_batch_size=8,
        num_train_epochs=0.3,
        learning_rate=0.01,
        save_checkpoints_steps=2,
        log_steps=1,
        **changes,
    )


def _kill_at_step_4(options: ClassifierOptions) -> None:
    def die(row) -> None:
        if row["step"] >= 4:
            os.kill(os.getpid(), signal.SIGKILL)

    fine_tune(options, on_row=die)


def results(options: ClassifierOptions) -> tuple[dict, dict[str, bytes]]:
    """Everything the last checkpoint holds, and the files of predictions."""
    folder = pathlib.Path(options.output_dir)
    step = CheckpointManager(options.output_dir).steps()[-1]
    files = [path for path in folder.iterdir() if "predictions." in path.name]
    predicted = {path.name: path.read_bytes() for path in files if path.suffix != ".json"}
    assert predicted
    return small.arrays(folder / f"model.ckpt-{step}"), predicted


@pytest.mark.parametrize(
    ("name", "batches"),  # all kinds, and all ways to make a batch
    [
        ("tnews", {}),
        ("stars", {"micro_batch_size": 4}),
        ("c3", {"micro_batch_size": 4}),
        ("cmrc2018", {"train_batch_tokens": 500}),
        ("cluener", {"train_batch_tokens": 300}),
    ],
)
def test_sample_of_a_kind_that_was_killed_ends_with_the_same_bits(name, batches, tmp_path):
    for folder in ("whole", "killed"):
        (tmp_path / folder).mkdir()
    whole = options_of(name, tmp_path / "whole", **batches)
    fine_tune(whole)
    killed = options_of(name, tmp_path / "killed", **batches)
    child = PROCESSES.Process(target=_kill_at_step_4, args=(killed,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert CheckpointManager(killed.output_dir).steps()[-1] == 2
    fine_tune(killed)
    expected, resumed = results(whole), results(killed)
    small.assert_same(resumed[0], expected[0])
    assert resumed[1] == expected[1]


@pytest.mark.usefixtures("eager")
def test_predictions_for_all_samples_of_clue_are_accepted(tmp_path):
    for name in VERSIONS["1.1"]:
        fine_tune(options_of(name, tmp_path))
    wanted = wanted_files("1.1", [], str(CLUE))
    contents = find_predictions([str(tmp_path)], wanted)
    assert refusals(wanted, contents) == {each.name: [] for each in wanted}
