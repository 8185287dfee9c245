"""Multiple-choice files of C3: dialogues and mixed texts, each with questions.

```
[[["男：听说...", "女：是呀..."],
  [{"question": "...", "choice": ["...", "..."], "answer": "..."}], "47-275"], ...
```
"""

import json
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.task import Task


def read_c3(task: Task, path: str, split: str) -> Split:
    """Read a file of texts with questions and choices.

    Args:
        task: The dataset; it has as many labels as a question has choices at most.
        path: The file.
        split: `train`, `dev` or `test`; test may lack answers.

    Raises:
        ValueError: The file is no such JSON, or a question has too many choices, or an answer that
            is none of them; names file and text.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
        rows = [
            (str(number), "\n".join(lines), question)
            for lines, questions, number in content
            for question in questions
        ]
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is no file of C3 ({error}); expected [[[text, ...], [question, ...], id], ...]"
        ) from None
    if not rows:
        raise ValueError(f"{path} holds no questions")
    examples = (_example(task, path, *row, split=split) for row in rows)
    return Split(split, path, tuple(examples))


def _example(
    task: Task, path: str, number: str, text: str, question: Any, *, split: str
) -> ChoiceExample:
    place = f"{path}, text {number}"
    try:
        asked, choices = str(question["question"]), tuple(map(str, question["choice"]))
        answer = question.get("answer")
        # CLUE's test files number the questions, the others only the texts, some twice.
        own = None if "id" not in question else str(question["id"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place}: a question needs question and choice ({error!r})") from None
    if not 2 <= len(choices) <= len(task.labels):
        raise ValueError(
            f"{place}: {len(choices)} choices; a question has 2 to {len(task.labels)}: {asked}"
        )
    if answer in (None, "") and split == "test":
        return ChoiceExample(text, asked, choices, id=own)
    if answer not in choices:
        raise ValueError(f"{place}: the answer {answer!r} is none of the choices: {choices}")
    label = task.labels[choices.index(answer)]
    return ChoiceExample(text, asked, choices, label, own)
