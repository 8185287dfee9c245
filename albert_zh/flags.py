"""Options: frozen dataclasses whose fields are the flags of a script.

```
@dataclass(frozen=True)                                --epochs=3
class TrainOptions:                             ->     --noshuffle, --shuffle=False
    epochs: int = option(3, "Passes over the data.")
    shuffle: bool = option(True, "Read in random order.")
```
`cli.run(main, TrainOptions)` defines the flags, reads them and calls `main(TrainOptions(...))`.
Numbers have limits where `option` states them, and are finite in any case: `check_bounds`. Which
flags were given, be it with their default, is what `given_flags` tells.
"""

import dataclasses
import difflib
import inspect
import os
import re
import textwrap
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from absl import flags

from albert_zh.toolkit import find_file
from albert_zh.util.bounds import Bounds
from albert_zh.util.files import expand_home
from albert_zh.util.flag_parser import FlagParser
from albert_zh.util.near_names import missing_file

Options = TypeVar("Options")


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()  # As the default, it makes the flag one that must be set.

_PLACEHOLDERS = {int: "N", float: "X", bool: "True|False", str: "TEXT"}

# Flags, by the end of their name, that find our own files from any folder: albert_config/vocab.txt,
# models/albert_tiny.
_FILES_OF_OURS = ("config_file", "vocab_file", "checkpoint")
_GIVEN = "_given_flags"  # attribute of options that were read from a command line


def option(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] | None = None,
    alias: str | None = None,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    is_file: bool = False,
) -> Any:
    """A dataclass field with what its flag needs. Fields are given by name.

    Args:
        default: Value of the field and of the flag; `REQUIRED` when there is no sensible one.
        help: Text of `--help`.
        choices: Allowed values of a text option.
        alias: Second name of the flag, such as the one that another published script uses.
        at_least: Least value of a number.
        above: Limit that a number exceeds.
        below: Limit that a number stays below.
        at_most: Greatest value of a number.
        is_file: Whether a text is the path of a file to read, which has to exist.
    """
    bounds = Bounds(at_least=at_least, above=above, below=below, at_most=at_most)
    metadata = {"help": help, "choices": choices, "alias": alias, "bounds": bounds}
    metadata["is_file"] = is_file
    if default is REQUIRED:
        return dataclasses.field(kw_only=True, metadata=metadata)
    return dataclasses.field(default=default, kw_only=True, metadata=metadata)


def parse_flags(
    arguments: Sequence[str],
    *option_classes: type[Options],
    flag_values: flags.FlagValues = flags.FLAGS,
) -> list[Options]:
    """Read a command line, script name first, into one object per class.

    Each field is a flag of its name. A field that several classes share is one flag; they have to
    agree on it.

    Raises:
        ValueError: A flag is unknown or has an impossible value, a required one is missing, or an
            argument is no flag. Or two classes disagree on a flag.
        TypeError: A field's type is none of int, float, bool, str and those with `| None`.
    """
    _define_flags(option_classes, flag_values)
    try:
        rest = flag_values(list(arguments))
    except flags.UnrecognizedFlagError as error:
        raise ValueError(_unknown_flag(error.flagname, flag_values)) from None
    except flags.IllegalFlagValueError as error:
        # absl puts a tuple into the message of a boolean flag.
        text = re.sub(r"\('Non-boolean .*\)$", "choose True or False", str(error))
        raise ValueError(text.removeprefix("flag ")) from None
    except flags.Error as error:
        raise ValueError(str(error)) from None
    if len(rest) > 1:
        raise ValueError(f"unexpected argument {rest[1]!r}; write flags as --name=value")
    missing = {
        f"--{field.name}": None
        for option_class in option_classes
        for field in dataclasses.fields(option_class)
        if _is_required(field) and flag_values[field.name].value is None
    }
    if missing:
        raise ValueError(f"give {', '.join(missing)}; --help describes all flags")
    return [_read_flags(option_class, flag_values) for option_class in option_classes]


def check_bounds(option_class: type, values: Mapping[str, Any]) -> None:
    """Check all numbers against the limits that their options state.

    `parse_flags` does so before it makes the object.

    Raises:
        ValueError: A number is not finite or beyond a limit; names the flag.
    """
    for field in dataclasses.fields(option_class):
        value = values[field.name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and (problem := field.metadata["bounds"].problem(value)):
            raise ValueError(f"--{field.name}={value}: {problem}")


def check_files(option_class: type, values: Mapping[str, Any]) -> None:
    """Check that the files to read exist, those in object stores excepted.

    `parse_flags` does so before it makes the object.

    Raises:
        FileNotFoundError: A file is missing; names the flag, and files of similar names.
    """
    for field in dataclasses.fields(option_class):
        path = values[field.name]
        is_local = field.metadata["is_file"] and path and "://" not in path
        # A pipe, such as bash's <(...), is no regular file and may be read all the same.
        if is_local and (not os.path.exists(path) or os.path.isdir(path)):
            raise FileNotFoundError(f"--{field.name}={path}: {missing_file(path)}")


def given_flags(options: Any) -> set[str]:
    """Names of the flags on the command line that an object was read from, whatever their value.

    An object made in Python, by `dataclasses.replace` for example, tells the options that differ
    from their defaults.
    """
    given = getattr(options, _GIVEN, None)
    if given is not None:
        return set(given)
    fields = dataclasses.fields(options)
    return {field.name for field in fields if getattr(options, field.name) != field.default}


def with_values(options: Options, values: Mapping[str, Any]) -> Options:
    """A copy with the values of flags that were not given; `given_flags` still leaves them out."""
    completed = dataclasses.replace(options, **values)
    if (given := getattr(options, _GIVEN, None)) is not None:
        object.__setattr__(completed, _GIVEN, given)
    return completed


def help_text(*option_classes: type, width: int = 100) -> str:
    """Describe the flags of the classes, grouped by the class that states them.

    The first line of a class's docstring is the heading of its group.
    """
    groups: dict[type, dict[str, str]] = {}
    for option_class in option_classes:
        hints = typing.get_type_hints(option_class)
        for owner in option_class.__mro__:
            own = inspect.get_annotations(owner)
            for field in dataclasses.fields(option_class):
                if field.name in own and not any(field.name in group for group in groups.values()):
                    entry = _flag_help(field, hints[field.name], width)
                    groups.setdefault(owner, {})[field.name] = entry
    return "\n".join(
        "\n".join([f"{owner.__doc__.splitlines()[0].rstrip('.')}:\n", *entries.values()])
        for owner, entries in groups.items()
    )


def _flag_help(field: dataclasses.Field, hint: Any, width: int) -> str:
    """One flag in the form `--name=N (default: 3)`, its text below it."""
    kind, choices = _value_type(field.name, hint), field.metadata["choices"]
    title = f"--{field.name}={'|'.join(choices) if choices else _PLACEHOLDERS[kind]}"
    if field.metadata["alias"]:
        title += f", --{field.metadata['alias']}"
    remarks = [str(field.metadata["bounds"])]
    if _is_required(field):
        remarks.append("required")
    elif field.default not in (None, ""):
        remarks.append(f"default: {field.default}")
    if any(remarks):
        title += f" ({'; '.join(filter(None, remarks))})"
    text = textwrap.fill(
        field.metadata["help"],
        width,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"  {title}\n{text}\n"


def _define_flags(option_classes: Sequence[type], flag_values: flags.FlagValues) -> None:
    definitions: dict[str, tuple] = {}
    for option_class in option_classes:
        hints = typing.get_type_hints(option_class)
        for field in dataclasses.fields(option_class):
            definition = (hints[field.name], field.default, dict(field.metadata))
            if field.name not in definitions:
                _define_flag(field, hints[field.name], flag_values)
            elif definitions[field.name] != definition:
                raise ValueError(
                    f"{option_class.__name__}.{field.name} differs from the field of the same name "
                    "in another option class; give both the same type, default and help"
                )
            definitions[field.name] = definition


def _is_required(field: dataclasses.Field) -> bool:
    """True if the flag of an option has no default."""
    return field.default is dataclasses.MISSING


def _value_type(name: str, hint: Any) -> type:
    """Type of the flag's value: `int` for `int` and for `int | None`.

    Raises:
        TypeError: Flags have no such type.
    """
    members = [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
    if len(members) != 1 or members[0] not in _PLACEHOLDERS:
        raise TypeError(f"option {name} has type {hint}; flags can be int, float, bool or str")
    return members[0]


def _define_flag(field: dataclasses.Field, hint: Any, flag_values: flags.FlagValues) -> None:
    kind = _value_type(field.name, hint)
    arguments = {
        "name": field.name,
        "default": None if _is_required(field) else field.default,
        "help": field.metadata["help"],
        "flag_values": flag_values,
    }
    if kind is bool:
        flags.DEFINE_bool(**arguments)
    else:
        parser = FlagParser(
            kind,
            field.metadata["choices"] or (),
            may_be_empty=field.default == "",
            is_required=_is_required(field),
        )
        flags.DEFINE(parser, **arguments)
    if field.metadata["alias"]:
        flags.DEFINE_alias(field.metadata["alias"], field.name, flag_values=flag_values)


def _read_flags(option_class: type[Options], flag_values: flags.FlagValues) -> Options:
    read = {field.name: flag_values[field.name] for field in dataclasses.fields(option_class)}
    # A shell expands `~` at the beginning of a word only: not in --input_file=~/corpus.
    values = {
        name: expand_home(flag.value) if isinstance(flag.value, str) else flag.value
        for name, flag in read.items()
    }
    for name, value in values.items():
        if value and name.endswith(_FILES_OF_OURS):
            values[name] = find_file(value)
    check_bounds(option_class, values)
    check_files(option_class, values)
    options = option_class(**values)
    # No field: what was given is no part of what the options mean, and equal ones stay equal.
    given = frozenset(name for name, flag in read.items() if flag.present)
    object.__setattr__(options, _GIVEN, given)
    return options


def _unknown_flag(name: str, flag_values: flags.FlagValues) -> str:
    close = difflib.get_close_matches(name, list(flag_values), n=1)
    hint = f"; did you mean --{close[0]}?" if close else ";"
    return f"unknown flag --{name}{hint} --help describes all flags"
