"""Mistakes of the user end a script with one line and exit code 1."""

import signal
import subprocess
import sys

import pytest

SCRIPT = '''"""Does little."""

import dataclasses
from albert_zh import cli
from albert_zh.flags import option

@dataclasses.dataclass(frozen=True)
class Options:
    """Flags of the test."""

    word: str = option("ran", "Word to print.")

    def check(self):
        if self.word == "missing":
            raise FileNotFoundError("there is no file missing")

def main(options):
    {body}

cli.run(main, Options)
'''


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
    [("--no_such_flag=1", "unknown flag --no_such_flag"), ("False", "'False'")],
)
def test_unknown_flag_and_stray_word_are_errors(argument, message):
    done = run_script("print('ran')", argument)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert "ran" not in done.stdout


def test_good_run_exits_with_0():
    done = run_script("print(options.word)", "--word", "walked")
    assert (done.returncode, done.stdout, done.stderr) == (0, "walked\n", "")


def test_options_are_checked_before_the_work():
    done = run_script("print('ran')", "--word=missing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: there is no file missing\n"


def test_help_describes_the_script_its_flags_and_no_others():
    assert (
        run_script("print('ran')", "--help").stdout
        == """\
Does little.

Flags of the test:

  --word=TEXT (default: ran)
      Word to print.

Logging flags:

  --verbosity=N (default: 0)
      -1: warnings and errors; 0: also progress; 1: also details and tracebacks.
"""
    )


@pytest.mark.parametrize(
    ("body", "flag"), [("print('ran')", "--help"), ("print('ran ' * 100000)", "--word=x")]
)
def test_reader_of_the_output_may_leave_early(body, flag):
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(body=body), flag],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    script.stdout.close()
    assert script.stderr.read() == ""
    script.wait()


def test_interruption_during_the_imports_is_one_line():
    code = "from albert_zh import cli; raise KeyboardInterrupt  # while a module is imported"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode in (130, -signal.SIGINT)
    assert done.stderr == "interrupted\n"


def test_interruption_cannot_be_changed_by_a_module_that_is_being_imported(tmp_path):
    # numpy answers with an ImportError and a page of advice, for example.
    (tmp_path / "stubborn.py").write_text(
        "import os, signal\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.getpid()\n"
        "except KeyboardInterrupt:\n"
        "    raise ImportError('the installation is broken')\n"
    )
    path = f"import sys; sys.path.append({str(tmp_path)!r})"
    code = f"from albert_zh import cli; {path}; import stubborn"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_interruption_outside_imports_raises_as_usual():
    done = run_script(
        "import os, signal\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT); os.getpid()\n"
        "    except KeyboardInterrupt:\n"
        "        print('caught')"
    )
    assert (done.returncode, done.stdout) == (0, "caught\n"), done.stderr
