"""The script of the pipeline from end to end, against the one without Beam."""

import json
import pathlib
import subprocess
import sys

import pytest
import small

ROOT = pathlib.Path(__file__).parent.parent
LOCAL, BEAM = "create_pretraining_data.py", "scripts/create_pretraining_data_beam.py"
RUNNER = "--beam_options=--runner=FnApiRunner"
WITHOUT = """
import os, runpy, sys
sys.modules[sys.argv[1]] = None  # makes an import of it fail
sys.argv[:2] = []
sys.path.insert(0, os.path.dirname(sys.argv[0]))  # as Python does for a script
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def corpus(tmp_path):
    small.write_vocabulary(tmp_path)
    return small.write_corpus(tmp_path)


def run(script, tmp_path, *flags, without="tensorflow"):
    """Runs a script on the small corpus, in a process that lacks a package."""
    return subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT, without, ROOT / script),
            f"--input_file={tmp_path / 'corpus.txt'}",
            f"--vocab_file={tmp_path / 'vocab.txt'}",
            "--max_seq_length=24",
            "--non_chinese",
            *flags,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def run_well(*args, **options):
    done = run(*args, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(*args, **options):
    done = run(BEAM, *args, **options)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_files_and_summary_are_those_of_the_local_run(tmp_path, corpus):
    pytest.importorskip("apache_beam")
    output = tmp_path / "out"
    with open(corpus, "a", encoding="utf-8") as file:
        file.write("今天去京很冷。\n今天很热。\n\n" * 3)
    flags = (f"--output_file={output}/part-*.tfrecord", "--num_shards=3", "--masking=ngram")
    flags += ("--drop_duplicates", "--whole_entries=[MASK],[SEP]")
    wanted = run_well(LOCAL, tmp_path, *flags)
    assert "documents dropped" in wanted
    local = output.rename(tmp_path / "local")
    assert run_well(BEAM, tmp_path, *flags, RUNNER) == wanted
    names = sorted(path.name for path in local.iterdir())
    assert sorted(path.name for path in output.iterdir()) == names
    assert len(names) == 4
    for name in names[1:]:
        assert (output / name).read_bytes() == (local / name).read_bytes()
    manifests = (json.loads((folder / names[0]).read_text()) for folder in (output, local))
    assert next(manifests) == next(manifests)
    assert "complete already" in run_well(BEAM, tmp_path, *flags, RUNNER)
    assert "complete already" in run_well(LOCAL, tmp_path, *flags)


def test_number_of_local_workers_is_refused(tmp_path, corpus):
    pytest.importorskip("apache_beam")
    flags = (f"--output_file={tmp_path}/a.tfrecord", "--num_workers=2")
    assert refusal(tmp_path, *flags).startswith(
        "error: --num_workers is for create_pretraining_data.py; here the runner starts the workers"
    )


def test_missing_package_is_named(tmp_path, corpus):
    message = refusal(tmp_path, f"--output_file={tmp_path}/a.tfrecord", without="apache_beam")
    assert message.endswith("needs the package apache-beam; install it: pip install apache-beam")
