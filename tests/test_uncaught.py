"""A Python that cannot run the scripts is told in one line that leads to scripts/setup.sh."""

import subprocess
import sys

import pytest
from flag_scripts import ROOT, SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_python_without_packages_is_led_to_the_setup(script, tmp_path):
    # Without site-packages, as the Python of the system is.
    done = subprocess.run(
        [sys.executable, "-E", "-S", ROOT / script, "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {sys.executable} lacks the package absl; run `bash {ROOT}/scripts/setup.sh` and "
        "use the Python that it prints\n"
    )


def test_package_that_is_missed_later_is_named_too():
    code = "from albert_zh import cli; import no_such_package.part"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "lacks the package no_such_package; run `bash" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_module_of_our_own_keeps_its_traceback():
    code = "from albert_zh import cli; import albert_zh.no_such_module"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_old_python_is_told_which_ones_will_do():
    code = "import sys; sys.version_info = (3, 9, 18); from albert_zh import cli"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is Python 3.9, and albert_zh needs 3.10 to 3.13; run `bash" in done.stderr
    assert len(done.stderr.splitlines()) == 1
