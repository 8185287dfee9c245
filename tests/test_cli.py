"""Mistakes of the user end a script with one line and exit code 1."""

import subprocess
import sys

import pytest

SCRIPT = """
from albert_zh import cli

def main():
    {body}

cli.run(main)
"""


def run_script(body, *flags):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(body=body), *flags],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("body", ["raise ValueError('bad row 7')", "raise OSError('bad row 7')"])
def test_error_of_the_user_is_one_line(body):
    done = run_script(body)
    assert done.returncode == 1
    assert done.stderr == "error: bad row 7\n"


def test_interruption_is_one_line():
    done = run_script("raise KeyboardInterrupt")
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_verbosity_shows_where_the_error_was_raised():
    done = run_script("raise ValueError('bad row 7')", "--verbosity=1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("error: bad row 7\n")


def test_error_of_the_programmer_keeps_its_traceback():
    done = run_script("raise KeyError('oops')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_tensorflow_warns_but_does_not_chat():
    say = "import tensorflow as tf; log = tf.get_logger(); log.info('chat'); log.warning('care')"
    shown = run_script(say).stderr
    assert "care" in shown
    assert "chat" not in shown


@pytest.mark.parametrize(
    ("argument", "message"),
    [("--no_such_flag=1", "Unknown command line flag 'no_such_flag'"), ("False", "'False'")],
)
def test_unknown_flag_and_stray_word_are_errors(argument, message):
    done = run_script("print('ran')", argument)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert "ran" not in done.stdout


def test_good_run_exits_with_0():
    assert run_script("print('ran')").stdout == "ran\n"
