"""JSON that people write: a key that stands twice is an error, and errors are in words for people.

```
{"text": "春。", "text": "夏。"}      RepeatedKeyError, not {"text": "夏。"}
```
"""

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from albert_zh.util.files import read_lines


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def finite(numbers: Mapping[str, float | None]) -> dict[str, float | None]:
    """The numbers, with None for those that JSON does not have.

    >>> finite({"loss": math.inf, "accuracy": 0.5})
    {'loss': None, 'accuracy': 0.5}
    """
    return {
        name: number if number is not None and math.isfinite(number) else None
        for name, number in numbers.items()
    }


def strict_decoder(keys: Collection[str] | None = None) -> json.JSONDecoder:
    """A decoder that raises `RepeatedKeyError`; as fast as Python's own.

    >>> strict_decoder({"a"}).decode('{"a": 1, "b": 2, "b": 3}')
    {'a': 1, 'b': 3}

    Args:
        keys: Keys that may not be repeated; all when left out.
    """

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            for name in values if keys is None else keys:
                if names.count(name) > 1:
                    raise RepeatedKeyError(f"the key {name!r} stands in one object twice")
        return values

    return json.JSONDecoder(object_pairs_hook=read)


def json_problem(error: ValueError | RecursionError) -> str:
    """The fault of a text for which the decoder raised an error, in words for people.

    >>> try:
    ...     strict_decoder().decode("[1")
    ... except ValueError as error:
    ...     json_problem(error)
    "not JSON (Expecting ',' delimiter: line 1 column 3 (char 2))"
    """
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON ({error})"
    # Python's own advice on numbers of thousands of digits helps only programmers.
    return str(error) if isinstance(error, RepeatedKeyError) else "a number has too many digits"


def check_characters(values: Any, place: str) -> None:
    """Check that all texts of some JSON can be written as UTF-8.

    Raises:
        ValueError: The escape of half a character stands alone; begins with the place.
    """
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{place}: \\u{ord(error.object[error.start]):04x} is half a character, whose other "
            "half is missing; remove it"
        ) from None


def read_object(path: str) -> dict[str, Any]:
    """The JSON object in a UTF-8 file, which may begin with a byte-order mark.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds something else; names the file.
    """
    text = "\n".join(read_lines(path, may_hold_cr=True))
    if not text.strip():
        raise ValueError(f"{path} is empty, where a JSON object should be")
    try:
        values = strict_decoder().decode(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {json_problem(error)}; repair it") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: the file does not hold a JSON object")
    return values
