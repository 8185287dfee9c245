"""The corpus formats, one row each, and the choice of a format for a file.

```
wiki_00.jsonl.gz    by the ending of its name      json
- (a pipe)          by its first bytes             none of the rows so far has any
anything else                                      text
```
A new format is a file beside this one and one row here.
"""

from albert_zh.corpus.compression import without_compression_ending
from albert_zh.corpus.formats.format import CorpusFormat
from albert_zh.corpus.formats.json_lines import read_json_lines
from albert_zh.corpus.formats.text import read_text
from albert_zh.corpus.sources import Source

_ROWS = (
    CorpusFormat("text", "one sentence a line, a blank line between documents", read_text),
    CorpusFormat(
        "json",
        "one object a line, which is a document",
        read_json_lines,
        endings=(".json", ".jsonl"),
    ),
)
FORMATS = {row.name: row for row in _ROWS}
AUTO = "auto"  # the choice of `detect_format`
_DEFAULT = "text"


def format_choices() -> list[str]:
    """Values of --input_format."""
    return [AUTO, *FORMATS]


def detect_format(source: Source) -> CorpusFormat:
    """The format that the name of a file tells, else its first bytes; text where neither does."""
    name = without_compression_ending(source.path)
    for row in FORMATS.values():
        if row.endings and name.endswith(row.endings):
            return row
    for row in FORMATS.values():
        if row.signatures and source.peek().startswith(row.signatures):
            return row
    return FORMATS[_DEFAULT]
