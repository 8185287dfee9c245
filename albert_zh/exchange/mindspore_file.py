"""Checkpoints of MindSpore: a protocol buffer with a name, a shape, a type and bytes each.

```
message Checkpoint { repeated Value value = 1; }
message Value      { string tag = 1; Tensor tensor = 2; }
message Tensor     { repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3; }
```
Models that were made after PyTorch's have its names, but for tables and normalisations.
"""

import numpy as np
from google.protobuf.message import DecodeError

from albert_zh.exchange.messages import Field, message_class

_TYPES = {"Float32": "<f4", "Float16": "<f2", "Float64": "<f8", "Int64": "<i8", "Int32": "<i4"}
_NUMBER = [0]  # shape of a number that is no part of the model, such as a step
_RENAMES = {".gamma": ".weight", ".beta": ".bias", ".embedding_table": ".weight"}


MESSAGES = {
    "Tensor": (
        Field("dims", 1, "int64", is_repeated=True),
        Field("tensor_type", 2, "string"),
        Field("tensor_content", 3, "bytes"),
    ),
    "Value": (Field("tag", 1, "string"), Field("tensor", 2, "Tensor")),
    "Checkpoint": (Field("value", 1, "Value", is_repeated=True),),
}


def read(path: str) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint, under PyTorch's names.

    Raises:
        ValueError: It is damaged, or no such checkpoint.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        tensors = _tensors(message_class("Checkpoint", MESSAGES).FromString(content).value)
    except (DecodeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint of MindSpore, or damaged: {error}") from None
    if not tensors:
        raise ValueError(f"{path} is no checkpoint of MindSpore: it holds no tensors")
    return tensors


def _name(tag: str) -> str:
    for theirs, ours in _RENAMES.items():
        if tag.endswith(theirs):
            return tag.removesuffix(theirs) + ours
    return tag


def _tensors(values) -> dict[str, np.ndarray]:
    # A large tensor stands in several values of one tag, each with a part of its bytes.
    parts: dict[str, list[bytes]] = {}
    described = {}
    for value in values:
        if list(value.tensor.dims) != _NUMBER:
            parts.setdefault(value.tag, []).append(value.tensor.tensor_content)
            described[value.tag] = value.tensor
    return {
        _name(tag): np.frombuffer(b"".join(parts[tag]), _TYPES[tensor.tensor_type]).reshape(
            list(tensor.dims)
        )
        for tag, tensor in described.items()
    }
