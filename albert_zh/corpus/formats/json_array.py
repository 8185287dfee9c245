"""A JSON array of any length, read value by value; or several, one after the other.

```
[{"text": "春。"},⏎ {"te | xt": "夏。"}]⏎[{"text": "秋。"}]      春。   夏。   秋。
```
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from albert_zh.corpus.formats.decoding import BYTE_ORDER_MARK
from albert_zh.corpus.streams import TextStream
from albert_zh.util.json_objects import json_problem

_SPACE = re.compile(r"[ \t\n\r]*")
_MORE = 1 << 16  # characters to wait for before an unfinished value is tried again


def array_values(
    stream: TextStream, decoder: json.JSONDecoder, *, longest: int
) -> Iterator[tuple[str, Any]]:
    """The values of all arrays, each with its place in words.

    Raises:
        ValueError: An array is damaged, has no end, or has a value of more than `longest` bytes; or
            something else stands before or after it.
    """
    text = _Buffer(stream, decoder, longest)
    number = 0
    while sign := text.next_sign():
        if sign != "[":
            raise text.damage(f"{sign!r} after the ] of an array")
        text.take("[")
        is_first = True
        while text.next_sign() != "]":
            if not is_first:
                text.take(",")
            number, is_first = number + 1, False
            yield f"{stream.name}, object {number}", text.value(number)
        text.take("]")


class _Buffer:
    """The part of the array that has been read and not been used."""

    def __init__(self, stream: TextStream, decoder: json.JSONDecoder, longest: int):
        self._parts, self._name, self._longest = iter(stream), stream.name, longest
        self._values = decoder
        self._characters = codecs.getincrementaldecoder("utf-8")()
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
            raise self.damage(f"{sign} is missing")
        self._begin += 1

    def value(self, number: int) -> Any:
        self.next_sign()
        while True:
            try:
                value, self._begin = self._values.raw_decode(self._text, self._begin)
            except (json.JSONDecodeError, RecursionError) as error:
                # Each time more, so that a long value is not tried too often.
                length = len(self._text) - self._begin
                if length > self._longest:
                    limit = f"object {number} is not JSON or has more than"
                    raise self.damage(f"{limit} {self._longest >> 20} MB") from None
                if not self._read(max(_MORE, length)):
                    raise self.damage(f"object {number}: {error}") from None
            except ValueError as error:
                raise self.damage(f"object {number}: {json_problem(error)}") from None
            else:
                return value

    def _read(self, size: int) -> bool:
        """Read so many characters if there are so many; False if there are no more."""
        parts, length = [self._text[self._begin :]], 0
        while length < size and (part := next(self._parts, None)) is not None:
            try:
                parts.append(self._characters.decode(part))
            except UnicodeDecodeError as error:
                raise self.damage(str(error)) from None
            length += len(parts[-1])
        self._text, self._begin = "".join(parts), 0
        return length > 0

    def damage(self, problem: str) -> ValueError:
        return ValueError(
            f"{self._name} is a JSON array that cannot be read ({problem}); repair it, or write"
            " one object a line: --on_bad_text=skip skips lines, not parts of an array"
        )
