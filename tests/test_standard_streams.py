"""Scripts that are started with closed standard streams work as with /dev/null."""

import os
import subprocess
import sys

import pytest
import small
from flag_scripts import ROOT

COMMAND = "import sys; from albert_zh import toolkit; sys.exit(toolkit.main())"
REPORT = """
import os, sys
from albert_zh import cli
read_end, write_end = os.pipe()
open(sys.argv[1], "w").write(repr((read_end, sys.stdin.read(), sys.stdout.fileno())))
print("lost"), print("lost", file=sys.stderr), os.write(1, b"lost"), os.write(2, b"lost")
os.execv(sys.executable, [sys.executable, "-c", "import os; [os.fstat(n) for n in range(3)]"])
"""


def run(redirections: str, *arguments, folder) -> subprocess.CompletedProcess:
    """Run a Python with redirections of the shell, such as `>&-`, which closes standard output."""
    return subprocess.run(
        ["bash", "-c", f'exec "$0" "$@" {redirections}', sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    "arguments", [[ROOT / "scripts" / "estimate.py", "--help"], ["-c", COMMAND, "estimate", "-h"]]
)
def test_help_with_closed_streams_ends_well(redirections, arguments, tmp_path):
    done = run(redirections, *arguments, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (redirections == "2>&-")


def test_streams_are_open_for_libraries_and_for_programs_that_are_started(tmp_path):
    done = run("<&- >&- 2>&-", "-c", REPORT, "report", folder=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "report").read_text() == "(3, '', 1)"


def test_error_with_closed_output_is_still_told(tmp_path):
    done = run(">&-", ROOT / "run_pretraining.py", "--nosuch", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: unknown flag --nosuch")


def test_worker_processes_with_closed_streams_do_their_work(tmp_path):
    vocab, corpus = small.write_vocabulary(tmp_path), small.write_corpus(tmp_path)
    flags = [f"--vocab_file={vocab}", f"--input_file={corpus}", "--output_file=tf.tfrecord"]
    flags += ["--num_workers=2", "--segmenter=none"]
    done = run("<&- >&- 2>&-", ROOT / "create_pretraining_data.py", *flags, folder=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "tf.tfrecord").stat().st_size
