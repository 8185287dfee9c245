"""Files of labelled texts or text pairs: one example a row of a table, or a line of JSON.

```
我的手机丢了  手机不见了怎么办  1        train, dev, test
我的手机丢了  手机不见了怎么办           test without labels
```
"""

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.readers.columns import Layout, find_layout, read_label, wrong_width
from albert_zh.tasks.readers.json_lines import is_json, read_json_lines
from albert_zh.tasks.readers.malformed import examples_of
from albert_zh.tasks.readers.rows import Row, Table, read_table
from albert_zh.tasks.task import Task


def read_texts(task: Task, path: str, split: str) -> Split:
    """Read a file of labelled texts or text pairs.

    A first row that names the columns is not an example; it is returned as `Split.header`, and a
    note tells it. The published code dropped the first line of every file. Only the test split may
    lack labels: the column, or labels that are empty, `-`, `-1` or `?`.

    Args:
        task: The dataset.
        path: The file.
        split: `train`, `dev` or `test`.

    Raises:
        ValueError: The file is empty or not UTF-8, or a row has the wrong number of columns, an
            unknown label or an empty text, or the first row may be a header or not; the message
            names file and line.
    """
    if is_json(path):
        return read_json_lines(task, path, split)
    table = read_table(path)
    layout, has_header = find_layout(task, table.rows, split=split, path=path)
    header = "\t".join(table.rows[0].cells) if has_header else None

    def example(row: Row) -> Example:
        return _example(task, row, layout, table, split=split, path=path)

    examples, left_out = examples_of(task, path, table.rows[has_header:], example)
    if not examples:
        raise ValueError(f"{path} holds a header and no examples")
    notes = (*_notes(path, table, layout, header), *left_out)
    return Split(split, path, examples, header, notes=notes)


def _example(
    task: Task, row: Row, layout: Layout, table: Table, *, split: str, path: str
) -> Example:
    place, cells = f"{path}, line {row.line}", row.cells
    if len(cells) != layout.width:
        error = wrong_width(place, cells, layout.width, table.separator, layout.describe())
        raise ValueError(f"{error}; {table.note}" if table.note and any(cells) else error)
    texts = [cells[column] for column in layout.texts]
    if not all(text.strip() for text in texts):
        raise ValueError(f"{place}: a text is empty; fill it in or remove the line")
    label = None
    if layout.label is not None:
        label = read_label(task, cells[layout.label], split=split, place=place)
    return Example(
        *texts,
        label=label,
        id=None if layout.id is None else cells[layout.id].strip(),
    )


def _notes(path: str, table: Table, layout: Layout, header: str | None) -> tuple[str, ...]:
    notes = [table.note] if table.note else []
    if header is not None:
        shown = header.replace("\t", " | ")
        notes.append(f"{path}: its first line is a header and no example: {shown}")
    if header is not None or layout.id is not None:
        notes.append(f"{path}: its columns are {layout.describe()}")
    return tuple(notes)
