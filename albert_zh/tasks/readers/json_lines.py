"""Files of labelled texts or text pairs in JSON: one object a line, as in CLUE.

```
{"id": 0, "sentence1": "借呗怎么还", "sentence2": "如何还借呗", "label": "1"}
```
Keys that the task does not name are not read.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.readers.columns import read_label
from albert_zh.tasks.task import Task
from albert_zh.util.files import read_lines, without_gz
from albert_zh.util.json_objects import check_characters, json_problem, strict_decoder

_DECODER = strict_decoder()


def read_json_lines(task: Task, path: str, split: str) -> Split:
    """Read a file of labelled texts or text pairs.

    Rows that say that they have no label are left out of train and dev, and a note counts them; the
    test split may lack labels.

    Args:
        task: The dataset; its `keys` name what is read.
        path: The file.
        split: `train`, `dev` or `test`.

    Raises:
        ValueError: The file is empty or not UTF-8, or a line is no JSON object, lacks a key, or has
            an unknown label or an empty text; the message names file and line.
    """
    rows = [
        _example(task, values, split=split, place=f"{path}, line {number}")
        for number, values in json_objects(path)
    ]
    examples = tuple(row for row in rows if row is not None)
    if not examples:
        raise ValueError(f"{path} holds no examples")
    notes = ()
    if left_out := len(rows) - len(examples):
        unlabelled = " or ".join(map(repr, task.unlabelled))
        notes = (f"{path}: {left_out:,} rows with the label {unlabelled} are left out",)
    return Split(split, path, examples, notes=notes)


def is_json(path: str) -> bool:
    """True if the name of a file tells that it holds JSON lines.

    >>> is_json("new.jsonl.gz"), is_json("new.tsv")
    (True, False)
    """
    return without_gz(path).lower().endswith((".json", ".jsonl"))


def json_objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line of the file and object of each line; empty lines are passed over.

    Raises:
        ValueError: A line is no JSON object, or one that has a key twice or half a character; names
            file and line.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield number, _parse(line, f"{path}, line {number}")


def split_of_objects(
    path: str, split: str, example: Callable[[Mapping[str, Any], str], Any]
) -> Split:
    """One example for each line.

    Args:
        path: The file.
        split: `train`, `dev` or `test`.
        example: Makes it of the object of a line, and its place for messages.

    Raises:
        ValueError: A line is malformed, or there is none; names file and line.
    """
    examples = tuple(
        example(values, f"{path}, line {number}") for number, values in json_objects(path)
    )
    if not examples:
        raise ValueError(f"{path} holds no examples")
    return Split(split, path, examples)


def id_of(values: Mapping[str, Any]) -> str | None:
    """The id of a line, which some datasets call idx."""
    number = values.get("id", values.get("idx"))
    return None if number is None else str(number)


def whole_number(value: Any) -> int:
    """A place in a text, or another count; programs write it as 2, some as 2.0 or "2".

    Raises:
        ValueError: It is something else, such as 0.9.
    """
    if isinstance(value, float | str) and re.fullmatch(r"-?\d+(\.0)?", str(value)):
        value = int(float(value))
    if type(value) is not int:  # nor True
        raise ValueError(f"{value!r} is no whole number")
    return value


def label_of(task: Task, values: Mapping[str, Any], *, split: str, place: str) -> str | None:
    """The label of a line; None where a line of test has none.

    Raises:
        ValueError: It is no label of the task, or missing; begins with the place.
    """
    label = values.get(task.keys.label)
    if label is None and split != "test":
        raise ValueError(f"{place}: no {task.keys.label!r}; only the test file may lack labels")
    if isinstance(label, bool):
        label = json.dumps(label)
    return None if label is None else read_label(task, str(label), split=split, place=place)


def _example(task: Task, values: Mapping[str, Any], *, split: str, place: str) -> Example | None:
    """The example of a line; None if it is to be left out."""
    texts = [_text(values, key, place) for key in task.keys.texts]
    number = values.get(task.keys.id) if task.keys.id else None
    label = None
    if values.get(task.keys.label) not in task.unlabelled:
        label = label_of(task, values, split=split, place=place)
    elif split != "test":
        return None
    return Example(
        *texts,
        label=label,
        id=None if number is None else str(number),
    )


def _parse(line: str, place: str) -> dict[str, Any]:
    try:
        values = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        lists = ", without a list around them" if line.startswith("[") else ""
        raise ValueError(
            f"{place}: no JSON ({error}); one object stands on each line{lists}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: {json_problem(error)}; repair it") from None
    if not isinstance(values, dict):
        raise ValueError(f'{place}: {line[:40]} is no JSON object, such as {{"label": "1"}}')
    if "\\u" in line:
        check_characters(values, place)
    return values


def _text(values: Mapping[str, Any], key: str, place: str) -> str:
    text = values.get(key)
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        text = " ".join(text)  # Keywords of CSL, joined as the published code does.
    if not isinstance(text, str):
        raise ValueError(f"{place}: no text {key!r}; its keys are {', '.join(sorted(values))}")
    if not text.strip():
        raise ValueError(f"{place}: the text {key!r} is empty; fill it in or remove the line")
    return text
