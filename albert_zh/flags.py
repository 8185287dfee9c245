"""Options are frozen dataclasses; here their fields become command-line flags and back.

@dataclass(frozen=True)                          --epochs  (default 3)  passes over the data
class TrainOptions:                      ->      --[no]shuffle  (default true)  ...
    epochs: int = option(3, "passes over the data")
    shuffle: bool = option(True, "read in random order")

define_flags(TrainOptions)                       at import of the script
options = read_flags(TrainOptions)               in main, after the flags were parsed
"""

import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from absl import flags

# The flags belong to the script that calls define_flags, so that its --help lists them.
flags.disclaim_key_flags()

Options = TypeVar("Options")


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()  # Given as the default, it makes the flag one that must be set.

_DEFINERS = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_bool,
    str: flags.DEFINE_string,
}


def option(
    default: Any, help: str, *, choices: Sequence[str] | None = None, alias: str | None = None
) -> Any:
    """A dataclass field with what its flag needs. Fields are given by name.

    Args:
        default: Value of the field and of the flag; `REQUIRED` when there is no sensible one.
        help: Text of `--help`.
        choices: The allowed values of a text option.
        alias: A second name of the flag, such as the one another published script uses.
    """
    metadata = {"help": help, "choices": choices, "alias": alias}
    if default is REQUIRED:
        return dataclasses.field(kw_only=True, metadata=metadata)
    return dataclasses.field(default=default, kw_only=True, metadata=metadata)


def define_flags(
    *option_classes: type[Options], flag_values: flags.FlagValues = flags.FLAGS
) -> None:
    """Defines one flag per field of the classes, named like the field.

    A field that several classes share is one flag; they have to agree on it.

    Raises:
        ValueError: Two classes disagree on a flag.
        TypeError: A field's type is none of int, float, bool, str and those with `| None`.
    """
    defined: dict[str, tuple] = {}
    for option_class in option_classes:
        hints = typing.get_type_hints(option_class)
        for field in dataclasses.fields(option_class):
            described = (hints[field.name], field.default, dict(field.metadata))
            if field.name not in defined:
                _define_flag(field, hints[field.name], flag_values)
            elif defined[field.name] != described:
                raise ValueError(
                    f"{option_class.__name__}.{field.name} differs from the field of the same name "
                    "in another option class; give both the same type, default and help"
                )
            defined[field.name] = described


def read_flags(
    option_class: type[Options], *, flag_values: flags.FlagValues = flags.FLAGS
) -> Options:
    """The options as the parsed flags state them."""
    return option_class(
        **{field.name: flag_values[field.name].value for field in dataclasses.fields(option_class)}
    )


def _define_flag(field: dataclasses.Field, hint: Any, flag_values: flags.FlagValues) -> None:
    value_type = _value_type(field.name, hint)
    required = field.default is dataclasses.MISSING
    arguments = {
        "name": field.name,
        "default": None if required else field.default,
        "help": field.metadata["help"],
        "required": required,
        "flag_values": flag_values,
    }
    if field.metadata["choices"]:
        flags.DEFINE_enum(enum_values=list(field.metadata["choices"]), **arguments)
    else:
        _DEFINERS[value_type](**arguments)
    if field.metadata["alias"]:
        flags.DEFINE_alias(field.metadata["alias"], field.name, flag_values=flag_values)


def _value_type(name: str, hint: Any) -> type:
    """The type of the flag's value: `int` for `int` and for `int | None`."""
    members = [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
    if len(members) != 1 or members[0] not in _DEFINERS:
        raise TypeError(f"option {name} has type {hint}; flags can be int, float, bool or str")
    return members[0]
