"""The text of a document that has several fields: an object of JSON lines, a row of a table.

```
--json_key=title,content   {"title": "春天", "content": ["春。", "夏。"]}    春天⏎春。⏎夏。
--json_key=data.text       {"data": {"text": "春。"}}                       春。
```
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from albert_zh.corpus.formats.format import BadText

_KEYS_IN_MESSAGE = 10


class NoTextError(ValueError):
    """A document without a text where --json_key looks for it."""


def parse_keys(text: str) -> tuple[str, ...]:
    """The keys of a comma-separated list.

    >>> parse_keys("title, data.text")
    ('title', 'data.text')

    Raises:
        ValueError: The list is empty.
    """
    keys = tuple(filter(None, (key.strip() for key in text.split(","))))
    if not keys:
        raise ValueError("json_key names no key")
    return keys


def names_of(keys: Sequence[str]) -> set[str]:
    """The names that objects may have on the way to the texts.

    >>> sorted(names_of(["data.text"]))
    ['data', 'data.text', 'text']
    """
    names: set[str] = set()
    for key in keys:
        while key:
            name, _, rest = key.partition(".")
            names |= {key, name}
            key = rest
    return names


def check_columns(names: Sequence[str], wanted: Collection[str], file: str) -> None:
    """Check that a table has no wanted column twice.

    Raises:
        BadText: It has: which one holds the text is not known.
    """
    repeated = next((name for name in wanted if names.count(name) > 1), None)
    if repeated is not None:
        raise BadText(
            f"{file} has the column {repeated!r} twice; rename one of them; the columns are:"
            f" {', '.join(names)}",
            "files_with_column_twice",
        )


def text_of(document: dict[str, Any], keys: Sequence[str], counts: Counter[str]) -> str:
    """The texts of all keys, one after the other, each on lines of its own.

    A value may be a text, a list of texts, or null, which is counted in `texts_null`; blank texts
    are counted in `texts_empty`. A dot in a key leads into an object, or into all objects of a
    list. A key that is missing is counted in `texts_missing` if another one is there.

    >>> counts = Counter()
    >>> document = {"title": "春天", "parts": [{"text": "春。"}, {"text": None}, {"text": "夏。"}]}
    >>> text_of(document, ["title", "parts.text", "notes"], counts), counts
    ('春天\\n春。\\n夏。', Counter({'texts_null': 1, 'texts_missing': 1}))

    Raises:
        NoTextError: No key is there, or a value is no text.
    """
    values = {key: list(_values(document, key)) for key in keys}
    present = [key for key in keys if values[key]]
    if not present:
        wanted = ", ".join(map(repr, keys))
        names = ", ".join(_names(document)[:_KEYS_IN_MESSAGE]) or "none"
        raise NoTextError(
            f"no key {wanted}; name the text's key with --json_key, there are: {names}"
        )
    texts = [text for key in present for value in values[key] for text in _texts(value, key)]
    # Only what occurs is counted.
    counts += Counter(
        texts_null=texts.count(None),
        texts_empty=sum(text is not None and (not text or text.isspace()) for text in texts),
        texts_missing=len(keys) - len(present),
    )
    return "\n".join(text for text in texts if text is not None)


def _values(value: Any, key: str) -> Iterator[Any]:
    """The values that a key leads to; none if it is not there."""
    if value is None or value == []:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, key)
    elif isinstance(value, dict):
        if key in value:  # A name may have a dot.
            yield value[key]
            return
        name, _, rest = key.partition(".")
        if rest and name in value:
            yield from _values(value[name], rest)


def _texts(value: Any, key: str) -> Iterator[str | None]:
    if value is None or isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
    else:
        hint = (
            f"; name a key in it, such as {key}.{next(iter(value))}"
            if value and isinstance(value, dict)
            else ""
        )
        raise NoTextError(f"the value of {key!r} is {type(value).__name__}, not a string{hint}")


def _names(document: dict[str, Any]) -> list[str]:
    """Keys of an object, and of the objects in it."""
    names: list[str] = []
    for name, value in document.items():
        inner = value[0] if isinstance(value, list) and value else value
        names += [f"{name}.{key}" for key in inner] if isinstance(inner, dict) else [name]
    return names
