"""Rows of a table: tab-separated text, or CSV with its quotes.

```
train.tsv, train.txt   我很"饿"<TAB>再见<TAB>1       tabs; quotation marks are text, as in LCQMC
train.csv              "我很""饿""了",再见,1         CSV: commas, or tabs if the first line has one
```
A `.tsv` or `.txt` file is CSV, too, if a CSV writer would have written exactly its lines, unless a
cell that spans lines would join lines that are rows by themselves:

```
甲<TAB>"乙<TAB>1         two rows whose texts have a quotation mark each, not one row
丙<TAB>丁"<TAB>0
```
"""

import collections
import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence

from albert_zh.util.files import cr_inside, read_lines, without_gz

_LONGEST_CELL = 1 << 25  # characters; Python's own limit, 131,072, is less than some documents have


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row."""

    line: int  # of the file, where the row begins; from 1
    num_lines: int = dataclasses.field(default=1, kw_only=True)
    cells: list[str]


@dataclasses.dataclass(frozen=True)
class Table:
    """The rows of a file."""

    rows: list[Row]
    separator: str  # tabs or commas, for messages
    note: str | None = None  # remark on quotation marks, for the log and for errors


def read_table(path: str) -> Table:
    """Read all rows of a file; empty lines at its end are left out.

    Raises:
        ValueError: The file is empty or not UTF-8, or its quotation marks are not CSV's, or a CR
            stands outside of such; the message names file and line.
    """
    lines = list(read_lines(path, may_hold_cr=True))
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty")
    if without_gz(path).lower().endswith(".csv"):
        if "\t" in lines[0]:
            return Table(_parse_csv(path, lines, "\t"), "tabs")
        return Table(_parse_csv(path, lines, ","), "commas")
    if _is_written_as_csv(path, lines):
        note = f"{path} is read as CSV with tabs: its quotation marks are not part of the texts"
        return Table(_parse_csv(path, lines, "\t"), "tabs", note)
    for number, line in enumerate(lines, start=1):
        if "\r" in line:
            raise cr_inside(path, number)
    rows = [Row(number, line.split("\t")) for number, line in enumerate(lines, start=1)]
    num_quoted = sum(map(_is_quoted, (cell for row in rows for cell in row.cells)))
    note = (
        f"{path}: quotation marks around {num_quoted:,} cells are kept as text; if they are CSV's, "
        "let the name of the file end with .csv"
    )
    return Table(rows, "tabs", note if num_quoted else None)


def _parse_csv(path: str, lines: Sequence[str], delimiter: str) -> list[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for cells in reader:
            num_lines = reader.line_num + 1 - line
            rows.append(Row(line, cells or [""], num_lines=num_lines))
            line = reader.line_num + 1
    except csv.Error as error:
        if "\r" in lines[reader.line_num - 1]:  # outside quotation marks
            raise cr_inside(path, reader.line_num) from None
        raise ValueError(
            f"{path}, line {line}: no CSV ({error}); a cell with a quotation mark stands in "
            'quotation marks, and the mark is doubled: "a ""b"" c"'
        ) from None
    return rows


def _is_written_as_csv(path: str, lines: Sequence[str]) -> bool:
    """True if the lines are what a CSV writer makes of some rows, and it quoted a cell."""
    if not any(line.startswith('"') or '\t"' in line for line in lines):
        return False
    try:
        rows = _parse_csv(path, lines, "\t")
    except ValueError:
        return False
    if _joins_rows(rows, lines):
        return False
    return any(
        all(map(str.__eq__, _write_csv(rows, quoting), lines))
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL)
    )


def _joins_rows(rows: Sequence[Row], lines: Sequence[str]) -> bool:
    """True if the lines of a row that spans several have all the columns of a row each."""
    widths = collections.Counter(len(row.cells) for row in rows if row.num_lines == 1)
    usual = {width for width, _ in widths.most_common(1)}
    return any(
        {line.count("\t") + 1 for line in lines[row.line - 1 :][: row.num_lines]}
        in ({len(row.cells)}, usual)
        for row in rows
        if row.num_lines > 1
    )


def _write_csv(rows: Sequence[Row], quoting: int) -> Iterator[str]:
    """Lines of a tab-separated CSV file."""
    is_unquoted = str.isdigit if quoting == csv.QUOTE_NONNUMERIC else str.isspace
    for row in rows:
        file = io.StringIO()
        writer = csv.writer(file, delimiter="\t", quoting=quoting, lineterminator="\n")
        writer.writerow([int(cell) if is_unquoted(cell) else cell for cell in row.cells])
        yield from file.getvalue().split("\n")[:-1]


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell.startswith('"') and cell.endswith('"')
