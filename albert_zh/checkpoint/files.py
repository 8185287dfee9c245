"""TF1 name-based checkpoint files: reading, and writing whole or not at all.

A checkpoint `model.ckpt-100` is three files:

    model.ckpt-100.data-00000-of-00001   the arrays
    model.ckpt-100.meta.json             step, model config, vocabulary fingerprint, options
    model.ckpt-100.index                 the table of names; where it stands, the rest is whole

Every path may be any that TensorFlow opens, `gs://` too.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_DATA_SUFFIX = ".data-00000-of-00001"
_META_SUFFIX = ".meta.json"
# How TensorFlow's reader takes a damaged file: wrong checksum, too short, not a table at all.
_DAMAGE = (tf.errors.OpError, RuntimeError, IndexError)


def read_shapes(prefix: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of everything a checkpoint holds.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The files are damaged.
    """
    reader = _reader(prefix)
    shapes = reader.get_variable_to_shape_map()
    return {name: tuple(shapes[name]) for name in sorted(shapes)}


def read_arrays(prefix: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The named arrays of a checkpoint.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The files are damaged.
    """
    reader = _reader(prefix)
    try:
        return {name: reader.get_tensor(name) for name in names}
    except _DAMAGE as error:
        raise ValueError(f"{prefix}: the checkpoint is damaged: {error}") from None


def _reader(prefix: str):
    if not tf.io.gfile.exists(prefix + ".index"):
        raise FileNotFoundError(
            f"there is no checkpoint {prefix} (no file {prefix}.index); name it without the "
            "ending, such as albert_tiny_zh/albert_model.ckpt"
        )
    try:
        return tf.train.load_checkpoint(prefix)
    except _DAMAGE as error:
        raise ValueError(f"{prefix}: the checkpoint is damaged: {error}") from None


def read_meta(prefix: str) -> dict[str, Any] | None:
    """What stands beside a checkpoint of this toolkit; None beside any other."""
    path = prefix + _META_SUFFIX
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        try:
            return json.loads(file.read())
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from None


def write_checkpoint(
    prefix: str, arrays: Mapping[str, tf.Tensor | np.ndarray], meta: Mapping[str, Any]
) -> None:
    """Writes a checkpoint; at any kill it is either complete or not there.

    Everything goes to temporary names first. The index is renamed last: a checkpoint without
    index does not exist, for TensorFlow and for us. One of the same name ceases to exist first.

    Raises:
        OSError: The disk is full, or the directory cannot be written.
    """
    temporary = prefix + ".tmp"
    names = sorted(arrays)
    with _writing(prefix):
        tf.raw_ops.SaveV2(
            prefix=temporary,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(arrays[name]) for name in names],
        )
        with tf.io.gfile.GFile(temporary + ".json", "w") as file:
            file.write(_readable(meta))
        for suffix in (".json", _DATA_SUFFIX, ".index"):
            _flush_to_disk(temporary + suffix)
        _remove(prefix + ".index")
        for suffix, final in (
            (".json", _META_SUFFIX),
            (_DATA_SUFFIX, _DATA_SUFFIX),
            (".index", ".index"),
        ):
            tf.io.gfile.rename(temporary + suffix, prefix + final, overwrite=True)


@contextlib.contextmanager
def _writing(path: str) -> Iterator[None]:
    """Removes what was begun when writing fails, and says so in one line."""
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        for leftover in tf.io.gfile.glob(path + ".tmp*"):
            tf.io.gfile.remove(leftover)
        reason = getattr(error, "message", error)
        raise OSError(
            f"cannot write {path}: {reason}. What stood there before, and other checkpoints, are "
            "untouched; make room, or choose another place"
        ) from None


def _flush_to_disk(path: str) -> None:
    if "://" in path:  # an object store has the file once it is closed
        return
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def write_text(path: str, text: str) -> None:
    """Writes a text file beside the checkpoints, whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: str, content: bytes) -> None:
    """Writes a file beside the checkpoints, whole or not at all.

    Raises:
        OSError: The disk is full, or the directory cannot be written.
    """
    temporary = path + ".tmp"
    with _writing(path):
        tf.io.gfile.makedirs(os.path.dirname(path) or ".")
        with tf.io.gfile.GFile(temporary, "wb") as file:
            file.write(content)
        _flush_to_disk(temporary)
        tf.io.gfile.rename(temporary, path, overwrite=True)


def append_line(path: str, line: str) -> None:
    """Adds a line to a text file. A kill may leave a part of it at the end."""
    with _writing(path), tf.io.gfile.GFile(path, "a") as file:
        file.write(line + "\n")


def write_json(path: str, value: Any) -> None:
    """Writes readable JSON beside the checkpoints, whole or not at all."""
    write_text(path, _readable(value))


def _readable(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def delete_checkpoint(prefix: str) -> None:
    """Deletes a checkpoint, its index first, the file that marks it as ours last."""
    for suffix in (".index", _DATA_SUFFIX, _META_SUFFIX):
        _remove(prefix + suffix)


def _remove(path: str) -> None:
    if tf.io.gfile.exists(path):
        tf.io.gfile.remove(path)
