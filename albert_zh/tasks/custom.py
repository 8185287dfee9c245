"""The user's own data as a task: columns by their names, labels as they are found.

```
my.csv                             task.json
  text,class                       {"name": "custom", "kind": "classification",
  手机丢了怎么办,服务      ->        "texts": ["text"], "label": "class", "id": null,
  今天天气很好,闲聊                  "labels": ["服务", "闲聊"], "metric": "accuracy"}
```
A `task.json` is a task that can be passed on: `--task_name=task.json`.
"""

import functools
import json
import os
import re
from collections.abc import Sequence
from typing import Any

from albert_zh.tasks.custom_forms import FORMS, custom_task
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.regression import REGRESSION
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.readers.choices import most_choices
from albert_zh.tasks.readers.entities import marked_texts
from albert_zh.tasks.readers.json_lines import is_json
from albert_zh.tasks.readers.named import (
    check_no_header,
    find_columns,
    label_text,
    named_rows,
)
from albert_zh.tasks.task import Keys, Task
from albert_zh.text.encoding import has_chinese
from albert_zh.util.json_objects import read_object

FILE = "task.json"
NO_KEYS = Keys(())

_MOST_LABELS = 1000
_COLUMN_FLAGS = "--text_columns and --label_column"


def infer_task(
    path: str,
    *,
    text_columns: str | None = None,
    label_column: str | None = None,
    kind: str = CLASSIFICATION.name,
) -> Task:
    """The task of a training file. A file that has not changed is read once.

    Args:
        path: The file.
        text_columns: Names of one or two columns, separated by commas; None: the columns with names
            such as text or sentence1.
        label_column: Name of the column of the labels; None: one with a name such as label.
        kind: One of `custom_forms.FORMS`.

    Raises:
        ValueError: The file is malformed; the columns are not there, or not clear; or the labels
            cannot be classes.
    """
    if (text_columns or label_column) and not FORMS[kind].has_columns:
        raise ValueError(
            f"{_COLUMN_FLAGS} name columns of tables; files of --kind={kind} have none"
        )
    state = os.stat(path)
    return _infer(path, (state.st_size, state.st_mtime_ns), text_columns, label_column, kind)


@functools.lru_cache(maxsize=1)
def _infer(
    path: str, state: Any, text_columns: str | None, label_column: str | None, kind: str
) -> Task:
    if kind == TAGGING.name:
        return custom_task(NO_KEYS, _types(path), kind=kind)
    if kind == CHOICE.name:
        return custom_task(
            NO_KEYS, [str(number) for number in range(most_choices(path))], kind=kind
        )
    if kind == READING.name:
        return _reading(path)
    numbered = bool(label_column and label_column.isdigit())
    names, rows = named_rows(path, numbered=numbered)
    keys = find_columns(path, names, text_columns=text_columns, label_column=label_column)
    if numbered and not is_json(path):
        check_no_header(path, rows, keys)
    if kind == REGRESSION.name:
        return custom_task(keys, (), kind=kind)
    # What means no label elsewhere, such as -1, may be one: the rows to learn from have labels.
    found = (label_text(cells.get(keys.label), f"{path}, line {line}") for line, cells in rows)
    labels = list(dict.fromkeys(filter(None, found)))
    _check_labels(path, keys.label, labels, num_rows=len(rows))
    _check_numbers(path, keys.label, labels)
    return custom_task(keys, _in_order(labels))


def _types(path: str) -> list[str]:
    """Types of the entities of a file."""
    types = {each.type for _, example in marked_texts(path) for each in example.entities or ()}
    if not types:
        raise ValueError(
            f"{path} marks no part of a text; expected a character and a tag such as B-PER on each "
            'line, or JSON lines such as {"text": "小明", "label": [[0, 2, "PER"]]}'
        )
    return sorted(types)


def _reading(path: str) -> Task:
    """Answers in Chinese are scored as CLUE's, others as SQuAD's."""
    whole = custom_task(NO_KEYS, (), kind=READING.name)
    examples = whole.read(whole, path, "train").examples
    labels = [""] if any(each.answers == () for each in examples) else []
    is_chinese = any(has_chinese(each.context) for each in examples)
    return custom_task(NO_KEYS, labels, kind=READING.name, metric="average" if is_chinese else "f1")


def _check_labels(path: str, column: str, labels: Sequence[str], *, num_rows: int) -> None:
    if len(labels) < 2:
        raise ValueError(
            f"{path}: column {column!r} holds {'one label' if labels else 'no label'}"
            f"{': ' + labels[0] if labels else ''}; a classification needs two or more. Name "
            "another column with --label_column"
        )
    if len(labels) > _MOST_LABELS or (num_rows > 20 and len(labels) > num_rows / 2):
        raise ValueError(
            f"{path}: column {column!r} holds {len(labels):,} different labels in {num_rows:,} "
            f"rows, such as {labels[0]!r} and {labels[1]!r}, too many for classes. Name another "
            "column with --label_column, or predict numbers with --kind=regression"
        )


def _check_numbers(path: str, column: str, labels: Sequence[str]) -> None:
    """Check that no number is written in two ways, as by a spreadsheet: 1 and 1.0."""
    for label in labels:
        whole = re.fullmatch(r"(-?\d+)\.0+", label)
        if whole and whole[1] in labels:
            raise ValueError(
                f"{path}: column {column!r} has the labels {whole[1]!r} and {label!r}; write the "
                "number in one way"
            )


def _in_order(labels: Sequence[str]) -> list[str]:
    """Numbers by size, else all by their characters."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def to_json(task: Task) -> str:
    """The content of `task.json`."""
    columns = {"texts": list(task.keys.texts), "label": task.keys.label, "id": task.keys.id}
    values = {
        "name": task.name,
        "kind": task.kind.name,
        **(columns if FORMS[task.kind.name].has_columns else {}),
        "labels": list(task.labels),
        "metric": task.metric,
    }
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def load_task(path: str) -> Task:
    """Read a `task.json`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no task; names the file and the key.
    """
    values = read_object(path)

    def read(key: str, kind: type | tuple[type, ...]) -> Any:
        if not isinstance(values.get(key), kind):
            raise ValueError(f"{path}: {key!r} is {values.get(key)!r}, which no task has")
        return values[key]

    if read("kind", str) not in FORMS:
        raise ValueError(f"{path}: unknown kind {values['kind']!r}; known are {', '.join(FORMS)}")
    form = FORMS[values["kind"]]
    labels = tuple(map(str, read("labels", list)))
    if len(set(labels)) < form.least_labels:
        raise ValueError(
            f"{path}: {len(set(labels))} labels; a task of its kind has {form.least_labels} or more"
        )
    metrics = [each.name for each in form.metrics]
    metric = values.get("metric", metrics[0])
    if metric not in metrics:
        raise ValueError(f"{path}: unknown metric {metric!r}; known are {', '.join(metrics)}")
    keys = NO_KEYS
    if form.has_columns:
        texts = tuple(map(str, read("texts", list)))
        if len(texts) not in (1, 2):
            raise ValueError(f"{path}: 'texts' is {list(texts)!r}; a task has one or two texts")
        keys = Keys(texts, read("label", str), values.get("id"))
    return custom_task(keys, labels, kind=form.kind.name, metric=metric)
