"""Locks of directories: who holds them, and that they end with the process."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from albert_zh.util import locks
from albert_zh.util.locks import LOCK, locked

HOLD = """
import sys, time
from albert_zh.util.locks import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_process_is_told_who_holds_the_lock_until_that_one_is_killed(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(BlockingIOError) as raised, locked(str(tmp_path), patience=0.2):
        pass
    assert re.fullmatch(
        rf"another process is at work in {re.escape(str(tmp_path))}: process {holder.pid} on \S+, "
        r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}",
        str(raised.value),
    )
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert os.listdir(tmp_path) == [LOCK]
    with locked(str(tmp_path), patience=0):
        pass
    assert os.listdir(tmp_path) == []


def test_directory_may_be_removed_while_it_is_locked(tmp_path):
    directory = tmp_path / "work"
    directory.mkdir()
    with locked(str(directory)):
        os.unlink(directory / LOCK)
        directory.rmdir()


def test_lock_is_made_anew_after_the_directory_was_removed(tmp_path):
    directory = tmp_path / "work"
    with locked(str(directory)) as keep:
        keep()
        shutil.rmtree(directory)
        keep()
        with pytest.raises(BlockingIOError), locked(str(directory), patience=0):
            pass
    assert os.listdir(directory) == []


def test_lock_that_another_took_after_a_removal_stays_its_own(tmp_path):
    directory = tmp_path / "work"
    with contextlib.ExitStack() as first:
        keep = first.enter_context(locked(str(directory)))
        shutil.rmtree(directory)
        with locked(str(directory), patience=0):
            with pytest.raises(BlockingIOError, match=f"another process is at work in {directory}"):
                keep()
            first.close()
            assert os.listdir(directory) == [LOCK]


def test_directory_that_its_holder_removes_is_made_again(tmp_path):
    directory = tmp_path / "work"
    held = threading.Event()

    def hold_and_remove():
        with locked(str(directory)):
            held.set()
            time.sleep(0.3)
            os.unlink(directory / LOCK)
            directory.rmdir()

    holder = threading.Thread(target=hold_and_remove)
    holder.start()
    held.wait()
    with locked(str(directory), patience=20):
        assert os.listdir(directory) == [LOCK]
    holder.join()


def test_file_system_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def refuse(handle, mode):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with locked(str(tmp_path), patience=0):
        pass
    assert "no locks here (Operation not supported)" in caplog.text
