"""Downloads that break off, change or meet other files, against a server on this machine."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from download_server import file_server

from albert_zh.download.delivery import deliver
from albert_zh.util.locks import locked

ROOT = pathlib.Path(__file__).parent.parent
CONTENT = bytes(range(256)) * 4000  # about four chunks


def copy_archive(archive: str, folder: str) -> None:
    """Stand for an archive whose only file is itself."""
    content = pathlib.Path(archive).read_bytes()
    pathlib.Path(folder, "file").write_bytes(content)


@pytest.fixture
def server():
    with file_server(CONTENT) as server:
        yield server


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    return tmp_path / "models" / "tiny"


def break_off(server, folder: pathlib.Path, size: int) -> str:
    """Receive some bytes, then lose the connection; returns the message."""
    server.breaks_after = size
    with pytest.raises(OSError, match="broke off after") as caught:
        deliver(server.url, str(folder), copy_archive)
    server.breaks_after = None
    return str(caught.value)


def is_alone(folder: pathlib.Path, content: bytes = CONTENT) -> bool:
    """True if the folder holds the content, and nothing is beside it."""
    names = [path.name for path in folder.parent.iterdir()]
    return names == [folder.name] and (folder / "file").read_bytes() == content


def test_broken_download_goes_on_where_it_ended(server, folder, capsys):
    message = break_off(server, folder, 300_000)
    assert message.endswith(
        "broke off after 300,000 of 1,024,000 bytes; the same command goes on from there"
    )
    assert not folder.exists()
    part = folder.parent / "tiny.unfinished" / "archive.part"
    assert part.read_bytes() == CONTENT[:300_000]
    break_off(server, folder, 200_000)
    assert part.read_bytes() == CONTENT[:500_000]
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert [each for each in server.ranges if each] == ["bytes=300000-", "bytes=500000-"]
    assert "going on after 500,000 of 1,024,000 bytes" in capsys.readouterr().err


def test_server_without_etag_is_known_by_the_date_of_its_file(server, folder):
    server.etag = None
    break_off(server, folder, 300_000)
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert server.ranges[-1] == "bytes=300000-"


def test_nothing_is_kept_of_a_server_that_promises_no_parts(server, folder):
    server.has_ranges = False
    assert break_off(server, folder, 300_000).endswith("try again")
    assert not list(folder.parent.iterdir())
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert server.ranges == [None, None]


def test_server_that_breaks_its_promise_of_parts_is_asked_for_all(server, folder, capsys):
    server.keeps_promise = False
    break_off(server, folder, 300_000)
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert "does not send the rest of a file; starting again" in capsys.readouterr().err


@pytest.mark.parametrize("size", [1_024_000, 1_000_000])
def test_parts_of_a_changed_file_are_not_joined(server, folder, capsys, size):
    break_off(server, folder, 300_000)
    server.etag, server.content = '"second"', CONTENT[::-1][:size]
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder, server.content)
    assert "is not of the file at" in capsys.readouterr().err


def test_damaged_note_of_a_download_starts_it_again(server, folder, capsys):
    break_off(server, folder, 300_000)
    (folder.parent / "tiny.unfinished" / "archive.json").write_text("{")
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert "starting again" in capsys.readouterr().err


def test_whole_archive_is_not_received_again(server, folder, capsys):
    def interrupt(archive: str, target: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(server.url, str(folder), interrupt)
    assert "kept 1,024,000 bytes in " in capsys.readouterr().err
    server.breaks_after = 0
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)


def run_script(server, folder: pathlib.Path, *, prefix: str = "") -> subprocess.Popen:
    command = [sys.executable, ROOT / "scripts/download.py", "--model=albert_base_v1"]
    command += [f"--to={folder}", f"--url={server.url}"]
    return subprocess.Popen(
        ["bash", "-c", f'{prefix} exec "$@"', "-", *command],
        env={"PATH": os.environ["PATH"], "no_proxy": "*"},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_keeps_the_bytes_and_says_how_to_go_on(server, folder):
    server.breaks_after = 600_000
    server.pause.clear()
    process = run_script(server, folder)
    part = folder.parent / "tiny.unfinished" / "archive.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    kept = part.stat().st_size
    assert f"kept {kept:,} bytes in {part.parent}; the same command goes on from there" in errors
    assert errors.endswith("interrupted\n")
    server.pause.set()
    server.breaks_after = None
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert server.ranges[-1] == f"bytes={kept}-"


def test_full_disk_is_named_and_the_bytes_are_kept(server, folder):
    process = run_script(server, folder, prefix="ulimit -f 400;")  # KiB
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    part = folder.parent / "tiny.unfinished" / "archive.part"
    assert f"error: cannot write {part}: File too large; make room there" in errors
    assert part.stat().st_size <= 400 * 1024
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert server.ranges[-1] is not None


# ---- folders


def test_two_processes_do_not_make_one_folder(server, folder):
    complaint = r"another process is at work in .*tiny\.unfinished"
    with locked(f"{folder}.unfinished"), pytest.raises(BlockingIOError, match=complaint):
        deliver(server.url, str(folder), copy_archive)
    assert not folder.exists()


def test_folder_of_the_user_beside_the_new_one_is_left_alone(server, folder):
    mine = folder.parent / "tiny.unfinished" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match=r"tiny.unfinished is no folder of a download: it"):
        deliver(server.url, str(folder), copy_archive)
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_empty_folder_stays_the_same_one(server, folder):
    folder.mkdir(parents=True, mode=0o750)
    before = folder.stat()
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)
    assert (folder.stat().st_ino, folder.stat().st_mode) == (before.st_ino, before.st_mode)


def test_empty_folder_on_another_disk_is_filled(server, folder):
    shared = pathlib.Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == folder.parent.parent.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder.parent.mkdir(parents=True)
    there = shared / f"albert_zh_test_{os.getpid()}"
    there.mkdir()
    try:
        folder.symlink_to(there)
        deliver(server.url, f"{folder}/", copy_archive)
        assert is_alone(folder)
        assert folder.is_symlink()
    finally:
        for path in there.iterdir():
            path.unlink()
        there.rmdir()


def test_file_in_the_place_of_the_folder_is_named(server, folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("mine")
    with pytest.raises(FileExistsError, match="tiny is a file; name a folder, which may be new"):
        deliver(server.url, str(folder), copy_archive)
    assert folder.read_text() == "mine"
    assert not server.ranges


def test_files_that_cannot_all_be_placed_are_taken_back(server, folder, monkeypatch):
    def unpack(archive: str, target: str) -> None:
        for name in ("a.index", "b"):
            pathlib.Path(target, name).write_text(name)

    def move(source: str, target: str) -> None:
        if source.endswith(".index"):
            raise OSError(28, "No space left on device", target)
        os.rename(source, target)

    folder.mkdir(parents=True)
    monkeypatch.setattr("shutil.move", move)
    with pytest.raises(OSError, match="No space left"):
        deliver(server.url, str(folder), unpack)
    assert not list(folder.iterdir())
    monkeypatch.undo()
    deliver(server.url, str(folder), copy_archive)
    assert is_alone(folder)


def test_copy_on_this_machine_is_named_by_its_path(folder, tmp_path, monkeypatch):
    (tmp_path / "a copy.zip").write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    deliver("a copy.zip", str(folder), copy_archive)
    assert is_alone(folder)
    assert (tmp_path / "a copy.zip").read_bytes() == CONTENT
    with pytest.raises(OSError, match=r"cannot reach other\.zip: .*No such file"):
        deliver("other.zip", str(folder.parent / "new"), copy_archive)
