"""Classes of protocol buffers, from the few fields of them that are read here.

The classes that other packages generated work with few versions of protobuf.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}


class Field(NamedTuple):
    """A field of a message."""

    name: str
    number: int
    type: str  # int64, string, bytes, or the name of another of the messages
    is_repeated: bool = False


def message_class(name: str, messages: Mapping[str, Sequence[Field]]) -> type:
    """The class of one of the messages; fields that are not named are skipped.

    Args:
        name: Of the message.
        messages: Fields of it, and of those that it consists of.
    """
    package = f"albert_zh.{name.lower()}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto2"
    )
    for message, fields in messages.items():
        described = file.message_type.add(name=message)
        for field in fields:
            is_message = field.type in messages
            described.field.add(
                name=field.name,
                number=field.number,
                label=_FIELD.LABEL_REPEATED if field.is_repeated else _FIELD.LABEL_OPTIONAL,
                type=_FIELD.TYPE_MESSAGE if is_message else _TYPES[field.type],
                type_name=f".{package}.{field.type}" if is_message else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
