"""The package as pip installs it: commands, configurations, vocabulary, and what a build leaves."""

import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

import albert_zh
from albert_zh import toolkit

ROOT = pathlib.Path(__file__).parent.parent
CONFIGS = sorted(f"albert_config/{path.name}" for path in (ROOT / "albert_config").iterdir())
MODELS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "models").glob("*/*"))
# Scripts that set up the clone and show its sample, and the published module.
OF_THE_CLONE = {
    "similarity.py",
    "scripts/check_requirements.py",
    "scripts/clue_table.py",
    "scripts/clue_task.py",
    "scripts/test_changes.py",
    "scripts/quickstart_table.py",
}
# Modules that scripts import.
MODULES = {"scripts/project.py", "scripts/compat/published.py"}


def _modules(root: pathlib.Path) -> set[str]:
    return {str(path.relative_to(root)) for path in (root / "albert_zh").rglob("*.py")}


def test_every_script_is_a_command():
    found = {
        str(path.relative_to(ROOT))
        for folder in (".", "scripts", "scripts/compat")
        for path in (ROOT / folder).glob("*.py")
    }
    assert found == {*toolkit.SCRIPTS, *OF_THE_CLONE, *MODULES}


def test_package_and_set_up_require_the_same():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == (ROOT / "requirements.txt").read_text().split()


def test_optional_packages_are_extras():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {re.match(r"[\w-]+", each).group() for extra in extras.values() for each in extra}
    loads = re.compile(r'load_extra\(\s*"(\w+)')
    for path in [*(ROOT / "albert_zh").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        for module in loads.findall(path.read_text(encoding="utf-8")):
            if module != "no_such_package":
                assert module.replace("_", "-") in names, f"{path} loads {module}"


def _visible(folder: pathlib.Path) -> set[str]:
    return {path.name for path in folder.glob("[!._]*")}


def _build(kind: str, folder: pathlib.Path) -> pathlib.Path:
    """Build in the clone, as pip does, and fail if that leaves anything there."""
    pytest.importorskip("hatchling", reason="builds need hatchling: bash scripts/setup.sh --test")
    before = _visible(ROOT)
    code = f"from hatchling.build import build_{kind} as build; print(build({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert _visible(ROOT) == before
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> pathlib.Path:
    """A folder with the package as an environment has it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(_build("wheel", folder)) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def _command(installed: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run `albert-zh` of an installed package in a folder outside of the clone."""
    return subprocess.run(
        [sys.executable, "-c", "from albert_zh.toolkit import main; main()", *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )


def test_wheel_holds_modules_scripts_configurations_models_vocabulary_and_licence(installed):
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    info = f"albert_zh-{albert_zh.__version__}.dist-info"
    copies = {*toolkit.SCRIPTS, *MODULES, *CONFIGS, *MODELS}
    page = (ROOT / "albert_zh" / "serving" / "page").iterdir()
    assert files == {
        *_modules(ROOT),
        *(str(path.relative_to(ROOT)) for path in page),
        *(f"albert_zh/toolkit/{name}" for name in copies),
        *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
        f"{info}/licenses/LICENSE",
    }
    entry_points = (installed / info / "entry_points.txt").read_text()
    assert "albert-zh = albert_zh.toolkit:main" in entry_points


def test_source_distribution_holds_the_clone(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("the list of files comes from git")
    with tarfile.open(_build("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert {name for name in listed if name and (ROOT / name).exists()} <= names


def test_installed_command_lists_all_commands(installed):
    done = _command(installed, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"\n  run-pretraining +Pretrain ALBERT", done.stdout)
    for script in toolkit.SCRIPTS:
        assert f"\n  {pathlib.Path(script).stem.replace('_', '-')} " in done.stdout
    assert f"models/NAME stand for those in {installed}/albert_zh/toolkit," in done.stdout
    assert _command(installed).stdout == done.stdout
    assert _command(installed, "--version").stdout == f"albert_zh {albert_zh.__version__}\n"


@pytest.mark.parametrize("script", toolkit.SCRIPTS)
def test_installed_script_shows_its_help(installed, script):
    done = _command(installed, pathlib.Path(script).stem.replace("_", "-"), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 10


def test_installed_script_finds_our_files(installed):
    config = "albert_config/albert_config_tiny.json"
    done = _command(installed, "estimate", f"--bert_config_file={config}", "--max_seq_length=128")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{installed}/albert_zh/toolkit/{config}: ")
    assert "xxlarge" in _command(installed, "estimate", "--published").stdout


def test_unknown_command_is_one_line(installed):
    done = _command(installed, "run_pretrain", "--help")
    assert done.returncode == 1
    assert done.stderr == (
        "error: unknown command run_pretrain; did you mean run-pretraining? albert-zh --help lists "
        "all\n"
    )


def test_launcher_starts_commands_too(installed):
    done = _command(installed, "launch-local", "-n", "2", "estimate", "--published")
    assert done.returncode == 0, done.stderr
    assert "[0] xxlarge" in done.stdout
    assert "[1] xxlarge" in done.stdout


def test_reader_of_the_list_may_leave_early(installed):
    command = subprocess.Popen(
        [sys.executable, "-c", "from albert_zh.toolkit import main; main()", "--help"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    command.stdout.close()
    assert command.stderr.read() == ""
    command.wait()
