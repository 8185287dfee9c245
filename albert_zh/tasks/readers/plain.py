"""Files of texts alone, for predictions: a text a line, or two with a tab between them.

```
我的手机丢了                          new.txt, for a task of single texts
我的手机丢了<TAB>手机不见了怎么办      for a task of pairs
```
"""

import re
from collections.abc import Sequence
from typing import Any

from albert_zh.tasks.readers.columns import are_names_of_texts
from albert_zh.tasks.readers.rows import read_table
from albert_zh.tasks.task import Keys
from albert_zh.util.files import read_lines, without_gz

_TAGGED = re.compile(r"\S+\s+(O|[BIMES]-\S+)|.")  # a line of `bio`; without its tag, one character


def plain_rows(
    path: str, keys: Keys
) -> tuple[Sequence[str], list[tuple[int, dict[str, Any]]], str] | None:
    """Names and rows of a `.txt` file of texts alone, as of `named_rows`, and a note for the log.

    A first line that names the columns by usual names, such as text and 标题, is left out.

    Args:
        path: The file, perhaps packed: `.txt.gz`.
        keys: Names of the texts.

    Returns:
        None for other files: those with columns of the names in `keys`, or with further columns.

    Raises:
        ValueError: A line has another number of texts; names file and line.
    """
    if not _is_plain(path):
        return None
    rows = read_table(path).rows
    first = [cell.strip() for cell in rows[0].cells]
    if {*keys.texts, keys.label} & {*first} or len(first) > len(keys.texts):
        return None
    has_header = are_names_of_texts(first)
    for row in rows:
        if len(row.cells) != len(keys.texts):
            wanted = {1: "one text", 2: "two texts with a tab between them"}[len(keys.texts)]
            raise ValueError(
                f"{path}, line {row.line}: {len(row.cells)} columns, where the task takes {wanted} "
                f"({', '.join(keys.texts)})"
            )
    named = [(row.line, dict(zip(keys.texts, row.cells, strict=True))) for row in rows[has_header:]]
    note = _note(path, len(named))
    return keys.texts, named, f"{header_note(path, first)}; {note}" if has_header else note


def header_note(path: str, names: Sequence[str]) -> str:
    """The note on a first line that was left out."""
    shown = " | ".join(names)
    return (
        f"{path}: its first line, {shown}, is a header and no example; if it is an example, write "
        "a header above it"
    )


def untagged_texts(path: str) -> tuple[list[str], str] | None:
    """The lines of a `.txt` file for a task of marked parts, each a text, and a note for the log.

    Returns:
        None for files with a character or word on each line, and for others than `.txt`.
    """
    if not _is_plain(path):
        return None
    lines = list(read_lines(path))
    while lines and not lines[-1].strip():
        lines.pop()
    # An empty line parts texts whose characters stand on a line each.
    if not all(map(str.strip, lines)):
        return None
    # A text may be a single character, too.
    if 2 * sum(map(bool, map(_TAGGED.fullmatch, lines))) > len(lines) or not lines:
        return None
    return lines, _note(path, len(lines))


def _is_plain(path: str) -> bool:
    return without_gz(path).lower().endswith(".txt")


def _note(path: str, number: int) -> str:
    return f"{path} holds texts alone, {number:,} of them, without labels"
