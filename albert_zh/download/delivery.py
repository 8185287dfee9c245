"""From an address to a new folder: all its files are there and checked, or it is not there."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator

from albert_zh.download.archives import BadArchive
from albert_zh.download.fetching import NOTE, PART, connect, forget, kept_bytes, receive
from albert_zh.util.files import check_is_local
from albert_zh.util.locks import locked

UNFINISHED = ".unfinished"  # ending of the folder beside the new one
_UNPACKED = "unpacked"  # folder in it


def deliver(url: str, folder: str, unpack: Callable[[str, str], None]) -> None:
    """Make a folder with files of an archive.

    What breaks off, also by Ctrl-C, is kept in a folder beside it, and the next call goes on from
    there. No file that was there before is changed or removed.

    Args:
        url: Address of the archive, or the path of a copy.
        folder: Folder to make; it may exist if it is empty.
        unpack: Writes files of the archive at a path into an empty folder, and raises a ValueError
            or a FileNotFoundError if it is not the expected one.

    Raises:
        FileExistsError: The folder holds files, or is a file.
        BlockingIOError: Another process is about to make it.
        OSError: The archive cannot be fetched, or files cannot be written.
        ValueError: The archive is damaged, or not the expected one.
    """
    check_is_local(folder)
    folder = os.path.realpath(folder)
    _check_is_free(folder)
    # Where nothing answers, nothing is made.
    with connect(url) as response, _work_folder(folder + UNFINISHED) as work:
        _check_is_free(folder)  # Another process may have filled it meanwhile.
        archive = receive(response, url, work)
        unpacked = os.path.join(work, _UNPACKED)
        shutil.rmtree(unpacked, ignore_errors=True)
        os.mkdir(unpacked)
        try:
            unpack(archive, unpacked)
            _place(unpacked, folder)
            forget(work)
        except (ValueError, FileNotFoundError) as error:
            forget(work)
            if isinstance(error, BadArchive):
                raise ValueError(f"{url} {error}; nothing was kept") from None
            raise
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)


def _check_is_free(folder: str) -> None:
    if not os.path.isdir(folder):
        if os.path.exists(folder):
            raise FileExistsError(f"{folder} is a file; name a folder, which may be new")
    elif os.listdir(folder):
        raise FileExistsError(f"{folder} holds files already; move it away or choose another one")


@contextlib.contextmanager
def _work_folder(path: str) -> Iterator[str]:
    """A folder that no other process uses; it stays only with bytes that can be continued."""
    if os.path.isdir(path):
        ours = {PART, NOTE, _UNPACKED}
        others = [name for name in os.listdir(path) if name not in ours and name[0] != "."]
        if others:
            raise FileExistsError(
                f"{path} is no folder of a download: it holds {others[0]}; move it away"
            )
    try:
        with locked(path, patience=0):
            try:
                yield path
            except KeyboardInterrupt:
                if kept := kept_bytes(path):
                    print(
                        f"kept {kept:,} bytes in {path}; the same command goes on from there",
                        file=sys.stderr,
                    )
                raise
            finally:
                if not kept_bytes(path):
                    forget(path)
    finally:
        with contextlib.suppress(OSError):  # It holds something, or was never made.
            os.rmdir(path)


def _place(unpacked: str, folder: str) -> None:
    """Give the finished folder its name."""
    if not os.path.isdir(folder):
        os.rename(unpacked, folder)
        return
    # An empty folder of the user stays the one it is: it may be the root of another disk. A
    # checkpoint without its index file is ignored, so that comes last.
    placed = []
    try:
        for name in sorted(os.listdir(unpacked), key=lambda name: name.endswith(".index")):
            placed.append(os.path.join(folder, name))
            shutil.move(os.path.join(unpacked, name), placed[-1])
    except BaseException:
        for path in placed:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        raise
