"""A directory that appears whole under its name, or not at all.

out/.export.partial/export/     while it is filled
out/export/                     after
"""

import contextlib
import os
import shutil
from collections.abc import Iterator

from albert_zh.util.locks import locked


@contextlib.contextmanager
def new_directory(path: str, *, overwrite: bool) -> Iterator[str]:
    """Give a temporary neighbour of `path` that takes its place when the block ends well.

    After an exception nothing of it is left. What a kill leaves behind is hidden, and is removed
    by the next program that fills the same path. Without `overwrite`, an OSError says that
    somebody filled `path` in the meantime.

    Raises:
        BlockingIOError: Another process is filling the same path.
    """
    path = os.path.realpath(path)
    around = _neighbour(path, "partial")
    partial = os.path.join(around, os.path.basename(path))
    with locked(around, patience=0):
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        try:
            yield partial
            _flush_to_disk(partial)
            if overwrite:
                _move_away(path)
            os.rename(partial, path)
            shutil.rmtree(_replaced(path), ignore_errors=True)
        finally:
            shutil.rmtree(around, ignore_errors=True)


def check_is_new(path: str) -> None:
    """Check that the folder that --output_dir names is empty or not there.

    Raises:
        FileExistsError: It holds something, or is a file.
    """
    if "://" in path:
        from tensorflow.io import gfile  # It takes seconds to import.

        exists, is_folder, names = gfile.exists, gfile.isdir, gfile.listdir
    else:
        exists, is_folder, names = os.path.exists, os.path.isdir, os.listdir
    if is_folder(path):
        if names(path):
            raise FileExistsError(f"--output_dir={path} is not empty; choose a new one")
    elif exists(path):
        raise FileExistsError(f"--output_dir={path} is a file; name a folder, which may be new")


def _move_away(path: str) -> None:
    shutil.rmtree(_replaced(path), ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, _replaced(path))


def _replaced(path: str) -> str:
    return _neighbour(path, "replaced")


def _neighbour(path: str, role: str) -> str:
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{role}")


def _flush_to_disk(directory: str) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                os.fsync(file.fileno())
