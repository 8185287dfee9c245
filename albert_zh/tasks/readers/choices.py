"""The user's own questions with choices: JSON lines.

```
{"text": "女：我去南方工作。", "question": "谈论什么？", "choices": ["旅行", "工作"], "label": 1}
```
The right choice may be given by its number from 0, by its letter from A, or as it is written. Other
names of the keys are known, such as context, options and answer; a question is not needed.

```
"choices": ["1", "0"], "label": 1        the second one
"choices": ["1", "0"], "label": "1"      a number or a choice: the one that all labels of the file
                                         can be, else an error
```
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.readers.json_lines import json_objects, whole_number
from albert_zh.tasks.task import Task

_KEYS = {
    "text": ("text", "context", "article", "passage", "content", "premise"),
    "choices": ("choices", "options", "choice", "candidates"),
    "label": ("label", "answer"),
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_INDEX = "an index"

# What a label may be -> number of the choice that it means then.
_Readings = Mapping[str, str]


def read_choices(task: Task, path: str, split: str) -> Split:
    """Read a file of questions with choices.

    Args:
        task: The task; it has as many labels as a question has choices at most.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: A line is malformed, or its label is none of its choices; names file and line.
    """
    examples: list[ChoiceExample] = []
    readings: list[_Readings] = []
    places: list[str] = []
    for number, values in json_objects(path):
        place = f"{path}, line {number}"
        example = _example(values, place)
        if len(example.choices) > len(task.labels):
            raise ValueError(
                f"{place}: {len(example.choices)} choices; the task has {len(task.labels)} at most"
            )
        label = _value(values, "label")
        if label in (None, "") and split != "test":
            raise ValueError(f"{place}: no label; only the test file may lack labels")
        examples.append(example)
        readings.append({} if label in (None, "") else _readings(label, example.choices, place))
        places.append(place)
    if not examples:
        raise ValueError(f"{path} holds no questions")
    labelled = (
        dataclasses.replace(example, label=label)
        for example, label in zip(examples, _chosen(readings, places), strict=True)
    )
    return Split(split, path, tuple(labelled))


def most_choices(path: str) -> int:
    """Choices of the question that has the most.

    Raises:
        ValueError: A line is malformed, or there is none; names file and line.
    """
    counts = [
        len(_example(row, f"{path}, line {line}").choices) for line, row in json_objects(path)
    ]
    if not counts:
        raise ValueError(f"{path} holds no questions")
    return max(counts)


def _value(values: Mapping[str, Any], role: str) -> Any:
    return next((values[key] for key in _KEYS[role] if key in values), None)


def _example(values: Mapping[str, Any], place: str) -> ChoiceExample:
    """The example without its label."""
    text, choices, question = (
        _value(values, "text"),
        _value(values, "choices"),
        values.get("question", ""),
    )
    for name, value in (("text", text), ("question", question)):
        if not isinstance(value, str) or not (value.strip() or name == "question"):
            raise ValueError(f"{place}: its {name} is {value!r}; expected a text")
    if not isinstance(choices, list) or len(choices) < 2:
        raise ValueError(f"{place}: its choices are {choices!r}; expected a list of two or more")
    for choice in choices:
        if isinstance(choice, bool) or not isinstance(choice, str | int | float):
            raise ValueError(f"{place}: the choice {choice!r} is no text")
        if not str(choice).strip():
            raise ValueError(f"{place}: the choice {choice!r} is empty; fill it in or leave it out")
    number = values.get("id")
    return ChoiceExample(
        text, question, tuple(map(str, choices)), id=None if number is None else str(number)
    )


def _readings(label: Any, choices: Sequence[str], place: str) -> _Readings:
    """Whatever a label may be.

    Raises:
        ValueError: It is nothing; begins with the place.
    """
    numbers = [str(number) for number in range(len(choices))]
    if not isinstance(label, str):
        with contextlib.suppress(ValueError):
            if (index := str(whole_number(label))) in numbers:
                return {_INDEX: index}
        raise ValueError(
            f"{place}: the label {label!r} is the number of none of its {len(choices)} choices, "
            "which count from 0; a choice that is meant by its text stands in quotation marks"
        )
    if choices.count(label) > 1:
        raise ValueError(
            f"{place}: several of its choices are {label!r}, the label; write the number of the "
            "choice from 0, without quotation marks"
        )
    forms = {"a number": numbers, "a letter": _LETTERS[: len(choices)], "a choice": choices}
    found = {form: numbers[names.index(label)] for form, names in forms.items() if label in names}
    if not found:
        raise ValueError(
            f"{place}: the label {label!r} is none of the choices, nor their number from 0 or "
            "letter"
        )
    return found


def _chosen(readings: Sequence[_Readings], places: Sequence[str]) -> Iterator[str | None]:
    """The label of each example; None where there is none.

    Raises:
        ValueError: A label means one choice as a number or letter, and another one as it is
            written, and the other labels of the file do not tell which; names the line.
    """
    known = [each for each in readings if each and _INDEX not in each]
    of_all = [form for form in known[0] if all(form in each for each in known)] if known else []
    for each, place in zip(readings, places, strict=True):
        meant = {each[form] for form in of_all if form in each} or {*each.values()}
        if len(meant) > 1:
            raise ValueError(
                f"{place}: the label may be {' or '.join(each)}, and means different choices then; "
                "write the number of the choice from 0, without quotation marks"
            )
        yield next(iter(meant), None)
