"""JSON lines: one object a line, which is a document; its text has one sentence a line.

```
{"text": "春。\\n夏。"}⏎      [春。 夏。]
{"text": "秋。"}⏎            [秋。]
```
A file may also be one array of such objects, see `formats.json_array`.
"""

import json
from collections.abc import Iterator
from typing import Any

from albert_zh.corpus.formats.decoding import BYTE_ORDER_MARK, decode, not_utf8, utf8_advice
from albert_zh.corpus.formats.fields import NoTextError, names_of, parse_keys, text_of
from albert_zh.corpus.formats.format import BadText, ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.formats.json_array import array_values
from albert_zh.corpus.lines import TextChunk, whole_lines
from albert_zh.corpus.streams import TextStream
from albert_zh.util.json_objects import json_problem, strict_decoder

# Bytes. A thick book in Chinese has ten million, twice as many if it is written as \uXXXX.
LONGEST_OBJECT = 1 << 25

_MARK = BYTE_ORDER_MARK.encode()


def read_json_lines(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a file with one JSON object a line.

    Raises:
        ValueError: The file is an array that is damaged.
    """
    for text in json_texts(stream, context):
        yield from split_text(text, context.counts)


def json_texts(
    stream: TextStream, context: ReadContext, *, longest: int = LONGEST_OBJECT
) -> Iterator[bytes]:
    """The text, in UTF-8, of every object that has at most `longest` bytes.

    Raises:
        ValueError: The file is an array that is damaged.
    """
    keys = parse_keys(context.text_key)
    is_array = stream.peek().removeprefix(_MARK).lstrip().startswith(b"[")
    decoder = strict_decoder(names_of(keys))
    if is_array:
        values = array_values(stream, decoder, longest=longest)
    else:
        values = _lines(stream, decoder, context, longest)
    for place, value in values:
        try:
            if not isinstance(value, dict):
                kind = type(value).__name__
                problem = f"{place}: {kind} instead of an object with the key {context.text_key!r}"
                raise BadText(problem, "lines_not_json")
            text = text_of(value, keys, context.counts).encode()
        except NoTextError as error:
            context.skip(BadText(f"{place}: {error}", "documents_without_text"))
        except UnicodeEncodeError:
            problem = f"{place}: {context.text_key!r} has half of a character in two parts"
            context.skip(BadText(problem, "lines_not_json"))
        except BadText as error:
            context.skip(error)
        else:
            yield text


def _lines(
    stream: TextStream, decoder: json.JSONDecoder, context: ReadContext, longest: int
) -> Iterator[tuple[str, Any]]:
    """The value on each line that is not blank, and its place in words."""
    for line in whole_lines(stream, longest=longest):
        if not line.data.removeprefix(_MARK).strip():
            continue
        place = f"{stream.name}, line {line.number}"
        try:
            if line.is_partial_line:
                problem = f"{place}: more than {longest >> 20} MB; give smaller documents"
                raise BadText(problem, "lines_too_long")
            value = _value(line, stream, decoder, place)
        except BadText as error:
            context.skip(error)
        else:
            yield place, value


def _value(line: TextChunk, stream: TextStream, decoder: json.JSONDecoder, place: str) -> Any:
    """The value on a line.

    Raises:
        BadText: There is none.
    """
    try:
        return decoder.decode(decode(line.data, line.offset))
    except UnicodeDecodeError as error:
        advice = utf8_advice(line.data, error.start, stream)
        raise not_utf8(error, line.number, line.offset, stream, advice) from None
    except json.JSONDecodeError as error:
        way_out = "give one whole object a line (jq -c . makes such lines), or --input_format=text"
        raise BadText(f"{place}: {json_problem(error)}; {way_out}", "lines_not_json") from None
    except (ValueError, RecursionError) as error:
        way_out = "repair the line, or leave out such lines with --on_bad_text=skip"
        raise BadText(f"{place}: {json_problem(error)}; {way_out}", "lines_not_json") from None
