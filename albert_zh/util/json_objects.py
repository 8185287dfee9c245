"""JSON without a key that stands twice in an object: of such, Python keeps one value silently.

```
{"text": "春。", "text": "夏。"}      RepeatedKeyError, not {"text": "夏。"}
```
"""

import json
from collections.abc import Collection
from typing import Any


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


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
