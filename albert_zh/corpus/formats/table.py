"""Tables of values with separators (CSV, TSV): one document a row, columns named by the first row.

```
title,content⏎
春,"春天来了，⏎花开了。"⏎      --json_key=content      [春天来了， 花开了。]
```
"""

import csv
from collections.abc import Iterator

from albert_zh.corpus.formats.decoding import decode, not_utf8, utf8_advice
from albert_zh.corpus.formats.fields import check_columns, parse_keys, text_of
from albert_zh.corpus.formats.format import BadText, ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.lines import whole_lines
from albert_zh.corpus.streams import TextStream

_LONGEST_FIELD = 1 << 25  # characters; also the longest line in bytes
_SEPARATORS = (",", "\t", ";")


def read_table(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a table.

    Raises:
        BadText: The first row does not name the columns of --json_key, or one twice.
    """
    for text in table_texts(stream, context):
        yield from split_text(text, context.counts)


def table_texts(stream: TextStream, context: ReadContext) -> Iterator[bytes]:
    """The text of every row, in UTF-8."""
    keys = parse_keys(context.text_key)
    lines = _lines(stream, context)
    first = next(lines, "")
    separator = max(_SEPARATORS, key=first.count)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        (names,) = csv.reader([first], delimiter=separator) if first.strip() else ([],)
    except csv.Error:  # a CR inside
        names = []
    if not set(keys) <= set(names):
        raise BadText(
            f"{stream.name}: the first row has no column {', '.join(map(repr, keys))}; name the"
            f" text's column with --json_key, there are: {', '.join(names) or 'none'}; or read the"
            " lines as they are with --input_format=text",
            "files_without_column",
        )
    check_columns(names, keys, stream.name)
    # Files with tabs hardly ever quote; a quotation mark in them is one of the text.
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    rows = csv.reader(lines, delimiter=separator, quoting=quoting, strict=True)
    while True:
        place = f"{stream.name}, line {rows.line_num + 2}"
        try:
            row = next(rows, None)
            if row is None:
                return
            if row and len(row) != len(names):
                raise csv.Error(f"{len(row)} values for {len(names)} columns")
        except csv.Error as error:
            problem = f"{place}: {error}; repair the row, or read lines with --input_format=text"
            context.skip(BadText(problem, "rows_not_csv"))
        else:
            if row:
                yield text_of(dict(zip(names, row, strict=True)), keys, context.counts).encode()


def _lines(stream: TextStream, context: ReadContext) -> Iterator[str]:
    """Lines with their ends, without those that are not UTF-8."""
    for line in whole_lines(stream, longest=_LONGEST_FIELD):
        try:
            if line.is_partial_line:
                problem = f"{stream.name}, line {line.number}: more than {_LONGEST_FIELD >> 20} MB"
                raise BadText(problem, "lines_too_long")
            yield decode(line.data, line.offset) + "\n"
        except UnicodeDecodeError as error:
            advice = utf8_advice(line.data, error.start, stream)
            context.skip(not_utf8(error, line.number, line.offset, stream, advice))
        except BadText as error:
            context.skip(error)
