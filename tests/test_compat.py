"""scripts/compat: command lines of the published scripts run as they stand."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
import small
from processes import run_script

ROOT = pathlib.Path(__file__).parent.parent
COMPAT = pathlib.Path("scripts", "compat")


def run(script: str, *flags: str, root: pathlib.Path = ROOT) -> subprocess.CompletedProcess:
    return run_script(root / COMPAT / script, *flags)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> pathlib.Path:
    """A corpus, a task as a table and as JSON lines, a vocabulary and a configuration."""
    folder = tmp_path_factory.mktemp("data")
    small.write_vocabulary(folder)
    small.write_config(folder, max_position_embeddings=512)
    small.write_corpus(folder)
    small.write_task(folder)
    (folder / "afqmc").mkdir()
    for split in ("train", "dev", "test"):
        with open(folder / f"{split}.txt", encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        lines = [
            json.dumps(dict(zip(("sentence1", "sentence2", "label"), row, strict=True)))
            for row in rows
        ]
        (folder / "afqmc" / f"{split}.json").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_google_pretrains_by_published_commands(data):
    done = run(
        "create_pretraining_data_google.py",
        f"--input_file={data}/corpus.txt",
        f"--output_file={data}/records.tfrecord",
        f"--vocab_file={data}/vocab.txt",
        "--dupe_factor",
        "1",
    )
    assert done.returncode == 0, done.stderr
    done = run(
        "run_pretraining_google.py",
        f"--input_file={data}/records.tfrecord",
        f"--output_dir={data}/pretrained",
        f"--albert_config_file={data}/config.json",
        "--train_batch_size=4",
        "--num_train_steps=2",
    )
    assert done.returncode == 0, done.stderr
    assert os.path.exists(data / "pretrained" / "model.ckpt-2.index")
    options = json.loads((data / "pretrained" / "options.json").read_text())
    assert (options["learning_rate"], options["eval_batch_size"]) == (0.00176, 64)


@pytest.mark.parametrize(
    ("script", "task", "folder", "length"),
    [
        ("run_classifier_clue.py", "afqmc", "afqmc", 128),
        ("run_classifier_sp_google.py", "lcqmc_pair", ".", 512),
    ],
)
def test_classifiers_run_by_published_commands(data, script, task, folder, length):
    done = run(
        script,
        f"--data_dir={data / folder}",
        f"--task_name={task}",
        f"--output_dir={data}/{task}",
        f"--vocab_file={data}/vocab.txt",
        f"--albert_config_file={data}/config.json",
        "--do_train=true",
        "--do_eval=true",
        "--do_predict=true",
        "--num_train_epochs=1.0",
        "--keep_checkpoint_max=0",
    )
    assert done.returncode == 0, done.stderr
    assert os.path.exists(data / task / "submit_results.tsv")
    assert json.loads((data / task / "options.json").read_text())["max_seq_length"] == length


@pytest.fixture
def root(tmp_path) -> pathlib.Path:
    """A project whose scripts print their arguments."""
    (tmp_path / "scripts").mkdir()
    shutil.copytree(ROOT / COMPAT, tmp_path / COMPAT)
    for name in ("create_pretraining_data.py", "run_pretraining.py", "run_classifier.py"):
        (tmp_path / name).write_text("import sys\nprint(*sys.argv[1:])\n")
    return tmp_path


@pytest.mark.parametrize(
    ("script", "given", "expected", "said"),
    [
        ("run_classifier_clue.py", "--do_train", "--do_train", "runs run_classifier.py\n"),
        ("run_classifier_sp_google.py", "--x=1", "--max_seq_length=512 --x=1", "=512"),
        ("run_classifier_sp_google.py", "--max_seq_length 64", "--max_seq_length 64", "runs"),
        (
            "run_pretraining_google.py",
            "--nodo_train --export_dir=a --masked_lm_budget 0 --num_warmup_steps=1",
            "--train_batch_size=4096 --eval_batch_size=64 --learning_rate=0.00176 "
            "--num_train_steps=125000 --save_checkpoints_steps=5000 --nodo_train --export_dir=a "
            "--num_warmup_steps=1",
            "--masked_lm_budget is left out: ",
        ),
        (
            "create_pretraining_data_google.py",
            "--do_whole_word_mask --favor_shorter_ngram=True --max_seq_length=8",
            "--masking=ngram --segmenter=none --max_predictions_per_seq=20 --max_seq_length=8 "
            "--favor_shorter_ngram=False",
            "--do_whole_word_mask is left out: n-grams are always of whole words",
        ),
        (
            "create_pretraining_data_google.py",
            "--nofavor_shorter_ngram",
            "--masking=ngram --segmenter=none --max_seq_length=512 --max_predictions_per_seq=20 "
            "--favor_shorter_ngram=True",
            "--favor_shorter_ngram=True",
        ),
    ],
)
def test_flags_are_passed_on_and_changes_are_said_in_one_line(root, script, given, expected, said):
    done = run(script, *given.split(), root=root)
    assert done.returncode == 0
    assert done.stdout == f"{expected}\n"
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_unknown_flag_is_an_error():
    done = run("run_classifier_clue.py", "--output_dir=out", "--no_such_flag=1")
    assert done.returncode == 1
    assert "error: unknown flag --no_such_flag" in done.stderr
