"""Several workers of one script on one machine: output, signals, exit codes."""

import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SCRIPT = """
import json, os, signal, sys, time
config = json.loads(os.environ["TF_CONFIG"])
index = config["task"]["index"]
{body}
"""


def start(directory, body, *flags):
    script = directory / "script.py"
    script.write_text(SCRIPT.format(body=body))
    return subprocess.Popen(
        [sys.executable, "scripts/launch_local.py", "-n", "2", str(script), *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(launcher) -> tuple[int, list[str], str]:
    output, errors = launcher.communicate(timeout=60)
    return launcher.returncode, sorted(output.splitlines()), errors


def test_workers_have_the_flags_their_number_and_each_others_addresses(tmp_path):
    body = "print(*sys.argv[1:]); print(config['task']['type'], *config['cluster']['worker'])"
    code, lines, errors = finish(start(tmp_path, body, "-n", "--batch=8", "7"))
    assert (code, errors) == (0, "")
    assert lines[::2] == ["[0] -n --batch=8 7", "[1] -n --batch=8 7"]
    workers = [line.split()[1:] for line in lines[1::2]]
    assert workers[0] == workers[1]
    kind, first, second = workers[0]
    assert (kind, len({first, second})) == ("worker", 2)


def test_first_failure_ends_the_others_and_is_the_exit_code(tmp_path):
    body = "time.sleep(60) if index == 0 else sys.exit(7)"
    assert finish(start(tmp_path, body)) == (
        *(7, []),
        "worker 1 failed (exit code 7); stopping the others\n",
    )


def test_killed_worker_is_told(tmp_path):
    body = "time.sleep(60) if index == 0 else os.kill(os.getpid(), signal.SIGKILL)"
    assert finish(start(tmp_path, body)) == (
        *(137, []),
        "worker 1 failed (killed by SIGKILL); stopping the others\n",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_every_worker_once(tmp_path, number):
    body = """
got = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: got.append(signal.Signals(number).name))
print("ready")
while not got:
    time.sleep(0.01)
time.sleep(0.5)  # A second signal would arrive by now.
print("got", *got)
"""
    launcher = start(tmp_path, body)
    for _ in range(2):
        assert launcher.stdout.readline().endswith("ready\n")
    launcher.send_signal(number)
    name = signal.Signals(number).name
    assert finish(launcher) == (0, [f"[0] got {name}", f"[1] got {name}"], "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-n", "0", "run_pretraining.py"], "at least one worker"),
        (["-n", "2", "run_pretrain.py"], "there is no script run_pretrain.py"),
        (["-n", "2"], "required: script"),
    ],
)
def test_mistakes_are_told_before_anything_starts(arguments, message):
    done = subprocess.run(
        [sys.executable, "scripts/launch_local.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert message in done.stderr
