"""Shell scripts: --help, and nothing else, shows the comment at the top."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "scripts")
    for path in (ROOT / folder).glob("*.sh")
    if path.name != "help.sh"  # the file that shows the help of the others
)


def run(script: str, *flags: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    # No Python is on this PATH, so nothing can be set up, downloaded or run.
    (folder / "bin").mkdir()
    for name in ("bash", "dirname"):
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


def test_quickstart_takes_no_arguments(tmp_path):
    done = run("scripts/quickstart.sh", "--output_dir=x", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: unknown argument --output_dir=x; this script takes none\n"
