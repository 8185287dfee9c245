"""scripts/setup.sh: in copies of the project that need one small package, kept in a folder."""

import importlib.util
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time
import zipfile

import pytest

from albert_zh.util.nvidia import find_nvidia_gpu

ROOT = pathlib.Path(__file__).parent.parent
# What setting up reads.
FILES = (
    "scripts/setup.sh",
    "scripts/help.sh",
    "scripts/check_requirements.py",
    "albert_zh/__init__.py",
    "albert_zh/util/__init__.py",
    "albert_zh/util/nvidia.py",
)
# Folders with the shell's own commands, without any Python.
COMMANDS = ("bash", "cat", "dirname", "mkdir", "readlink", "rm", "sleep")


def _write_wheel(folder: pathlib.Path, name: str, version: str, *metadata: str) -> None:
    info = f"{name}-{version}.dist-info"
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata)
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": "".join(f"{line}\n" for line in lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, content)


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> pathlib.Path:
    """What `python -m venv` makes. That takes seconds, most of them for pip."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def copying_python(environment, tmp_path_factory) -> pathlib.Path:
    """This Python, whose `-m venv FOLDER` copies that environment."""
    python = tmp_path_factory.mktemp("python") / "python3"
    copy = f"exec '{shutil.which('cp')}' -R '{environment}/.' \"$3\""
    python.write_text(
        f"""#!/bin/sh\n[ "$1 $2" != "-m venv" ] || {copy}\nexec '{sys.executable}' "$@"\n"""
    )
    python.chmod(0o755)
    return python


class Project:
    """A copy of what setting up needs; `run` runs a bash command in it."""

    def __init__(self, root: pathlib.Path, python: str | os.PathLike = sys.executable):
        self.root = root
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        (root / "requirements.txt").write_text("pebble>=1.2\n")
        (root / "pyproject.toml").write_text(
            '[project.optional-dependencies]\ntest = [\n  "gravel>=0.3",\n]\n'
        )
        self.wheels = root.parent / "wheels"
        _write_wheel(self.wheels, "pebble", "1.10.0")
        _write_wheel(self.wheels, "gravel", "0.3")
        self.env = {
            "PATH": f"{os.path.dirname(python)}:{os.environ['PATH']}",
            "HOME": str(root),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def run(self, command: str = "bash scripts/setup.sh", **env: str):
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.root,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def python_only(self, *pythons: tuple[str, str]) -> str:
        """A PATH with the shell's commands and the given (name, script) executables."""
        folder = self.root / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for command in COMMANDS:
            (folder / command).symlink_to(shutil.which(command))
        for name, script in pythons:
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return str(folder)


@pytest.fixture
def project(tmp_path, copying_python) -> Project:
    return Project(tmp_path / "project", copying_python)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """A project that has been set up with the test tools, by Python; tests leave it whole."""
    project = Project(tmp_path_factory.mktemp("setup") / "a project")
    result = project.run("bash scripts/setup.sh --test")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{project.root}/.venv/bin/python\n"
    return project


def _version(project: Project, package: str) -> str:
    code = f"from importlib import metadata; print(metadata.version('{package}'))"
    return project.run(f"'.venv/bin/python' -c \"{code}\"").stdout.strip()


def test_first_run_installs_requirements_and_test_tools(finished):
    assert (_version(finished, "pebble"), _version(finished, "gravel")) == ("1.10.0", "0.3")


def test_second_run_is_quick_and_needs_no_packages(finished):
    started = time.monotonic()
    result = finished.run("bash scripts/setup.sh --test", PIP_FIND_LINKS="/nowhere")
    assert time.monotonic() - started < 3
    assert (result.returncode, result.stderr) == (0, "")


def test_new_requirement_is_installed_and_the_rest_is_kept(finished):
    _write_wheel(finished.wheels, "cobble", "2.0")
    requirements = finished.root / "requirements.txt"
    requirements.write_text("pebble>=1.2\ncobble>=2\n")
    before = (finished.root / ".venv/pyvenv.cfg").stat().st_mtime_ns
    result = finished.run()
    requirements.write_text("pebble>=1.2\n")
    assert result.returncode == 0, result.stderr
    assert _version(finished, "cobble") == "2.0"
    assert (finished.root / ".venv/pyvenv.cfg").stat().st_mtime_ns == before


def test_failed_install_says_what_to_do_and_keeps_the_environment(finished):
    requirements = finished.root / "requirements.txt"
    requirements.write_text("pebble>=9\n")
    result = finished.run()
    requirements.write_text("pebble>=1.2\n")
    assert result.returncode == 1
    assert "could not install pebble>=9" in result.stderr
    assert "pip download" in result.stderr
    assert finished.run().returncode == 0
    assert _version(finished, "pebble") == "1.10.0"


def test_sourcing_sets_python_and_leaves_the_shell_as_it_was(finished):
    script = """
        options=$-
        source scripts/setup.sh --test
        [ "$-" = "$options" ] || echo "shell options changed"
        false
        echo "$PYTHON and $(bash -c 'echo $PYTHON')"
        declare -F
    """
    result = finished.run(script)
    python = f"{finished.root}/.venv/bin/python"
    assert result.stdout == f"{python} and {python}\n"


def test_sourcing_ignores_the_arguments_of_the_calling_script(finished):
    (finished.root / "caller.sh").write_text('source scripts/setup.sh; echo "$PYTHON $1"\n')
    result = finished.run("bash caller.sh --data_dir=x")
    assert result.stdout == f"{finished.root}/.venv/bin/python --data_dir=x\n"


def test_failure_ends_a_strict_script_but_not_an_interactive_shell(project):
    path = project.python_only()
    strict = project.run("set -euo pipefail; source scripts/setup.sh; echo alive", PATH=path)
    assert (strict.returncode, strict.stdout) == (1, "")
    lenient = project.run("source scripts/setup.sh; echo status $?", PATH=path)
    assert lenient.stdout == "status 1\n"


def test_half_made_environment_is_made_anew(project):
    leftover = project.root / ".venv/lib/leftover"
    leftover.mkdir(parents=True)
    (project.root / ".venv/.setup-unfinished").touch()
    result = project.run()
    assert result.returncode == 0, result.stderr
    assert "was interrupted" in result.stderr
    assert not leftover.exists()
    assert _version(project, "pebble") == "1.10.0"
    assert project.run().stderr == ""


def test_killed_installation_is_repaired_by_the_next_run(project):
    # An address that never answers stands in for a long download.
    started = subprocess.Popen(
        ["bash", "scripts/setup.sh"],
        cwd=project.root,
        env={**project.env, "PIP_FIND_LINKS": "http://127.0.0.1:9", "PIP_RETRIES": "100"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in started.stderr:
        if "installing" in line:
            break
    os.killpg(started.pid, 9)
    started.wait()
    result = project.run()
    assert result.returncode == 0, result.stderr
    assert _version(project, "pebble") == "1.10.0"


def test_environment_in_the_making_is_left_alone(project):
    (project.root / ".venv").mkdir()
    (project.root / ".venv/.setup-unfinished").write_text(str(os.getpid()))
    result = project.run()
    assert result.returncode == 1
    assert f"process {os.getpid()} is setting up .venv" in result.stderr
    assert (project.root / ".venv/.setup-unfinished").exists()


def test_environment_whose_python_is_gone_is_made_anew(project):
    (project.root / ".venv/bin").mkdir(parents=True)
    (project.root / ".venv/bin/python").symlink_to("/nowhere/python3")
    result = project.run()
    assert result.returncode == 0, result.stderr
    assert "creating .venv again" in result.stderr


def test_working_environment_of_another_python_is_not_deleted(project):
    (project.root / ".venv/bin").mkdir(parents=True)
    python = project.root / ".venv/bin/python"
    # Runs, but says of itself that it is no supported version.
    python.write_text('#!/bin/sh\n[ -z "$2" ]\n')
    python.chmod(0o755)
    result = project.run()
    assert result.returncode == 1
    assert "mv .venv .venv.old" in result.stderr
    assert python.exists()


def test_active_environment_that_has_everything_is_used(finished, project):
    active = f"{finished.root}/.venv"
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        result = project.run(**{variable: active})
        assert (result.stdout, result.stderr) == (f"{active}/bin/python\n", "")
    assert not (project.root / ".venv").exists()


def test_active_environment_that_lacks_something_is_not_changed(finished, project):
    (project.root / "requirements.txt").write_text("pebble>=1.2\ncobble>=99\n")
    result = project.run(VIRTUAL_ENV=f"{finished.root}/.venv", PATH=project.python_only())
    assert f"{finished.root}/.venv lacks cobble>=99; using .venv" in result.stderr
    assert result.returncode == 1


def test_no_suitable_python_says_how_to_get_one(project):
    result = project.run(PATH=project.python_only(("python3", "exit 1")))
    assert result.returncode == 1
    assert "no Python 3.10 to 3.13 found" in result.stderr
    assert "sudo apt-get install python3" in result.stderr
    assert not (project.root / ".venv").exists()


def test_python_without_venv_is_passed_over_or_named(project, copying_python):
    without = f"""case "$2" in *ensurepip*) exit 1;; esac; exec '{sys.executable}' "$@" """
    result = project.run(PATH=project.python_only(("python3", without)))
    assert result.returncode == 1
    assert "python3 cannot create environments" in result.stderr
    assert "apt-get install python3-venv" in result.stderr
    whole = f"""exec '{copying_python}' "$@" """
    path = project.python_only(("python3", without), ("python3.12", whole))
    assert f"creating .venv with {path}/python3.12" in project.run(PATH=path).stderr


def test_unknown_argument_is_an_error(project):
    result = project.run("bash scripts/setup.sh --tests")
    assert result.returncode == 1
    assert "unknown argument --tests" in result.stderr


@pytest.mark.parametrize("command", ["--help", "--test -h"])
def test_help_sets_nothing_up(project, command):
    result = project.run(f"cd scripts && bash setup.sh {command}")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Finds or creates a Python environment")
    assert "--cuda" in result.stdout
    assert not (project.root / ".venv").exists()


def test_python_of_the_path_is_used_if_it_has_everything_and_there_is_no_venv(finished, project):
    python = f"{finished.root}/.venv/bin"
    path = f"{python}:{project.env['PATH']}"
    result = project.run(PATH=path)
    assert (result.stdout, result.stderr) == (f"{python}/python3\n", "")
    assert not (project.root / ".venv").exists()
    (project.root / "requirements.txt").write_text("pebble>=99\n")
    assert "creating .venv" in project.run(PATH=path).stderr


# ---- TensorFlow for NVIDIA GPUs, and under other names


@pytest.fixture
def tensorflow_project(project) -> Project:
    """A project that needs a small tensorflow, whose CUDA libraries are one small package."""
    (project.root / "requirements.txt").write_text("tensorflow>=2.20\npebble>=1.2\n")
    cuda = ("Provides-Extra: and-cuda", "Requires-Dist: nvidia-granite<3; extra == 'and-cuda'")
    _write_wheel(project.wheels, "tensorflow", "2.21.0", *cuda)
    _write_wheel(project.wheels, "tensorflow_cpu", "2.21.0")
    _write_wheel(project.wheels, "nvidia_granite", "2.0")
    return project


def _with_gpu(project: Project) -> dict[str, str]:
    """Variables with which set-up finds an NVIDIA GPU."""
    folder = project.root / "driver"
    folder.mkdir(exist_ok=True)
    (folder / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: Tesla (UUID: GPU-1)'\n")
    (folder / "nvidia-smi").chmod(0o755)
    return {"PATH": f"{folder}:{project.env['PATH']}"}


def _packages(project: Project) -> list[str]:
    site = next(project.root.glob(".venv/lib/python3*/site-packages"))
    stones = ("tensorflow", "nvidia", "pebble")
    return sorted(file.stem for file in site.glob("*.py") if file.name.startswith(stones))


needs_cuda_packages = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="TensorFlow has packages for CUDA on Linux on x86_64 only",
)


@needs_cuda_packages
def test_machine_with_a_gpu_gets_the_libraries_for_it_and_is_told(tensorflow_project):
    project = tensorflow_project
    result = project.run(**_with_gpu(project))
    assert result.returncode == 0, result.stderr
    assert (
        "TensorFlow gets the CUDA libraries for NVIDIA GPUs (about 3 GB, on disk 4 GB)"
        in result.stderr
    )
    assert _packages(project) == ["nvidia_granite", "pebble", "tensorflow"]
    assert project.run(**_with_gpu(project)).stderr == ""


@pytest.mark.skipif(find_nvidia_gpu() is not None, reason="there is a GPU")
def test_machine_without_a_gpu_gets_tensorflow_alone_until_there_is_one(tensorflow_project):
    project = tensorflow_project
    assert project.run().returncode == 0
    assert _packages(project) == ["pebble", "tensorflow"]
    project.run(**_with_gpu(project))
    assert "nvidia_granite" in _packages(project)


@needs_cuda_packages
def test_libraries_for_the_gpu_can_be_refused_for_good_and_ordered(tensorflow_project):
    project = tensorflow_project
    assert project.run("bash scripts/setup.sh --cpu", **_with_gpu(project)).returncode == 0
    assert _packages(project) == ["pebble", "tensorflow"]
    assert project.run(**_with_gpu(project)).stderr == ""
    assert project.run("bash scripts/setup.sh --cuda").returncode == 0
    assert "nvidia_granite" in _packages(project)


@needs_cuda_packages
def test_set_up_environment_goes_on_if_the_libraries_cannot_be_installed(tensorflow_project):
    project = tensorflow_project
    assert project.run("bash scripts/setup.sh --cpu").returncode == 0
    (project.root / ".venv/.tensorflow").unlink()
    (project.wheels / "nvidia_granite-2.0-py3-none-any.whl").unlink()
    result = project.run(**_with_gpu(project))
    assert (result.returncode, result.stdout) == (0, f"{project.root}/.venv/bin/python\n")
    assert "going on with TensorFlow for the CPU" in result.stderr


@pytest.mark.parametrize("has_gpu", [False, True])
def test_tensorflow_cpu_is_a_tensorflow_and_gets_no_second_one(
    tensorflow_project, environment, has_gpu
):
    project = tensorflow_project
    venv = project.root / ".venv"
    shutil.copytree(environment, venv, symlinks=True)
    project.run(".venv/bin/python -m pip install tensorflow-cpu")
    variables = _with_gpu(project) if has_gpu else {}
    assert project.run(**variables).returncode == 0
    assert _packages(project) == ["pebble", "tensorflow_cpu"]
    venv.rename(project.root / "mine")
    active = f"{project.root}/mine"
    assert project.run(VIRTUAL_ENV=active, **variables).stdout == f"{active}/bin/python\n"


def test_old_tensorflow_cpu_is_renewed_under_its_name(tensorflow_project, environment):
    project = tensorflow_project
    _write_wheel(project.wheels, "tensorflow_cpu", "2.15.0")
    shutil.copytree(environment, project.root / ".venv", symlinks=True)
    project.run(".venv/bin/python -m pip install tensorflow-cpu==2.15.0")
    result = project.run()
    assert "installing into .venv: tensorflow-cpu>=2.20 pebble>=1.2 (" in result.stderr
    assert _packages(project) == ["pebble", "tensorflow_cpu"]
    assert _version(project, "tensorflow-cpu") == "2.21.0"


def test_signs_of_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_nvidia_gpu(str(tmp_path)) is None
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/nvidia-smi"
    for answer, sign in [("exit 9", None), ("echo No devices found.", None), ("", "nvidia-smi")]:
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
        assert find_nvidia_gpu(str(tmp_path)) == sign
    for file in ("usr/lib/wsl/lib/libcuda.so.1", "dev/nvidia0", "proc/driver/nvidia/version"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
        assert find_nvidia_gpu(str(tmp_path)) == str(tmp_path / file)


@pytest.fixture(scope="module")
def check_requirements():
    spec = importlib.util.spec_from_file_location(
        "check_requirements", ROOT / "scripts/check_requirements.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.21.0rc1", (2, 21)), ("8", (8,)), ("6.100.0", (6, 100)), ("2.20.1+cpu", (2, 20, 1))],
)
def test_versions_are_compared_by_their_numbers(check_requirements, version, numbers):
    assert check_requirements.release(version) == numbers


def test_test_extra_is_read_as_toml_reads_it(check_requirements):
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    expected = tomllib.loads(text)["project"]["optional-dependencies"]["test"]
    assert check_requirements.test_extra(text) == expected


def test_requirements_have_the_form_that_setup_reads(check_requirements):
    """Setup hands them to pip as the words of one line: a marker after them would be words, too."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for requirement in requirements + check_requirements.test_extra(text):
        assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", requirement), requirement


def test_this_environment_meets_the_requirements(check_requirements):
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert [item for item in requirements if not check_requirements.is_met(item)] == []
