"""Files written whole or not at all on any path that TensorFlow opens, such as `gs://`.

`util/files.py` does the same for local files, without TensorFlow.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from albert_zh.util.error_text import reason


def write_bytes(path: str, content: bytes) -> None:
    """Write a file, whole or not at all. Missing directories are made.

    Raises:
        OSError: The disk is full, or the directory cannot be written.
    """
    temporary = path + ".tmp"
    with one_line_errors(path):
        tf.io.gfile.makedirs(os.path.dirname(path) or ".")
        with tf.io.gfile.GFile(temporary, "wb") as file:
            file.write(content)
        flush_to_disk(temporary)
        tf.io.gfile.rename(temporary, path, overwrite=True)


def write_text(path: str, text: str) -> None:
    """Write a UTF-8 file, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: str, value: Any) -> None:
    """Write indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def append_line(path: str, line: str) -> None:
    """Add a line to a text file. A kill may leave a part of it at the end."""
    with one_line_errors(path), tf.io.gfile.GFile(path, "a") as file:
        file.write(line + "\n")


def remove_if_exists(path: str) -> None:
    """Remove a file, if there is one."""
    if tf.io.gfile.exists(path):
        tf.io.gfile.remove(path)


def flush_to_disk(path: str) -> None:
    """Wait until a file is on the disk, so that a power failure does not lose it."""
    if "://" in path:  # An object store has the file once it is closed.
        return
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


@contextlib.contextmanager
def one_line_errors(path: str) -> Iterator[None]:
    """Remove the temporary files of `path` when writing fails, and raise one OSError.

    Temporary files are those whose name begins with `path` and `.tmp`.
    """
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        folder, name = os.path.split(path)
        with contextlib.suppress(tf.errors.OpError, OSError):  # There may be no such folder.
            for each in tf.io.gfile.listdir(folder or "."):
                if each.startswith(name + ".tmp"):
                    tf.io.gfile.remove(os.path.join(folder, each))
        raise OSError(
            f"cannot write {path}: {reason(error)}. What stood there before is untouched, and so "
            "are checkpoints"
        ) from None
