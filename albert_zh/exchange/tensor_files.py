"""Files of tensors by name: safetensors, written and read; those of PyTorch and MindSpore, read.

Nothing is unpickled: a pickle runs whatever code its author put into it.
"""

import json
import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from albert_zh.exchange import mindspore_file
from albert_zh.util.files import atomic_write
from albert_zh.util.json_objects import read_object
from albert_zh.util.optional_packages import load_extra

SAFETENSORS = "model.safetensors"
_PYTORCH = "pytorch_model.bin"
_INDEX = ".index.json"  # lists the parts of a large model
_TYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4"}
_BFLOAT16 = "BF16"

Tensors = dict[str, np.ndarray]


def write_safetensors(path: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Write tensors as transformers does.

    Raises:
        ValueError: The package safetensors is not installed.
    """
    library = load_extra("safetensors.numpy", purpose="writing safetensors")
    with atomic_write(path) as file:
        # transformers reads files of no other format than pt.
        file.write(library.save(dict(tensors), metadata={"format": "pt"}))


def read_folder(folder: str) -> tuple[Tensors, str]:
    """The tensors of a model in a folder of transformers or MindSpore, and the file they are from.

    Numbers of less than 32 bits become float32.

    Raises:
        FileNotFoundError: It holds no file of tensors.
        ValueError: A file is damaged, or of a kind that cannot be read safely here.
    """
    present = sorted(os.listdir(folder))
    readers: dict[str, Callable[[str], Tensors]] = {
        SAFETENSORS: read_safetensors,
        SAFETENSORS + _INDEX: _read_parts,
        _PYTORCH: read_pytorch,
    }
    for name, read in readers.items():
        if name in present:
            return _in_single_precision(read(os.path.join(folder, name))), name
    checkpoints = [name for name in present if name.endswith(".ckpt")]
    if len(checkpoints) == 1:
        tensors = mindspore_file.read(os.path.join(folder, checkpoints[0]))
        return _in_single_precision(tensors), checkpoints[0]
    if _PYTORCH + _INDEX in present:
        raise ValueError(f"{folder} has a {_PYTORCH} in parts; {_way_out_of_pickle(folder)}")
    raise FileNotFoundError(
        f"{folder} holds no {SAFETENSORS} and no {_PYTORCH}, nor one MindSpore .ckpt; it has "
        + (", ".join(present[:10]) or "no files")
    )


def read_safetensors(path: str) -> Tensors:
    """The tensors of a file.

    Raises:
        ValueError: It is damaged, or the package safetensors is not installed.
    """
    library = load_extra("safetensors", purpose="reading safetensors")
    with open(path, "rb") as file:
        content = file.read()
    try:
        stored = library.deserialize(content)
    except library.SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}; fetch it again") from None
    tensors = {}
    for name, row in stored:
        dtype = tf.bfloat16.as_numpy_dtype if row["dtype"] == _BFLOAT16 else None
        if dtype is None and row["dtype"] not in _TYPES:
            raise ValueError(f"{path}: {name} is of the type {row['dtype']}, which is unknown here")
        values = np.frombuffer(row["data"], dtype or _TYPES[row["dtype"]])
        tensors[name] = values.reshape(row["shape"])
    return tensors


def _read_parts(index: str) -> Tensors:
    table = read_object(index).get("weight_map")
    if not isinstance(table, dict):
        raise ValueError(f"{index} has no weight_map; fetch it again")
    folder, tensors = os.path.dirname(index), {}
    for part in sorted(set(table.values())):
        if os.path.basename(part) != part:
            raise ValueError(f"{index} names the part {part}, which is not a file beside it")
        if not os.path.isfile(path := os.path.join(folder, part)):
            raise FileNotFoundError(f"{index} lists {part}, which is missing; fetch it, too")
        tensors |= read_safetensors(path)
    return tensors


def read_pytorch(path: str) -> Tensors:
    """The tensors of a PyTorch file, read by PyTorch without running code from the file.

    Raises:
        ValueError: PyTorch is not installed, or finds more than tensors, or the file is damaged.
    """
    try:
        import torch
    except ImportError:
        raise ValueError(
            f"{path} is a pickle, which only PyTorch can read safely; install torch, or "
            + _way_out_of_pickle(os.path.dirname(path))
        ) from None
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.float().numpy() for name, tensor in loaded.items()}
    except Exception as error:  # of many kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path}: PyTorch cannot read it as tensors alone: {reason}") from None


def _way_out_of_pickle(folder: str) -> str:
    return (
        "where transformers is installed, write the model again: "
        f"AutoModel.from_pretrained({json.dumps(folder)}).save_pretrained(...) writes "
        f"{SAFETENSORS} (use the class of the model's head in place of AutoModel)"
    )


def _in_single_precision(tensors: Tensors) -> Tensors:
    return {
        name: array if array.dtype in (np.float32, np.int64) else array.astype(np.float32)
        for name, array in tensors.items()
    }
