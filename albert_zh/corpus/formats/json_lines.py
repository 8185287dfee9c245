"""JSON lines: one object a line, which is a document; its text has one sentence a line.

```
{"text": "春。\\n夏。"}⏎      [春。 夏。]
{"text": "秋。"}⏎            [秋。]
```
"""

import json
from collections.abc import Iterator

from albert_zh.corpus.formats.decoding import (
    BYTE_ORDER_MARK,
    check_not_utf16,
    decode,
    utf8_problem,
)
from albert_zh.corpus.formats.format import ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.lines import TextChunk, whole_lines
from albert_zh.corpus.sources import Source

# Bytes. A thick book in Chinese has ten million, twice as many if it is written as \uXXXX.
LONGEST_OBJECT = 1 << 25

_KEYS_IN_MESSAGE = 10


def read_json_lines(source: Source, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a file with one JSON object a line.

    Raises:
        ValueError: The file is UTF-16, or one array instead of lines.
    """
    for text in json_texts(source, context):
        yield from split_text(text, context.counts)


def json_texts(
    source: Source, context: ReadContext, *, longest: int = LONGEST_OBJECT
) -> Iterator[bytes]:
    """The text, in UTF-8, of every object that has at most `longest` bytes.

    Raises:
        ValueError: The file is UTF-16, or one array instead of lines.
    """
    is_first = True
    for line in whole_lines(source, longest=longest):
        check_not_utf16(line, source)
        beginning = line.data.removeprefix(BYTE_ORDER_MARK.encode()).lstrip()
        if not beginning:
            continue
        if is_first and beginning.startswith(b"["):
            raise ValueError(
                f"{source.name} is a JSON array, not JSON lines; write one object a line, for"
                " example with: jq -c '.[]'"
            )
        is_first = False
        try:
            if line.is_partial_line:
                place = f"{source.name}, line {line.number}"
                raise ValueError(f"{place}: more than {longest >> 20} MB; give smaller documents")
            text = _text_of_object(line, source, context.text_key)
        except ValueError as error:
            context.skip(str(error))
        else:
            yield text


def _text_of_object(line: TextChunk, source: Source, key: str) -> bytes:
    place = f"{source.name}, line {line.number}"
    try:
        return _value(decode(line.data, line.offset), key).encode()
    except UnicodeDecodeError as error:
        raise ValueError(utf8_problem(error, line.number, line.offset, source)) from None
    except UnicodeEncodeError:
        raise ValueError(f"{place}: {key!r} has half of a character in two parts") from None
    except RecursionError:
        raise ValueError(f"{place}: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _value(text: str, key: str) -> str:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error}); give one whole object a line") from None
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} instead of an object with the key {key!r}")
    if key not in value:
        keys = ", ".join(list(value)[:_KEYS_IN_MESSAGE]) or "none"
        raise ValueError(f"no key {key!r}; name the text's key with --json_key, there are: {keys}")
    if not isinstance(value[key], str):
        raise ValueError(f"the value of {key!r} is {type(value[key]).__name__}, not a string")
    return value[key]
