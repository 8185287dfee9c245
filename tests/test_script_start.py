"""Scripts answer mistakes at once: without TensorFlow, whose import takes seconds."""

import os
import pathlib
import subprocess
import sys

import pytest
import small
from flag_scripts import ROOT, SCRIPTS

CLASSIFIER = ("run_classifier.py", "--do_train", "--output_dir=out")
PRETRAINING = ("run_pretraining.py", "--do_train", "--output_dir=out")


def run(script: str, *flags: str, folder: pathlib.Path) -> tuple[subprocess.CompletedProcess, str]:
    """Runs a script of the project in a folder; gives its result and the modules it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / script, *flags],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = done.stderr.splitlines()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time")}
    done.stderr = "\n".join(line for line in lines if not line.startswith("import time"))
    return done, modules


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_shown_from_any_folder_without_tensorflow(script, tmp_path):
    done, modules = run(script, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nLogging flags:" in done.stdout
    assert "tensorflow" not in modules


@pytest.mark.parametrize("script", [*SCRIPTS, "scripts/launch_local.py"])
def test_reader_of_the_help_may_leave_early(script):
    # Unbuffered, so that a line is written when its reader is gone already.
    process = subprocess.Popen(
        [sys.executable, "-u", ROOT / script, "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait()


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """A folder with what fine-tuning needs, and records that are not read."""
    small.write_vocabulary(tmp_path)
    small.write_config(tmp_path)
    small.write_task(tmp_path)
    (tmp_path / "records").touch()
    return tmp_path


GOOD = {
    "task_name": "lcqmc",
    "data_dir": ".",
    "vocab_file": "vocab.txt",
    "bert_config_file": "config.json",
}


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--nosuch=1", "unknown flag --nosuch"),
        ("--max_seq_length=long", "--max_seq_length=long: it must be a whole number, in digits"),
        ("--learning_rate=-1", "--learning_rate=-1.0: it must be at least 0"),
        ("--learning_rate=nan", "--learning_rate=nan: it must be a finite number"),
        ("--learning_rate=inf", "--learning_rate=inf: it must be a finite number"),
        ("--warmup_proportion=2", "--warmup_proportion=2.0: it must be at least 0 and at most 1"),
        ("--num_train_epochs=0", "--num_train_epochs=0.0: it must be more than 0"),
        ("--do_train=perhaps", "--do_train=perhaps: choose True or False"),
        ("--optimizer=sgd", "--optimizer=sgd: choose one of "),
        ("--output_dir=vocab.txt", "--output_dir=vocab.txt is a file; name a folder, which may"),
        ("--task_name=nosuch", "unknown task 'nosuch'; known tasks are afqmc"),
        (
            "--data_dir=nosuch",
            "no train file: looked for train.txt, train.tsv, train.csv in nosuch",
        ),
        ("--vocab_file=nosuch", "--vocab_file=nosuch: there is no such file"),
        ("--bert_config_file=nosuch", "--bert_config_file=nosuch: there is no such file"),
        ("--init_checkpoint=nosuch", "there is no checkpoint nosuch (no file nosuch.index)"),
    ],
)
def test_mistake_of_fine_tuning_is_told_without_tensorflow(flag, message, folder):
    flags = [f"--{name}={value}" for name, value in GOOD.items()]
    done, modules = run(*CLASSIFIER, *flags, flag, folder=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "tensorflow" not in modules
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--input_file=nosuch*", "no file matches 'nosuch*'; check the path"),
        ("--eval_input_file=nosuch", "no file matches 'nosuch'; check the path"),
        ("--vocab_file=nosuch", "--vocab_file=nosuch: there is no such file"),
        ("--bert_config_file=nosuch", "--bert_config_file=nosuch: there is no such file"),
        ("--init_checkpoint=nosuch", "there is no checkpoint nosuch (no file nosuch.index)"),
    ],
)
def test_wrong_path_of_pretraining_is_told_without_tensorflow(flag, message, folder):
    flags = ["--input_file=records", "--bert_config_file=config.json"]
    done, modules = run(*PRETRAINING, *flags, flag, folder=folder)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "tensorflow" not in modules


@pytest.mark.skipif(bool(list(pathlib.Path("/dev").glob("nvidia[0-9]*"))), reason="there is a GPU")
def test_tensorflow_starts_silently_where_there_is_no_gpu():
    code = (
        "from albert_zh.util.tensorflow_start import import_tensorflow; import_tensorflow()\n"
        "import sys; print('tensorflow' in sys.modules)"
    )
    environment = {key: os.environ[key] for key in os.environ if key != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_keras_is_not_loaded_with_tensorflow_and_can_be_used_afterwards():
    code = (
        "from albert_zh.util.tensorflow_start import import_tensorflow; import_tensorflow()\n"
        "import sys; print('keras' in sys.modules)\n"
        "import tensorflow as tf\n"
        "from tensorflow.keras import layers\n"
        "print(layers.Dense(2)(tf.zeros([1, 3])).shape, tf.keras.__version__ > '2')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False\n(1, 2) True\n", done.stderr


@pytest.mark.skipif(bool(list(pathlib.Path("/dev").glob("nvidia[0-9]*"))), reason="there is a GPU")
def test_tensorflow_adds_no_warning_to_the_error_of_a_bad_record(folder):
    (folder / "bad").write_bytes(b"no record" * 9)
    code = (
        "from albert_zh.util.tensorflow_start import import_tensorflow; import_tensorflow()\n"
        "import tensorflow as tf\n"
        "try: list(tf.data.TFRecordDataset('bad'))\n"
        "except tf.errors.DataLossError: print('bad')"
    )
    environment = {key: os.environ[key] for key in os.environ if key != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = ROOT
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("bad\n", "")


def test_filter_drops_noise_alone_and_shows_the_last_words_of_a_crash():
    code = """
import os, re, sys
from albert_zh.util.tensorflow_start import filtered_standard_error
with filtered_standard_error(re.compile(rb"I0000 ")):
    os.write(2, b"I0000 chat\\nW0000 care\\n")
    print("said in Python", file=sys.stderr)
print("afterwards", file=sys.stderr)
with filtered_standard_error(re.compile(rb"I0000 ")):
    os.write(2, b"F0000 last words")
    os.abort()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -6
    assert done.stderr == "W0000 care\nsaid in Python\nafterwards\nF0000 last words"
