"""A JSON array of any length, read value by value.

```
[{"text": "春。"},⏎ {"te | xt": "夏。"}]      {"text": "春。"}   {"text": "夏。"}
```
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from albert_zh.corpus.formats.decoding import BYTE_ORDER_MARK
from albert_zh.corpus.streams import TextStream

_SPACE = re.compile(r"[ \t\n\r]*")
_MORE = 1 << 16  # characters to wait for before an unfinished value is tried again


def array_values(stream: TextStream, *, longest: int) -> Iterator[tuple[str, Any]]:
    """The values of the array, each with its place in words.

    Raises:
        ValueError: The array is damaged, has no end, or has a value of more than `longest` bytes.
    """
    text = _Buffer(stream, longest)
    number = 0
    text.take("[")
    while text.next_sign() != "]":
        if number:
            text.take(",")
        number += 1
        yield f"{stream.name}, object {number}", text.value(number)
    text.take("]")


class _Buffer:
    """The part of the array that has been read and not been used."""

    def __init__(self, stream: TextStream, longest: int):
        self._parts, self._name, self._longest = iter(stream), stream.name, longest
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._begin = "", 0
        self._read(1)
        self._text = self._text.removeprefix(BYTE_ORDER_MARK)

    def next_sign(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            self._begin = _SPACE.match(self._text, self._begin).end()
            if self._begin < len(self._text) or not self._read(1):
                return self._text[self._begin : self._begin + 1]

    def take(self, sign: str) -> None:
        if self.next_sign() != sign:
            raise self._damage(f"{sign} is missing")
        self._begin += 1

    def value(self, number: int) -> Any:
        self.next_sign()
        while True:
            try:
                value, self._begin = json.JSONDecoder().raw_decode(self._text, self._begin)
            except (ValueError, RecursionError) as error:
                # Each time more, so that a long value is not tried too often.
                length = len(self._text) - self._begin
                if length > self._longest:
                    limit = f"object {number} is not JSON or has more than"
                    raise self._damage(f"{limit} {self._longest >> 20} MB") from None
                if not self._read(max(_MORE, length)):
                    raise self._damage(f"object {number}: {error}") from None
            else:
                return value

    def _read(self, size: int) -> bool:
        """Read so many characters if there are so many; False if there are no more."""
        parts, length = [self._text[self._begin :]], 0
        while length < size and (part := next(self._parts, None)) is not None:
            try:
                parts.append(self._decoder.decode(part))
            except UnicodeDecodeError as error:
                raise self._damage(str(error)) from None
            length += len(parts[-1])
        self._text, self._begin = "".join(parts), 0
        return length > 0

    def _damage(self, problem: str) -> ValueError:
        return ValueError(
            f"{self._name} is a JSON array that cannot be read ({problem}); repair it, or write"
            " one object a line: --on_bad_text=skip skips lines, not parts of an array"
        )
