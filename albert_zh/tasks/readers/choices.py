"""The user's own questions with choices: JSON lines.

```
{"text": "女：我去南方工作。", "question": "谈论什么？", "choices": ["旅行", "工作"], "label": 1}
```
The right choice may be given by its number from 0, by its letter from A, or as it is written. Other
names of the keys are known, such as context, options and answer; a question is not needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.readers.json_lines import json_objects
from albert_zh.tasks.task import Task

_KEYS = {
    "text": ("text", "context", "article", "passage", "content", "premise"),
    "choices": ("choices", "options", "choice", "candidates"),
    "label": ("label", "answer"),
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_choices(task: Task, path: str, split: str) -> Split:
    """Read a file of questions with choices.

    Args:
        task: The task; it has as many labels as a question has choices at most.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: A line is malformed, or its label is none of its choices; names file and line.
    """
    examples = []
    for number, values in json_objects(path):
        place = f"{path}, line {number}"
        example = _example(values, place)
        if len(example.choices) > len(task.labels):
            raise ValueError(
                f"{place}: {len(example.choices)} choices; the task has {len(task.labels)} at most"
            )
        if example.label is None and split != "test":
            raise ValueError(f"{place}: no label; only the test file may lack labels")
        examples.append(example)
    if not examples:
        raise ValueError(f"{path} holds no questions")
    return Split(split, path, tuple(examples))


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


def _example(values: Mapping[str, Any], place: str) -> ChoiceExample:
    found = {
        role: next((values[key] for key in keys if key in values), None)
        for role, keys in _KEYS.items()
    }
    text, choices, question = found["text"], found["choices"], values.get("question", "")
    for name, value in (("text", text), ("question", question)):
        if not isinstance(value, str) or not (value.strip() or name == "question"):
            raise ValueError(f"{place}: its {name} is {value!r}; expected a text")
    if not isinstance(choices, list) or len(choices) < 2:
        raise ValueError(f"{place}: its choices are {choices!r}; expected a list of two or more")
    choices = tuple(map(str, choices))
    number = values.get("id")
    return ChoiceExample(
        text,
        question,
        choices,
        label=None if found["label"] in (None, "") else _label(found["label"], choices, place),
        id=None if number is None else str(number),
    )


def _label(label: Any, choices: Sequence[str], place: str) -> str:
    """Number of the right choice."""
    label = str(label)
    numbers = [str(number) for number in range(len(choices))]
    for names in (choices, numbers, _LETTERS[: len(choices)]):
        if label in names:
            return numbers[names.index(label)]
    raise ValueError(
        f"{place}: the label {label!r} is none of the choices, nor their number from 0 or letter"
    )
