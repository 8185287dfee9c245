"""The user's own data as a task: columns by their names, labels as they are found.

```
my.csv                             task.json
  text,class                       {"name": "custom", "kind": "classification",
  手机丢了怎么办,服务      ->        "texts": ["text"], "label": "class", "id": null,
  今天天气很好,闲聊                  "labels": ["服务", "闲聊"], "metric": "accuracy"}
```
A `task.json` is a task that can be passed on: `--task_name=task.json`.
"""

import collections
import json
from collections.abc import Sequence
from typing import Any

from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.regression import REGRESSION
from albert_zh.tasks.readers.columns import NO_LABEL_CELLS
from albert_zh.tasks.readers.named import find_columns, named_rows, read_named
from albert_zh.tasks.task import Keys, Task
from albert_zh.util.json_objects import read_object

NAME = "custom"
FILE = "task.json"

_ENDINGS = ("csv", "tsv", "txt", "jsonl", "json")
_FILES = {
    split: tuple(f"{split}.{ending}{packed}" for ending in _ENDINGS for packed in ("", ".gz"))
    for split in ("train", "dev", "test")
}
ANY_KEYS = Keys(())
_MOST_LABELS = 1000
KINDS = {kind.name: kind for kind in (CLASSIFICATION, REGRESSION)}
_METRICS = {CLASSIFICATION.name: "accuracy", REGRESSION.name: "corr"}


def custom_task(keys: Keys, labels: Sequence[str], *, kind: str = CLASSIFICATION.name) -> Task:
    """A task of the user's own files."""
    return Task(
        name=NAME,
        kind=KINDS[kind],
        read=read_named,
        files=_FILES,
        labels=tuple(labels),
        keys=keys,
        metric=_METRICS[kind],
    )


def infer_task(
    path: str,
    *,
    text_columns: str | None = None,
    label_column: str | None = None,
    kind: str = CLASSIFICATION.name,
) -> Task:
    """The task of a training file.

    Args:
        path: The file.
        text_columns: Names of one or two columns, separated by commas; None: the columns with names
            such as text or sentence1.
        label_column: Name of the column of the labels; None: one with a name such as label.
        kind: One of `KINDS`.

    Raises:
        ValueError: The columns are not there, or not clear; or the labels cannot be classes.
    """
    numbered = bool(label_column and label_column.isdigit())
    names, rows = named_rows(path, numbered=numbered)
    keys = find_columns(path, names, text_columns=text_columns, label_column=label_column)
    if kind == REGRESSION.name:
        return custom_task(keys, (), kind=kind)
    counts = collections.Counter(str(cells.get(keys.label, "")).strip() for _, cells in rows)
    labels = [label for label in counts if label not in NO_LABEL_CELLS]
    _check_labels(path, keys.label, labels, num_rows=len(rows))
    return custom_task(keys, _in_order(labels))


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


def _in_order(labels: Sequence[str]) -> list[str]:
    """Numbers by size, else all by their characters."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def to_json(task: Task) -> str:
    """The content of `task.json`."""
    values = {
        "name": task.name,
        "kind": task.kind.name,
        "texts": list(task.keys.texts),
        "label": task.keys.label,
        "id": task.keys.id,
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

    texts, labels = (tuple(map(str, read(key, list))) for key in ("texts", "labels"))
    if read("kind", str) not in KINDS:
        raise ValueError(f"{path}: unknown kind {values['kind']!r}; known are {', '.join(KINDS)}")
    least = 0 if KINDS[values["kind"]].has_numbers else 2
    if len(texts) not in (1, 2) or len(set(labels)) < least:
        raise ValueError(f"{path}: a task has one or two texts, a classification two labels")
    keys = Keys(texts, read("label", str), values.get("id"))
    return custom_task(keys, labels, kind=values["kind"])
