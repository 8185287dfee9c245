"""TF1 name-based checkpoint files, which are written completely or not at all.

A checkpoint `model.ckpt-100` is four files:

    model.ckpt-100.data-00000-of-00001   the arrays
    model.ckpt-100.meta.json             step, model config, vocabulary fingerprint, options
    model.ckpt-100.meta                  empty: the published programs ask for it, or move it along
    model.ckpt-100.index                 the table of names; exists only if the others do

A path may be any that TensorFlow opens, such as `gs://`.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.paths import run_steps
from albert_zh.util.error_text import reason
from albert_zh.util.object_files import flush_to_disk, one_line_errors, remove_if_exists
from albert_zh.util.plain_paths import plain_path

_DATA_SUFFIX = ".data-00000-of-00001"
_META_SUFFIX = ".meta.json"
_GRAPH_SUFFIX = ".meta"  # of published checkpoints: the graph of the program that wrote them
# Errors of TensorFlow's reader for a damaged file: wrong checksum, too short, not a table.
_DAMAGE = (tf.errors.OpError, RuntimeError, IndexError)


def read_shapes(prefix: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all arrays of a checkpoint.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The files are damaged.
    """
    with _reader(prefix) as reader:
        shapes = reader.get_variable_to_shape_map()
    return {name: tuple(shapes[name]) for name in sorted(shapes)}


def read_types(prefix: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of all arrays of a checkpoint, by name.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The files are damaged.
    """
    with _reader(prefix) as reader:
        types = reader.get_variable_to_dtype_map()
        shapes = reader.get_variable_to_shape_map()
    return {name: (tuple(shapes[name]), types[name].name) for name in sorted(shapes)}


def read_arrays(prefix: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The named arrays of a checkpoint; those in half precision become float32.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The files are damaged.
    """
    with _reader(prefix) as reader:
        return {name: _single_precision(reader.get_tensor(name)) for name in names}


def _single_precision(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype == np.float16 else array


@contextlib.contextmanager
def _reader(prefix: str) -> Iterator[Any]:
    if not tf.io.gfile.exists(prefix + ".index"):
        raise FileNotFoundError(
            f"there is no checkpoint {prefix} (no file {prefix}.index); name it without the "
            "ending, such as albert_tiny_zh/albert_model.ckpt"
        )
    try:
        with plain_path(prefix) as path:
            yield tf.train.load_checkpoint(path)
    except _DAMAGE as error:
        raise ValueError(
            f"{prefix}: the checkpoint is damaged: {reason(error)}{way_out(prefix)}"
        ) from None


def way_out(prefix: str) -> str:
    """The end of a message about a damaged checkpoint: how to go on without it."""
    folder, name = os.path.split(prefix)
    steps = [step for step in run_steps(folder or ".") if f"model.ckpt-{step}" != name]
    own = re.fullmatch(r"model\.ckpt-(\d+)", name)
    if not own or not steps:
        return "; restore it from a copy"
    older = [step for step in steps if step < int(own[1])]
    rest = f"to resume from model.ckpt-{older[-1]}" if steps == older else "to go on without it"
    return f"; delete {prefix}.* {rest}"


def meta_path(prefix: str) -> str:
    """Path of a checkpoint's meta file, which checkpoints of other toolkits lack."""
    return prefix + _META_SUFFIX


def read_meta(prefix: str) -> dict[str, Any] | None:
    """JSON of the meta file, unchecked; None if there is no file. See `loading.load_meta`."""
    path = meta_path(prefix)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        try:
            return json.loads(file.read())
        except ValueError as error:
            raise damaged_meta(prefix, error) from None


def damaged_meta(prefix: str, error: ValueError) -> ValueError:
    """The error for a meta file that cannot be read; the arrays beside it may be sound."""
    path = meta_path(prefix)
    return ValueError(
        f"{path} is damaged: {error}; restore it from a copy, or delete this file alone and give"
        " exactly the flags of the training, which nothing checks without it"
    )


def write_checkpoint(
    prefix: str, arrays: Mapping[str, tf.Tensor | np.ndarray], meta: Mapping[str, Any]
) -> None:
    """Write a checkpoint. If the process is killed, the checkpoint is complete or does not exist.

    All files are written under temporary names and then renamed, the index last: a checkpoint
    without an index does not exist, neither for TensorFlow nor for us. The index of an earlier
    checkpoint of that name is removed before.

    Raises:
        OSError: The disk is full, or the directory cannot be written.
    """
    temporary = prefix + ".tmp"
    names = sorted(arrays)
    with one_line_errors(prefix):
        tf.raw_ops.SaveV2(
            prefix=temporary,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(arrays[name]) for name in names],
        )
        with tf.io.gfile.GFile(temporary + ".json", "w") as file:
            file.write(json.dumps(meta, ensure_ascii=False, indent=2) + "\n")
        for suffix in (".json", _DATA_SUFFIX, ".index"):
            flush_to_disk(temporary + suffix)
        remove_if_exists(prefix + ".index")
        for suffix, final in (
            (".json", _META_SUFFIX),
            (_DATA_SUFFIX, _DATA_SUFFIX),
            (".index", ".index"),
        ):
            if suffix == ".index":
                with tf.io.gfile.GFile(prefix + _GRAPH_SUFFIX, "w") as file:
                    file.write("")
            tf.io.gfile.rename(temporary + suffix, prefix + final, overwrite=True)


def delete_checkpoint(prefix: str) -> None:
    """Delete a checkpoint: its index first, its meta file, which marks it as ours, last."""
    folder, name = os.path.split(prefix)
    part = re.compile(re.escape(name) + r"\.data-\d+-of-\d+")
    remove_if_exists(prefix + ".index")
    for each in filter(part.fullmatch, tf.io.gfile.listdir(folder or ".")):
        tf.io.gfile.remove(os.path.join(folder, each))
    remove_if_exists(prefix + _GRAPH_SUFFIX)
    remove_if_exists(prefix + _META_SUFFIX)
