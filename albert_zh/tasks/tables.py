"""Predictions as rows for people, in two forms.

```
JSON lines  {"id": "7", "text_a": "手机丢了", "label": "服务", "prediction": "服务",
             "probabilities": {"服务": 0.9, "闲聊": 0.1}}
table       id  text_a    label  prediction  probability_服务  probability_闲聊
            7   手机丢了  服务   服务        0.9               0.1
```
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from albert_zh.tasks.task import Kind

Row = Mapping[str, Any]


def prediction_rows(
    kind: Kind, examples: Sequence[Any], predictions: Sequence[Any], labels: Sequence[str]
) -> list[Row]:
    """A row for each example: id (or number), texts, label if the file has any, prediction.

    Args:
        kind: Kind of the task.
        examples: The examples.
        predictions: Those of the kind, one for each example.
        labels: Labels of the task.
    """
    is_labelled = any(example.label is not None for example in examples)
    return [
        {
            name: value
            for name, value in {
                "id": example_id(example, number),
                **kind.row(example, predictions[number], labels),
            }.items()
            if name != "label" or is_labelled
        }
        for number, example in enumerate(examples)
    ]


def example_id(example: Any, number: int) -> str:
    """The id that the file gives to an example; without one, its number from 0."""
    return str(number) if example.id is None else example.id


def as_json_lines(rows: Iterable[Row]) -> str:
    """One object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_table(rows: Sequence[Row]) -> str:
    """CSV with tabs, the names of the columns in the first line.

    >>> as_table([{"id": "7", "label": None, "probabilities": {"a": 0.9}, "choices": ["x", "y"]}])
    'id\\tlabel\\tprobability_a\\tchoices\\n7\\t\\t0.9\\tx | y\\n'
    """
    cells = [dict(_cells(row)) for row in rows]
    names = list(dict.fromkeys(name for row in cells for name in row))
    return tabbed([names, *([row.get(name, "") for name in names] for row in cells)])


def _cells(row: Row) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name == "probabilities":
            yield from ((f"probability_{label}", each) for label, each in value.items())
        elif isinstance(value, list):
            yield name, " | ".join(map(_words, value))
        else:
            yield name, "" if value is None else value


def _words(value: Any) -> str:
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def tabbed(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV with tabs; only cells with a tab, a line end or a quotation mark are quoted."""
    file = io.StringIO()
    csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)
    return file.getvalue()
