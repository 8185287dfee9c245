"""Attributes that have another value for a while."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


@contextlib.contextmanager
def set_within(objects: Iterable[Any], **values: Any) -> Iterator[None]:
    """Give attributes of some objects other values, and their own back at the end.

    >>> import types
    >>> box = types.SimpleNamespace(size=1)
    >>> with set_within([box], size=2):
    ...     box.size
    2
    >>> box.size
    1
    """
    before = [(each, {name: getattr(each, name) for name in values}) for each in objects]
    try:
        for each, _ in before:
            _set(each, values)
        yield
    finally:
        for each, own in before:
            _set(each, own)


def _set(target: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(target, name, value)
