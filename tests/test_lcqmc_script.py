"""run_classifier_lcqmc.sh and scripts/download.py, offline or against a server on this machine.

The script runs in a copy of the project whose run_classifier.py prints its arguments.
"""

import functools
import http.server
import io
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parent.parent
DATA_FILE = "albert_model.ckpt.data-00000-of-00001"
DATA_BYTES = 17_180_744
MODEL_FILES = ("albert_config_tiny.json", DATA_FILE, "albert_model.ckpt.index", "vocab.txt")
# No address can be reached through a proxy that is not there.
OFFLINE = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}


@pytest.fixture
def project(tmp_path) -> pathlib.Path:
    root = tmp_path / "a [1] project"
    root.mkdir()
    for name in ("run_classifier_lcqmc.sh", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for name in ("scripts", "albert_zh"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "run_classifier.py").write_text("import sys\nprint(*sys.argv[1:], sep='\\n')\n")
    return root


def _run(project: pathlib.Path, *arguments: str) -> tuple[dict[str, str], str]:
    """The flags run_classifier.py got (of one given twice, the last), and the script's messages."""
    result = subprocess.run(
        ["bash", project / "run_classifier_lcqmc.sh", *arguments],
        cwd=project.parent,
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix, **OFFLINE},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    pairs = (line.removeprefix("--").partition("=") for line in result.stdout.splitlines())
    return {name: value for name, _, value in pairs}, result.stderr


def _make_model(folder: pathlib.Path, *, without: str = "") -> None:
    folder.mkdir(parents=True)
    for name in MODEL_FILES:
        if name != without:
            (folder / name).write_text(name)


def test_interrupted_download_ends_the_script(project):
    (project / "scripts" / "download.py").write_text("import sys\nsys.exit(130)\n")
    result = subprocess.run(
        ["bash", project / "run_classifier_lcqmc.sh"],
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (130, "")
    assert "weights:" not in result.stderr


def test_offline_clone_runs_on_the_sample_from_our_model(project):
    flags, messages = _run(project)
    assert flags == {
        "task_name": "lcqmc",
        "do_train": "True",
        "do_eval": "True",
        "max_seq_length": "128",
        "train_batch_size": "64",
        "learning_rate": "2e-4",
        "num_train_epochs": "5",
        "output_dir": f"{project}/lcqmc_output/",
        "data_dir": f"{project}/data/lcqmc_sample",
        "init_checkpoint": f"{project}/models/albert_tiny",
        "use_pooled_output": "False",
    }
    data, download, weights = messages.splitlines()
    assert "gives the real LCQMC on application" in data
    assert "cannot reach https://storage.googleapis.com/albert_zh/albert_tiny_489k.zip" in download
    assert weights.startswith("weights: models/albert_tiny")
    assert not (project / "prev_trained_model").exists()


@pytest.mark.parametrize("folder", ["albert_tiny_zh", "prev_trained_model/albert_tiny_zh"])
def test_published_model_is_used_with_its_own_vocabulary(project, folder):
    _make_model(project / folder)
    flags, messages = _run(project)
    assert flags["init_checkpoint"] == f"{project}/{folder}/albert_model.ckpt"
    assert flags["vocab_file"] == f"{project}/{folder}/vocab.txt"
    assert flags["bert_config_file"] == f"{project}/{folder}/albert_config_tiny.json"
    assert f"weights: {folder}\n" in messages


@pytest.mark.parametrize("missing", MODEL_FILES)
def test_half_a_model_is_named_and_neither_used_nor_changed(project, missing):
    folder = project / "prev_trained_model/albert_tiny_zh"
    _make_model(folder, without=missing)
    flags, messages = _run(project)
    assert flags["init_checkpoint"] == f"{project}/models/albert_tiny"
    lacking = missing.replace("data-00000-of-00001", "data-*")
    assert (
        f"prev_trained_model/albert_tiny_zh is not used, because it lacks {lacking}\n" in messages
    )
    assert sorted(path.name for path in folder.iterdir()) == sorted({*MODEL_FILES} - {missing})


def test_downloaded_model_is_used(project):
    (project / "scripts/download.py").write_text(
        "import os, sys\n"
        "folder = sys.argv[2].removeprefix('--to=')\n"
        "os.makedirs(folder)\n"
        f"for name in {MODEL_FILES}:\n"
        "    open(os.path.join(folder, name), 'w').close()\n"
    )
    flags, _ = _run(project)
    folder = f"{project}/prev_trained_model/albert_tiny_zh"
    assert flags["init_checkpoint"] == f"{folder}/albert_model.ckpt"
    assert flags["vocab_file"] == f"{folder}/vocab.txt"


def test_lcqmc_folder_is_preferred_to_the_sample(project):
    (project / "lcqmc").mkdir()
    flags, messages = _run(project)
    assert flags["data_dir"] == f"{project}/lcqmc"
    assert "application" not in messages


@pytest.mark.parametrize(
    ("arguments", "passed_on"),
    [
        (["--data_dir=mine"], {"data_dir": "mine"}),
        (["--data_dir", "mine"], {"data_dir": "", "mine": ""}),
    ],
)
def test_given_data_dir_is_passed_on_without_advice(project, arguments, passed_on):
    (project / "lcqmc").mkdir()
    flags, messages = _run(project, *arguments)
    assert passed_on.items() <= flags.items()
    assert "data:" not in messages


def test_given_checkpoint_is_used_and_no_weights_are_looked_for(project):
    _make_model(project / "albert_tiny_zh")
    flags, messages = _run(
        project, "--init_checkpoint=own/model.ckpt-9", "--albert_config_file=own.json"
    )
    assert flags["init_checkpoint"] == "own/model.ckpt-9"
    assert flags["albert_config_file"] == "own.json"
    assert not {"bert_config_file", "vocab_file"} & {*flags}  # those beside the checkpoint
    assert "weights:" not in messages


def test_appended_flags_come_last(project):
    flags, _ = _run(project, "--num_train_epochs=1", "--output_dir=out")
    assert (flags["num_train_epochs"], flags["output_dir"]) == ("1", "out")


# ---- scripts/download.py


def _archive(*, data_bytes: int = DATA_BYTES, without: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in MODEL_FILES:
            if name != without:
                content = bytes(data_bytes) if name == DATA_FILE else name.encode()
                archive.writestr(f"albert_tiny/{name}", content)
        archive.writestr("albert_tiny/albert_model.ckpt.meta", "not asked for")
    return buffer.getvalue()


@pytest.fixture
def served(tmp_path):
    """A folder that a server on this machine shows, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_QuietHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files; of `cut.zip` it announces more than it sends."""

    def log_message(self, *arguments):
        pass

    def send_header(self, name, value):
        if name == "Content-Length" and self.path == "/cut.zip":
            value = str(int(value) + 1000)
        super().send_header(name, value)


def _download(url: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, ROOT / "scripts/download.py"),
            *("--model=albert_tiny_zh", f"--to={folder}", f"--url={url}"),
        ],
        env={"PATH": os.environ["PATH"], "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_download_makes_the_folder_with_the_files_wanted(served, tmp_path):
    folder, address = served
    (folder / "good.zip").write_bytes(_archive())
    target = tmp_path / "models/albert_tiny_zh"
    result = _download(f"{address}/good.zip", target)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in target.iterdir()) == sorted(MODEL_FILES)
    assert (target / DATA_FILE).stat().st_size == DATA_BYTES
    assert (target / "vocab.txt").read_text() == "vocab.txt"
    assert [path.name for path in target.parent.iterdir()] == ["albert_tiny_zh"]


def _corrupted() -> bytes:
    content = bytearray(_archive())
    content[content.index(b"albert_tiny/vocab.txt") + len("albert_tiny/vocab.txt")] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "complaint"),
    [
        ("cut.zip", _archive, "broke off after"),
        ("short.zip", lambda: _archive()[:-30], "is not a complete zip archive"),
        ("damaged.zip", _corrupted, "is not a complete zip archive"),
        ("other.zip", lambda: _archive(data_bytes=9), "has 9 bytes, the published one 17,180,744"),
        ("poor.zip", lambda: _archive(without="vocab.txt"), "holds 0 files vocab.txt"),
        ("absent.zip", None, "HTTP Error 404"),
    ],
)
def test_bad_download_leaves_nothing_behind(served, tmp_path, name, make, complaint):
    folder, address = served
    if make is not None:
        (folder / name).write_bytes(make())
    parent = tmp_path / "models"
    parent.mkdir()
    result = _download(f"{address}/{name}", parent / "albert_tiny_zh")
    assert result.returncode == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(parent.iterdir())


def test_server_that_does_not_answer_is_given_up_soon(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        result = _download(f"http://127.0.0.1:{silent.getsockname()[1]}/x.zip", tmp_path / "model")
    assert time.monotonic() - started < 15
    assert "no answer" in result.stderr


def test_files_of_the_user_are_never_touched(served, tmp_path):
    folder, address = served
    (folder / "good.zip").write_bytes(_archive())
    mine = tmp_path / "albert_tiny_zh/vocab.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    result = _download(f"{address}/good.zip", mine.parent)
    assert result.returncode == 1
    assert "holds files already" in result.stderr
    assert [path.name for path in mine.parent.iterdir()] == ["vocab.txt"]
    assert mine.read_text() == "mine"
