"""Shell scripts: --help shows the comment at the top; a signal ends a script with its stage."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "scripts")
    for path in (ROOT / folder).glob("*.sh")
    if path.name not in ("help.sh", "stages.sh", "weights.sh")  # files that the others source
)


def run(script: str, *flags: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    # No Python is on this PATH, so nothing can be set up, downloaded or run.
    (folder / "bin").mkdir()
    for name in ("bash", "dirname", "readlink"):
        (folder / "bin" / name).symlink_to(f"/usr/bin/{name}")
    return subprocess.run(
        ["bash", script, *flags],
        env={"PATH": str(folder / "bin")},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("flags", [["--help"], ["-h"], ["--max_seq_length=64", "--help"]])
@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_how_to_use_a_script_and_does_nothing(script, flags, tmp_path):
    before = sorted(ROOT.iterdir())
    done = run(script, *flags, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    comment = (ROOT / script).read_text(encoding="utf-8").splitlines()[1 : len(lines) + 1]
    assert [f"# {line}".strip() for line in lines] == comment
    assert f"bash {script}" in done.stdout
    assert sorted(ROOT.iterdir()) == before


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_found_through_symbolic_links(script, tmp_path):
    (tmp_path / "link.sh").symlink_to(os.path.relpath(ROOT / script, tmp_path))
    (tmp_path / "folder").symlink_to((ROOT / script).parent)
    expected = run(script, "--help", folder=tmp_path)
    assert expected.stdout
    for path in ("link.sh", f"folder/{os.path.basename(script)}"):
        done = subprocess.run(
            ["bash", path, "--help"], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, expected.stdout, "")


@pytest.mark.parametrize("redirections", [">&-", "2>&-"])
def test_closed_streams_are_as_good_as_dev_null(redirections):
    script = f"bash {ROOT}/run_classifier_lcqmc.sh --help {redirections}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (redirections == "2>&-")


def test_quickstart_takes_no_arguments(tmp_path):
    done = run("scripts/quickstart.sh", "--output_dir=x", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: unknown argument --output_dir=x; this script takes none\n"


SLEEP = """
import signal, time
received = []
for number in (signal.SIGINT, signal.SIGTERM) * {stops_well}:
    signal.signal(number, lambda number, _: received.append(number))
print("at work", flush=True)
while not received:  # not signal.pause(), which would miss a signal that came just before
    time.sleep(0.02)
time.sleep(0.3)  # It saves.
"""
RECIPE = "pretrain_recipe.sh --init_checkpoint=w --input_file=a --vocab_file=b --bert_config_file=c"


@pytest.mark.parametrize("is_group", [True, False])  # Ctrl-C reaches all; kill only the script
@pytest.mark.parametrize(
    ("at_work", "code"), [("create_pretraining_data.py", 143), ("run_pretraining.py", 0)]
)
@pytest.mark.parametrize("script", [f"{RECIPE} --output_dir=out", "quickstart.sh"])
def test_signal_ends_a_script_with_the_stage_at_work(tmp_path, script, at_work, code, is_group):
    for name in ("scripts", "albert_zh"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for source, name in (("vocab.txt", "b"), ("albert_config_tiny.json", "c")):
        shutil.copy(ROOT / "albert_config" / source, tmp_path / name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "news_zh_1.txt").write_text("a\n", encoding="utf-8")
    stages = ("create_pretraining_data.py", "run_pretraining.py", "run_classifier.py")
    for name in (*stages, "scripts/fill_mask.py"):
        (tmp_path / name).write_text(f"print({name!r})\n", encoding="utf-8")
    program = SLEEP.format(stops_well=code == 0)
    (tmp_path / at_work).write_text(program, encoding="utf-8")
    process = subprocess.Popen(
        ["bash", *f"scripts/{script}".split()],
        cwd=tmp_path,
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.stdout.readline() != "at work\n":
        assert process.poll() is None
    if is_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (code, "")
    assert errors.endswith("stopped; the same command resumes\n")


def test_training_that_was_stopped_alone_ends_the_script(tmp_path):
    script = "set -e; source scripts/stages.sh; run_training $0/end true; echo went on"
    done = subprocess.run(
        ["bash", "-c", script, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "stopped; the same command resumes\n")
    (tmp_path / "end").touch()
    done = subprocess.run(
        ["bash", "-c", script, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("went on\n", "")
