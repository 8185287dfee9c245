"""JSON lines: one object a line, which is a document; its text has one sentence a line.

```
{"text": "春。\\n夏。"}⏎      [春。 夏。]
{"text": "秋。"}⏎            [秋。]
```
"""

import json
from collections.abc import Iterator
from typing import Any

from albert_zh.corpus.formats.decoding import BYTE_ORDER_MARK, decode, not_utf8, utf8_advice
from albert_zh.corpus.formats.fields import NoTextError, parse_keys, text_of
from albert_zh.corpus.formats.format import BadText, ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.lines import TextChunk, whole_lines
from albert_zh.corpus.streams import TextStream

# Bytes. A thick book in Chinese has ten million, twice as many if it is written as \uXXXX.
LONGEST_OBJECT = 1 << 25


def read_json_lines(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a file with one JSON object a line.

    Raises:
        ValueError: The file is one array instead of lines.
    """
    for text in json_texts(stream, context):
        yield from split_text(text, context.counts)


def json_texts(
    stream: TextStream, context: ReadContext, *, longest: int = LONGEST_OBJECT
) -> Iterator[bytes]:
    """The text, in UTF-8, of every object that has at most `longest` bytes.

    Raises:
        ValueError: The file is one array instead of lines.
    """
    keys = parse_keys(context.text_key)
    is_first = True
    for line in whole_lines(stream, longest=longest):
        beginning = line.data.removeprefix(BYTE_ORDER_MARK.encode()).lstrip()
        if not beginning:
            continue
        if is_first and beginning.startswith(b"["):
            raise ValueError(
                f"{stream.name} is a JSON array, not JSON lines; write one object a line, for"
                " example with: jq -c '.[]'"
            )
        is_first = False
        place = f"{stream.name}, line {line.number}"
        try:
            if line.is_partial_line:
                problem = f"{place}: more than {longest >> 20} MB; give smaller documents"
                raise BadText(problem, "lines_too_long")
            document = _object(line, stream, context.text_key)
            text = text_of(document, keys, context.counts).encode()
        except NoTextError as error:
            context.skip(BadText(f"{place}: {error}", "documents_without_text"))
        except UnicodeEncodeError:
            problem = f"{place}: {context.text_key!r} has half of a character in two parts"
            context.skip(BadText(problem, "lines_not_json"))
        except BadText as error:
            context.skip(error)
        else:
            yield text


def _object(line: TextChunk, stream: TextStream, key: str) -> dict[str, Any]:
    """The object of a line.

    Raises:
        BadText: There is none.
    """
    try:
        value = json.loads(decode(line.data, line.offset))
    except UnicodeDecodeError as error:
        advice = utf8_advice(line.data, error.start, stream)
        raise not_utf8(error, line.number, line.offset, stream, advice) from None
    except json.JSONDecodeError as error:
        problem = (
            f"not JSON ({error}); give one whole object a line (jq -c . makes such lines), or"
            " --input_format=text"
        )
    except RecursionError:
        problem = "nested too deeply"
    except ValueError as error:  # such as an integer of thousands of digits
        problem = str(error)
    else:
        if isinstance(value, dict):
            return value
        problem = f"{type(value).__name__} instead of an object with the key {key!r}"
    raise BadText(f"{stream.name}, line {line.number}: {problem}", "lines_not_json")
