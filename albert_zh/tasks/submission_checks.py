"""Reasons for which the site of a benchmark refuses a file of predictions, or scores it wrongly.

```
afqmc_predict.json + test.json   ->   ['line 7: id 6 stands on line 6, too', ...]
```
The forms of the files are those of `tasks.submissions`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from albert_zh.tasks import submissions
from albert_zh.tasks.examples import ChoiceExample, Split, TaggingExample
from albert_zh.tasks.tables import example_id
from albert_zh.tasks.task import Task
from albert_zh.util.json_objects import json_problem, strict_decoder


def find_problems(task: Task, split: Split, content: bytes) -> list[str]:
    """The faults of a file; none if the site accepts it.

    Args:
        task: The dataset, which has a submission.
        split: Its test split, with the ids that the site knows.
        content: Bytes of the file.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return [f"it is not UTF-8 (byte {error.start:,})"]
    if text.startswith("\ufeff"):
        return ["it begins with a byte-order mark, which JSON must not"]
    if not text.strip():
        return ["it is empty"]
    return _CHECKS[task.submission.content](task, split, text)


def _label_lines(task: Task, split: Split, text: str) -> list[str]:
    def problem(example: Any, label: Any) -> str | None:
        if isinstance(example, ChoiceExample):
            labels = task.labels[: len(example.choices)]
            if type(label) is int:  # CLUE's own scripts write numbers for C3.
                label = str(label)
        else:
            labels = task.labels
        if not isinstance(label, str):
            return f'the label {label!r} is no text, such as "{labels[0]}"'
        shown = ", ".join(labels) if len(labels) < 20 else f"{labels[0]} ... {labels[-1]}"
        return None if label in labels else f"unknown label {label!r}; the labels are {shown}"

    return _lines(split, text, problem)


def _entity_lines(task: Task, split: Split, text: str) -> list[str]:
    def problem(example: TaggingExample, label: Any) -> str | None:
        if not isinstance(label, dict):
            return f'the label {label!r} is no object, such as {{"name": {{"小明": [[0, 1]]}}}}'
        for kind, parts in label.items():
            if kind not in task.labels:
                return f"unknown label {kind!r}; the labels are {', '.join(task.labels)}"
            if not isinstance(parts, dict):
                return f"{kind!r} holds no object of marked parts and their places"
            for part, places in parts.items():
                if not _are_places(places):
                    return f"the places of {part!r} are {places!r}, not such as [[0, 1]]"
                for first, last in places:
                    is_inside = 0 <= first <= last < len(example.text)
                    if not is_inside or example.text[first : last + 1] != part:
                        return (
                            f"{part!r} does not stand at {first} to {last}; the first character is "
                            "0, and the last one of the part is counted"
                        )
        return None

    return _lines(split, text, problem)


def _are_places(places: Any) -> bool:
    return (
        isinstance(places, list)
        and bool(places)
        and all(
            isinstance(place, list) and [type(number) for number in place] == [int, int]
            for place in places
        )
    )


def _answer_object(task: Task, split: Split, text: str) -> list[str]:
    def problem(example: Any, answer: Any) -> str | None:
        return None if isinstance(answer, str) else f"the answer {answer!r} is no text"

    return _object(split, text, problem)


def _blank_object(task: Task, split: Split, text: str) -> list[str]:
    def problem(example: ChoiceExample, choice: Any) -> str | None:
        last = len(example.choices) - 1
        if type(choice) is int and 0 <= choice <= last:
            return None
        return f"{choice!r} is no number of a candidate, from 0 to {last}"

    return _object(split, text, problem)


_CHECKS: Mapping[Any, Callable[[Task, Split, str], list[str]]] = {
    submissions.label_lines: _label_lines,
    submissions.answer_object: _answer_object,
    submissions.blank_object: _blank_object,
    submissions.entity_lines: _entity_lines,
}

# Tells what is wrong with the prediction for an example, if anything is.
_Problem = Callable[[Any, Any], str | None]


def _lines(split: Split, text: str, problem: _Problem) -> list[str]:
    """Problems of a file with an object a line, which has the prediction under `label`."""
    keys = ["id", "label"]
    if isinstance(split.examples[0], TaggingExample):
        keys.append("text")
    rows, broken = [], []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        row, reason = _decode(line)
        missing = [key for key in keys if key not in row]
        if reason or missing:
            broken.append(f"line {number}: {reason or f'it has no {missing[0]!r}'}")
        rows.append(row)
    if broken:
        return _first(broken)
    examples, wrong = _by_id(split), []
    for number, row in enumerate(rows, start=1):
        example = examples.get(str(row["id"]))
        if example is None:
            continue  # The ids are checked below.
        if isinstance(example, TaggingExample) and row["text"] != example.text:
            wrong.append(f"line {number}: its text is not that of the test file")
        elif reason := problem(example, row["label"]):
            wrong.append(f"line {number}: {reason}")
    return [*_wrong_lines([str(row["id"]) for row in rows], list(examples)), *_first(wrong)]


def _wrong_lines(given: Sequence[str], expected: Sequence[str]) -> list[str]:
    """Faults of the ids of lines."""
    found = [*_unknown_and_missing(given, expected)]
    lines: dict[str, int] = {}
    repeated = [
        f"line {number}: id {own} stands on line {lines[own]}, too"
        for number, own in enumerate(given, start=1)
        if lines.setdefault(own, number) != number
    ]
    found += _first(repeated)
    if not found and given != expected:
        place = next(
            n for n, pair in enumerate(zip(given, expected, strict=True)) if len({*pair}) > 1
        )
        found.append(
            f"line {place + 1}: id {given[place]} stands where the test file has "
            f"{expected[place]}; the lines have to be in its order"
        )
    return found


def _object(split: Split, text: str, problem: _Problem) -> list[str]:
    """Problems of a file that is one object: id -> prediction."""
    values, reason = _decode(text)
    if reason:
        return [f"{reason}; the whole file is one object: id -> prediction"]
    examples = _by_id(split)
    reasons = {own: problem(examples[own], values[own]) for own in values if own in examples}
    wrong = [f"{own}: {reason}" for own, reason in reasons.items() if reason]
    return [*_unknown_and_missing(list(values), list(examples)), *_first(wrong)]


def _unknown_and_missing(given: Sequence[str], expected: Sequence[str]) -> list[str]:
    found, known, present = [], {*expected}, {*given}
    if unknown := [own for own in given if own not in known]:
        found.append(
            f"{len(unknown):,} ids are not in the test file, such as {unknown[0]}; its own begin "
            f"with {', '.join(expected[:3])}"
        )
    if missing := [own for own in expected if own not in present]:
        found.append(
            f"{len(missing):,} of the {len(expected):,} ids of the test file are missing, such as "
            f"{missing[0]}"
        )
    return found


def _by_id(split: Split) -> dict[str, Any]:
    """Id of the file, or else place -> example."""
    return {example_id(example, place): example for place, example in enumerate(split.examples)}


def _decode(text: str) -> tuple[dict[str, Any], str]:
    """An object, and why it is none."""
    try:
        value = strict_decoder().decode(text.strip())
    except (ValueError, RecursionError) as error:
        return {}, f"{json_problem(error)}" if text.strip() else "it is empty"
    return (value, "") if isinstance(value, dict) else ({}, "it is no JSON object")


def _first(problems: Sequence[str]) -> list[str]:
    """The first of many problems of one sort, with their number."""
    if len(problems) < 2:
        return list(problems)
    return [f"{problems[0]} (and {len(problems) - 1:,} more)"]
