"""Files of the user's own: columns of a table, or keys of JSON lines, that are chosen by name.

```
text,class                            a header names the columns
{"text": "手机丢了", "class": "服务"}    keys do
手机丢了<TAB>服务                       without a header, columns are chosen by number: 1, 2
```
"""

import dataclasses
import functools
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.readers.columns import (
    NO_LABEL_CELLS,
    are_names_of_texts,
    may_be_label,
    read_label,
    role_of,
    wrong_width,
)
from albert_zh.tasks.readers.json_lines import is_json, json_objects
from albert_zh.tasks.readers.malformed import examples_of
from albert_zh.tasks.readers.plain import header_note, plain_rows
from albert_zh.tasks.readers.rows import read_table
from albert_zh.tasks.task import Keys, Task

NamedRows = Sequence[tuple[int, Mapping[str, Any]]]  # line of the file, cells by name


def named_rows(
    path: str, *, numbered: bool = False, may_be_short: bool = False
) -> tuple[list[str], NamedRows]:
    """Names of the columns, and the rows of a file.

    The rows of the file that was read last are kept until `read_named` has made examples of them.

    Args:
        path: The file; JSON lines if its name ends with `.json` or `.jsonl`, else a table. `.gz`
            may follow.
        numbered: A table has no header: its columns are called 1, 2, ...
        may_be_short: Rows may have too few columns; they lack the last ones then.

    Raises:
        ValueError: The file is empty or malformed, or two columns have one name; names the line.
    """
    state = os.stat(path)
    return _named_rows(path, (state.st_size, state.st_mtime_ns), numbered, may_be_short)


# A task is found in the rows of a file, which are read as examples right after.
@functools.lru_cache(maxsize=1)
def _named_rows(
    path: str, state: tuple[int, int], numbered: bool, may_be_short: bool
) -> tuple[list[str], NamedRows]:
    if is_json(path):
        return _json_rows(path)
    table = read_table(path)
    first = table.rows[0]
    names = [str(number) for number in range(1, len(first.cells) + 1)]
    rows = table.rows
    if not numbered:
        names, rows = [cell.strip() for cell in first.cells], table.rows[1:]
        if twice := [name for name in names if name and names.count(name) > 1]:
            raise ValueError(f"{path}: two columns are called {twice[0]!r}; rename one")
    for row in rows:
        is_short = len(row.cells) < len(names)
        if len(row.cells) != len(names) and not (is_short and may_be_short):
            place = f"{path}, line {row.line}"
            shown = ", ".join(names)
            raise ValueError(wrong_width(place, row.cells, len(names), table.separator, shown))
    return names, [(row.line, dict(zip(names, row.cells, strict=False))) for row in rows]


def _json_rows(path: str) -> tuple[list[str], NamedRows]:
    rows = list(json_objects(path))
    if not rows:
        raise ValueError(f"{path} is empty")
    return list(dict.fromkeys(name for _, values in rows for name in values)), rows


def find_columns(
    path: str, names: Sequence[str], *, text_columns: str | None, label_column: str | None
) -> Keys:
    """The columns that flags name, or else those whose names tell what they hold.

    Raises:
        ValueError: A named column is not there, or the names do not tell.
    """
    texts = [name.strip() for name in text_columns.split(",")] if text_columns else None
    if texts is None:
        texts = [name for name in names if role_of(name) == "text" and name != label_column]
    labels = [label_column] if label_column else [n for n in names if role_of(n) == "label"]
    ids = [name for name in names if role_of(name) == "id" and name not in (*texts, *labels)]
    shown = ", ".join(names)
    for name in (*texts, *labels):
        if name not in names:
            mark = "; cells are separated by commas or tabs" if len(names) == 1 else ""
            raise ValueError(f"{path} has no column {name!r}; its columns are {shown}{mark}")
    if len(texts) not in (1, 2) or len(labels) != 1:
        raise ValueError(
            f"{path}: which of its columns ({shown}) hold the texts and the labels? Name them: "
            "--text_columns=A or --text_columns=A,B, and --label_column=C; columns of a file "
            "without a header are called 1, 2, ..."
        )
    if len({*texts, *labels}) < len(texts) + 1:
        raise ValueError(
            f"--text_columns={','.join(texts)} and --label_column={labels[0]} name a column twice; "
            f"the columns of {path} are {shown}"
        )
    return Keys(tuple(texts), labels[0], ids[0] if ids else None)


def check_no_header(path: str, rows: NamedRows, keys: Keys) -> None:
    """Check that the first row of a file whose columns are named by number is an example.

    Raises:
        ValueError: Its cells are names of columns, and its label is no other row's.
    """
    (line, first), *others = rows
    has_names = role_of(first[keys.label]) == "label" or are_names_of_texts(
        first[name] for name in keys.texts
    )
    if has_names and all(first[keys.label] != cells[keys.label] for _, cells in others):
        texts = ",".join(first[name] for name in keys.texts)
        raise ValueError(
            f"{path}, line {line}: a header, whose columns have names instead of numbers: give "
            f"--text_columns={texts} --label_column={first[keys.label]}. If it is an example, put "
            "a line above it that names the columns"
        )


def _without_header(
    task: Task, path: str, split: str, rows: NamedRows
) -> tuple[NamedRows, tuple[str, ...]]:
    """The rows whose columns are named by number, without a header, and a note on it.

    Raises:
        ValueError: The header says that a column that is read as a text holds something else.
    """
    line, first = rows[0]
    label = first.get(task.keys.label)
    if label is not None and may_be_label(task, label.strip(), split=split):
        return rows, ()
    cells = {name: first.get(name, "").strip() for name in task.keys.texts}
    for name, cell in cells.items():
        if cell and role_of(cell) in ("id", "label"):
            raise ValueError(
                f"{path}, line {line}: column {name}, which the task reads as a text, is called "
                f"{cell!r}; the columns stand in the order of the training file, without a header"
            )
    if not are_names_of_texts(cells.values()):
        return rows, ()
    return rows[1:], (header_note(path, list(cells.values())),)


def label_text(value: Any, place: str) -> str:
    """A label as a text; empty for none. The numbers 1 and 1.0 are one label, as in JSON.

    Raises:
        ValueError: It is a list or an object, or infinite; begins with the place.
    """
    if value is None or value != value:  # NaN, which pandas writes for no value
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float) or value in (math.inf, -math.inf):
        raise ValueError(f"{place}: the label {value!r} is neither a text nor a number")
    return str(value).strip()


def read_named(task: Task, path: str, split: str) -> Split:
    """Read a file of labelled texts or text pairs, by the names of its columns.

    Args:
        task: The task; its `keys` are the names.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels, and may be a `.txt` of texts alone.

    Raises:
        ValueError: The file is malformed or lacks a column, or a row has an unknown label or an
            empty text; names file and line.
    """
    if split == "test" and (plain := plain_rows(path, task.keys)):
        names, rows, note = plain
        found = split_of_rows(task, path, split, names, rows)
        return dataclasses.replace(found, notes=(note, *found.notes))
    numbered = all(name.isdigit() for name in (*task.keys.texts, task.keys.label))
    names, rows = named_rows(path, numbered=numbered, may_be_short=task.has_malformed_rows)
    notes: tuple[str, ...] = ()
    if numbered and split != "train" and not is_json(path):
        rows, notes = _without_header(task, path, split, rows)
    made = split_of_rows(task, path, split, names, rows)
    made = dataclasses.replace(made, notes=(*notes, *made.notes))
    if split == "train":
        texts = " and ".join(map(repr, task.keys.texts))
        note = f"{path}: texts are read from {texts}, labels from {task.keys.label!r}"
        made = dataclasses.replace(made, notes=(*made.notes, note))
    _named_rows.cache_clear()  # The examples stay, the rows need not.
    unclear = " and ".join(repr(label) for label in task.labels if label in NO_LABEL_CELLS)
    if unclear and split == "train":
        note = (
            f"{path}: its labels are {', '.join(task.labels)}; if {unclear} stands for no label, "
            "remove those lines"
        )
        made = dataclasses.replace(made, notes=(*made.notes, note))
    return made


def split_of_rows(
    task: Task, path: str, split: str, names: Sequence[str], rows: NamedRows
) -> Split:
    """The examples of rows, see `read_named`.

    Args:
        task: The task; its `keys` are names of columns.
        path: The file, for messages.
        split: `train`, `dev` or `test`.
        names: Names of the columns.
        rows: As `named_rows` gives them.

    Raises:
        ValueError: As of `read_named`.
    """
    keys = task.keys
    wanted = keys.texts if split == "test" else (*keys.texts, keys.label)
    for name in wanted:
        if name not in names:
            raise ValueError(
                f"{path} has no column {name!r}, which the task reads; its columns are "
                f"{', '.join(names)}"
            )

    def example(row: tuple[int, Mapping[str, Any]]) -> Example:
        return _example(task, row[1], split, f"{path}, line {row[0]}")

    examples, notes = examples_of(task, path, rows, example)
    if not examples:
        raise ValueError(f"{path} holds no examples")
    used = {*keys.texts, keys.label, keys.id}
    if unused := ", ".join(name for name in names if name not in used):
        notes = (f"{path}: these columns are not read: {unused}", *notes)
    return Split(split, path, examples, notes=notes)


def _example(task: Task, cells: Mapping[str, Any], split: str, place: str) -> Example:
    texts = [cells.get(name) for name in task.keys.texts]
    for name, text in zip(task.keys.texts, texts, strict=True):
        if name not in cells:
            raise ValueError(f"{place}: there is no {name!r}, only {', '.join(cells)}")
        if text is not None and not isinstance(text, str):
            raise ValueError(
                f"{place}: {name!r} is {text!r} and no text; a text stands in quotation marks"
            )
        if not text or not text.strip():
            raise ValueError(
                f"{place}: the text in column {name!r} is {text!r}; fill it in or remove the line"
            )
    label = label_text(cells.get(task.keys.label), place)
    number = cells.get(task.keys.id) if task.keys.id else None
    return Example(
        *texts,
        label=read_label(task, label, split=split, place=place),
        id=None if number is None else str(number).strip(),
    )
