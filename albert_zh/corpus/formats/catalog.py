"""The corpus formats, one row each, and the choice of a format for a file.

```
wiki_00, - (a pipe)    by its first bytes               {"text": ...      json
a.jsonl.gz             else by the ending of its name                     json
anything else                                                             text
```
A new format is a file beside this one and one row here.
"""

import re

from albert_zh.corpus.compression import without_compression_ending
from albert_zh.corpus.foreign import check_not_foreign
from albert_zh.corpus.formats.format import CorpusFormat
from albert_zh.corpus.formats.json_lines import read_json_lines
from albert_zh.corpus.formats.parquet import read_parquet
from albert_zh.corpus.formats.table import read_table
from albert_zh.corpus.formats.text import read_text
from albert_zh.corpus.formats.wikiextractor import read_wikiextractor
from albert_zh.corpus.streams import TextStream

_BEGINNING = rb"(?:\xef\xbb\xbf)?\s*"  # of a text: perhaps a byte-order mark, and white space
_OBJECT = rb'\{\s*"(?:[^"\\]|\\.)*"\s*:'  # with its first key

_ROWS = (
    CorpusFormat("text", "one sentence per line, a blank line between documents", read_text),
    CorpusFormat(
        "json",
        "JSON lines, one object per line, one per document; or an array of such objects",
        read_json_lines,
        endings=(".json", ".jsonl", ".ndjson"),
        signatures=(_BEGINNING + rb"(?:\[\s*)?" + _OBJECT,),
        has_keys=True,
        needs_line_ends=False,  # An array may have any; of lines, the one line is no JSON.
    ),
    CorpusFormat(
        "parquet",
        "a table with a document in each row (needs the package pyarrow)",
        read_parquet,
        endings=(".parquet",),
        signatures=(rb"PAR1[\x00-\x08\x0e-\x1f]",),
        package="pyarrow",
        has_keys=True,
        needs_line_ends=False,
    ),
    CorpusFormat(
        "csv",
        "a table with a document in each row, columns named by the first row",
        read_table,
        endings=(".csv", ".tsv"),
        has_keys=True,
    ),
    CorpusFormat(
        "wikiextractor",
        "elements <doc id=...> of WikiExtractor",
        read_wikiextractor,
        signatures=(_BEGINNING + rb"<doc\s[^>\n]*\b(?:id|url|title)=",),
    ),
)
FORMATS = {row.name: row for row in _ROWS}
AUTO = "auto"  # the choice of `detect_format`
_DEFAULT = "text"


def format_choices() -> list[str]:
    """Values of --input_format."""
    return [AUTO, *FORMATS]


def detect_format(stream: TextStream) -> CorpusFormat:
    """The format that the first bytes of a file tell, else its name; text where neither does.

    Raises:
        ForeignFile: The first bytes are those of a file that is no text.
    """
    first = stream.peek()
    for row in FORMATS.values():
        if any(re.match(signature, first) for signature in row.signatures):
            return row
    check_not_foreign(first, stream.name)
    name = without_compression_ending(stream.path)
    for row in FORMATS.values():
        if row.endings and name.endswith(row.endings):
            return row
    return FORMATS[_DEFAULT]
