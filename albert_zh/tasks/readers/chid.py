"""Files of ChID: passages with blanks, and idioms to fill them.

```
CLUE     {"candidates": ["百尺竿头", ...], "content": ["……他们希望能#idiom000378#再进一步。", ...]}
         {"#idiom000378#": 0, ...}        train_answer.json beside train.json
FewCLUE  {"id": 24, "candidates": [...], "content": "都是由无数个#idiom#累积而来", "answer": 1}
```
An example is one blank, written as `____`; other blanks of its passage are `…`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.readers.json_lines import json_objects
from albert_zh.tasks.task import Task

_BLANK = re.compile(r"#idiom\d*#")
_FEW = "#idiom#"  # A passage has one of them.
_WRITTEN, _OTHER = "____", "…"


def read_chid(task: Task, path: str, split: str) -> Split:
    """Read a file of passages; one example for each blank.

    Args:
        task: The dataset; it has as many labels as a blank has candidates at most.
        path: The file; the answers of CLUE's stand in another one, `train_answer.json`.
        split: `train`, `dev` or `test`; test may lack answers.

    Raises:
        FileNotFoundError: The file with the answers is missing.
        ValueError: A line is malformed, or a blank has no answer, or one that is no candidate;
            names file and line.
    """
    answers = _answers(path)
    rows = list(json_objects(path))
    examples = [
        example
        for number, values in rows
        for example in _examples(task, values, answers, f"{path}, line {number}")
    ]
    if not examples:
        raise ValueError(f"{path} holds no blanks")
    missing = next((each for each in examples if each.label is None), None)
    if missing is not None and split != "test":
        raise ValueError(
            f"{path}: no answer for {missing.id}; answers stand in {_answer_file(path)} or under "
            '"answer"'
        )
    return Split(split, path, tuple(examples), rows=len(rows))


def _answer_file(path: str) -> str:
    return f"{path.removesuffix('.json')}_answer.json"


def _answers(path: str) -> Mapping[str, Any]:
    """Blank -> number of its idiom, of a file beside; nothing without one."""
    beside = _answer_file(path)
    if not os.path.isfile(beside):
        return {}
    try:
        with open(beside, encoding="utf-8-sig") as file:
            return dict(json.load(file))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'{beside} holds no answers ({error}); expected {{"#idiom000378#": 0, ...}}'
        ) from None


def _examples(
    task: Task, values: Mapping[str, Any], answers: Mapping[str, Any], place: str
) -> Iterator[ChoiceExample]:
    try:
        passages, choices = values["content"], tuple(map(str, values["candidates"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{place}: a line needs content and candidates ({error!r})") from None
    if not 2 <= len(choices) <= len(task.labels):
        raise ValueError(f"{place}: {len(choices)} candidates; a blank has 2 to {len(task.labels)}")
    passages = [passages] if isinstance(passages, str) else passages
    for passage in passages:
        for match in _BLANK.finditer(passage):
            if match[0] == _FEW:
                number, answer = str(values.get("id", place)), values.get("answer")
            else:
                number, answer = match[0], answers.get(match[0])
            before, after = (
                _BLANK.sub(_OTHER, part)
                for part in (passage[: match.start()], passage[match.end() :])
            )
            yield ChoiceExample(
                text=f"{before}{_WRITTEN}{after}",
                question="",
                choices=choices,
                label=None if answer is None else _label(task, answer, choices, place),
                id=number,
                kept=len(before),
                # Of the whole row: its passages share the candidates.
                passage="\n".join(_BLANK.sub(_OTHER, each) for each in passages),
            )


def _label(task: Task, answer: Any, choices: tuple[str, ...], place: str) -> str:
    if str(answer) not in task.labels[: len(choices)]:
        raise ValueError(
            f"{place}: the answer {answer!r} is none of the {len(choices)} candidates, which count "
            "from 0"
        )
    return str(answer)
