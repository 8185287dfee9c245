"""Reading files in the format of SQuAD: CMRC 2018, DRCD, SQuAD 1.1 and 2.0.

```
{"data": [{"paragraphs": [{"context": "...", "qas": [{"id": "DEV_0_QUERY_0", "question": "...",
    "answers": [{"text": "...", "answer_start": 11}]}, ...]}]}]}

{"id": "q1", "context": "...", "question": "...", "answers": [...]}      lines of the user's own
```
Lines may have the answers as `{"text": [...], "answer_start": [...]}`, none of them for no answer.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import Answer, ReadingExample, Split
from albert_zh.tasks.readers.json_lines import is_json, json_objects, whole_number
from albert_zh.tasks.task import Task
from albert_zh.util.files import read_lines
from albert_zh.util.json_objects import RepeatedKeyError, check_characters, strict_decoder

# Values of is_impossible that are no booleans, in lower case.
_BOOLEANS = {"none": False, "false": False, "0": False, "true": True, "1": True}


def read_squad(task: Task, path: str, split: str) -> Split:
    """Read a file of questions about contexts.

    In train, a question whose answer does not stand where the file says is left out, and a note
    counts them; in dev the answer counts, wherever it stands. In test, answers of which none stands
    in its context take the place of answers that are not published, and count as unknown.

    Args:
        task: The dataset.
        path: The file.
        split: `train`, `dev` or `test`; test may lack answers.

    Raises:
        ValueError: The file is no such JSON, or a question lacks a part; names file and question.
    """
    examples, misplaced = [], []
    for context, question in _questions(path):
        example, is_misplaced = _example(path, context, question, split=split)
        misplaced += [example] if is_misplaced else []
        if not (is_misplaced and split == "train"):
            examples.append(example)
    if not examples and misplaced:
        raise ValueError(
            f"{path}: all {len(misplaced):,} answers stand elsewhere than answer_start says, such "
            f"as that of {_name(misplaced[0])}; it counts characters from 0"
        )
    if not examples:
        raise ValueError(f"{path} holds no questions")
    notes = ()
    if split == "test" and not any(map(_may_be_answered, examples)):
        examples = [dataclasses.replace(each, answers=None) for each in examples]
        notes = (f"{path}: its answers stand in no context, so they are taken for unknown ones",)
    elif misplaced:
        what = "left out" if split == "train" else "kept: their place does not count in scores"
        notes = (
            f"{path}: {len(misplaced):,} answers do not stand where answer_start says, such as that"
            f" of {_name(misplaced[0])}; {what}",
        )
    return Split(split, path, tuple(examples), notes=notes)


def _name(example: ReadingExample) -> str:
    return example.id or example.question


def _may_be_answered(example: ReadingExample) -> bool:
    """False where there are answers, and none of them is a part of the context."""
    return not example.answers or any(each.text in example.context for each in example.answers)


def _questions(path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = "\n".join(read_lines(path))
    try:
        content = strict_decoder().decode(text)
    except RepeatedKeyError as error:
        if not text.strip().partition("\n")[0].endswith("}"):
            raise ValueError(f"{path}: {error}; leave one out") from None
        content = None  # The line is named below.
    except (ValueError, RecursionError) as error:
        # Only the end of the first object is a mistake in JSON lines.
        if not str(error).startswith("Extra data") or not is_json(path):
            raise _no_reading_file(path, error) from None
        content = None
    if content is None or (isinstance(content, dict) and "context" in content):
        for _, row in json_objects(path):
            yield row.get("context"), row
        return
    try:
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    if not isinstance(question, dict):
                        raise TypeError(f"the question {question!r} of qas is no object")
                    yield paragraph["context"], question
    except (KeyError, TypeError) as error:
        raise _no_reading_file(path, error) from None


def _no_reading_file(path: str, error: Exception) -> ValueError:
    return ValueError(
        f'{path} is no reading file ({error!r}); expected {{"data": [{{"paragraphs": '
        '[{"context": ..., "qas": [...]}]}]}'
    )


def _example(
    path: str, context: Any, question: Mapping[str, Any], *, split: str
) -> tuple[ReadingExample, bool]:
    """The example, and whether an answer does not stand at its place."""
    number = None if question.get("id") is None else str(question["id"])
    place = f"{path}, question {number or question.get('question')}"
    for name, text in (("context", context), ("question", question.get("question"))):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{place}: its {name} is {text!r}; expected a text")
    check_characters([context, question], place)
    answers = _answers(question, place)
    if answers is None and split != "test":
        raise ValueError(f"{place}: no answers; only the test file may lack them")
    example = ReadingExample(question["question"], context, answers, number)
    is_misplaced = any(
        # A negative place would count from the end.
        each.start < 0 or not (each.text.strip() and context.startswith(each.text, each.start))
        for each in answers or ()
    )
    return example, is_misplaced


def _answers(question: Mapping[str, Any], place: str) -> tuple[Answer, ...] | None:
    """The answers, none if it is known that there is none; None if nothing is known."""
    is_impossible = question.get("is_impossible")
    if not isinstance(is_impossible, bool):
        is_impossible = _BOOLEANS.get(str(is_impossible).lower())
    if is_impossible is None:
        raise ValueError(
            f"{place}: its is_impossible is {question['is_impossible']!r}; expected true or false"
        )
    given = question.get("answers", ())
    try:
        answers = tuple(
            Answer(_text(each["text"]), whole_number(each["answer_start"]))
            for each in _listed(given)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{place}: an answer needs text and answer_start ({error!r})") from None
    if is_impossible and any(each.text.strip() for each in answers):
        raise ValueError(
            f"{place}: is_impossible is true, but there is the answer {answers[0].text!r}; remove "
            "one of them"
        )
    if is_impossible or (isinstance(given, dict) and not answers):
        return ()
    return answers or None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the text is {value!r}")
    return value


def _listed(answers: Any) -> Sequence[Mapping[str, Any]]:
    """Answers one by one, where a file has their texts and their starts apart."""
    if not isinstance(answers, dict):
        return answers
    pairs = zip(answers["text"], answers["answer_start"], strict=True)
    return [{"text": text, "answer_start": start} for text, start in pairs]
