"""Folders of RACE: a file for each article with its questions.

```
train/high/12.txt   {"article": "...", "questions": ["The man _ .", ...],
                     "options": [["left", "stayed", "won", "lost"], ...], "answers": ["A", ...]}
```
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.task import Task

_BLANK = "_"


def read_race(task: Task, path: str, split: str) -> Split:
    """Read a folder of articles.

    Args:
        task: The dataset; its labels are the letters of the options.
        path: The folder.
        split: `train`, `dev` or `test`; test may lack answers.

    Raises:
        ValueError: A file is malformed; names it.
    """
    names = sorted((each for each in os.listdir(path) if each.endswith(".txt")), key=_in_order)
    examples = [
        example
        for name in names
        for example in _examples(task, os.path.join(path, name), name, split)
    ]
    if not examples:
        raise ValueError(f"{path} holds no articles, files such as 12.txt")
    return Split(split, path, tuple(examples))


def _in_order(name: str) -> tuple[int, str]:
    stem = name.removesuffix(".txt")
    return (int(stem) if stem.isdecimal() else 0, name)


def _examples(task: Task, path: str, name: str, split: str) -> Iterator[ChoiceExample]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            values = json.load(file)
        article, questions, options = (values[key] for key in ("article", "questions", "options"))
        answers = values.get("answers") or [None] * len(questions)
        rows = list(zip(questions, options, answers, strict=True))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no article ({error!r}); it needs article, and as many questions, options "
            "and answers"
        ) from None
    for number, (question, choices, answer) in enumerate(rows, start=1):
        yield _example(
            task,
            f"{path}, question {number}",
            article,
            question,
            choices,
            answer,
            own=f"{name.removesuffix('.txt')}-{number}",
            split=split,
        )


def _example(
    task: Task,
    place: str,
    article: str,
    question: str,
    choices: list[Any],
    answer: str | None,
    *,
    own: str,
    split: str,
) -> ChoiceExample:
    if not 2 <= len(choices) <= len(task.labels):
        raise ValueError(f"{place}: {len(choices)} options; a question has 2 to {len(task.labels)}")
    if answer not in task.labels[: len(choices)] and not (answer is None and split == "test"):
        raise ValueError(
            f"{place}: the answer is {answer!r}; expected one of "
            f"{', '.join(task.labels[: len(choices)])}"
        )
    if question.count(_BLANK) == 1:  # A choice completes the sentence.
        choices, question = [question.replace(_BLANK, each) for each in choices], ""
    return ChoiceExample(article, f"{question} " if question else "", tuple(choices), answer, own)
