"""Locks of directories, which tell who holds them and end with the process that does."""

import contextlib
import datetime
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator

from absl import logging

from albert_zh.util.files import make_directory

LOCK = ".lock"


@contextlib.contextmanager
def locked(directory: str, *, patience: float | None = None) -> Iterator[Callable[[], None]]:
    """Keep other processes out of the directory; the lock ends with the process at the latest.

    The file `.lock` names the holder; it is there as long as the lock is, or after a kill, when it
    keeps nobody out. NFS has such locks, too (Linux passes them on to the server). On a file
    system without them nobody is kept out, which is better than to fail after hours of work; the
    log says so.

    Args:
        directory: Made where it is missing. The holder may remove it: who waits makes it again.
        patience: Seconds to wait for the lock; None waits as long as it takes.

    Returns:
        A function that makes the lock anew if somebody removed the directory meanwhile; it raises
        BlockingIOError if another process came first.

    Raises:
        BlockingIOError: Another process held the lock all the time; names it.
        WriteError: The directory cannot be made.
    """
    path = os.path.join(directory, LOCK)
    handle = _lock(path, patience)

    def keep() -> None:
        nonlocal handle
        if not _is_at(path, handle):
            former, handle = handle, _lock(path, 0)
            os.close(former)

    try:
        yield keep
    finally:
        with contextlib.suppress(OSError):
            if _is_at(path, handle):  # The directory may be gone, or be that of another process.
                os.unlink(path)
        os.close(handle)


def _lock(path: str, patience: float | None) -> int:
    deadline = time.monotonic() + (patience or 0)
    while True:
        make_directory(os.path.dirname(path))
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # The holder before removed the directory just now.
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            if patience is not None and time.monotonic() > deadline:
                raise BlockingIOError(
                    f"another process is at work in {os.path.dirname(path)}: {_holder(path)}"
                ) from None
            time.sleep(0.1)
            continue
        except OSError as error:
            logging.warning(
                "%s: no locks here (%s), so keep other processes out of this directory yourself",
                os.path.dirname(path),
                error.strerror,
            )
            return handle
        if _is_at(path, handle):
            _write_holder(handle)
            return handle
        os.close(handle)  # The holder before removed this file after it was opened here.


def _is_at(path: str, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _write_holder(handle: int) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}",
    }
    with contextlib.suppress(OSError):  # A full disk does not void the lock.
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)


def _holder(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            holder = json.load(file)
        return f"process {holder['process']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path} does not say which"
