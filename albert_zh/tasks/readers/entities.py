"""Texts with marked parts: JSON lines, or columns of characters and tags, see `bio`.

```
{"text": "浙商银行...", "label": {"company": {"浙商银行": [[0, 3]]}}}   CLUENER: the end is inside
{"text": "浙商银行...", "label": [[0, 4, "company"]]}                  doccano: the end is outside
```
"""

from collections.abc import Iterator, Mapping
from typing import Any

from albert_zh.tasks.examples import Entity, Split, TaggingExample
from albert_zh.tasks.readers.bio import read_bio
from albert_zh.tasks.readers.json_lines import is_json, json_objects
from albert_zh.tasks.readers.plain import untagged_texts
from albert_zh.tasks.task import Task


def read_entities(task: Task, path: str, split: str) -> Split:
    """Read a file of texts with marked parts.

    Args:
        task: The dataset.
        path: The file; JSON lines if its name ends with `.json` or `.jsonl`, else columns.
        split: `train`, `dev` or `test`; test may lack the marks, and may be a `.txt` of a text on
            each line.

    Raises:
        ValueError: A line is malformed, a label is unknown, or a part does not stand where the line
            says; names file and line.
    """
    if split == "test" and (alone := untagged_texts(path)):
        lines, note = alone
        return Split(split, path, tuple(map(TaggingExample, lines)), notes=(note,))
    examples = []
    for place, example in marked_texts(path):
        if example.entities is None and split != "test":
            raise ValueError(f"{place}: no label; only the test file may lack them")
        for entity in example.entities or ():
            if entity.type not in task.labels:
                known = ", ".join(task.labels)
                raise ValueError(
                    f"{place}: unknown label {entity.type!r}; the labels of {task.name} are {known}"
                )
        examples.append(example)
    if not examples:
        raise ValueError(f"{path} holds no texts")
    return Split(split, path, tuple(examples))


def marked_texts(path: str) -> Iterator[tuple[str, TaggingExample]]:
    """Place and example of each text, whatever its labels are.

    Raises:
        ValueError: A line is malformed; names file and line.
    """
    if is_json(path):
        for number, row in json_objects(path):
            place = f"{path}, line {number}"
            yield place, _of_json(row, place)
    else:
        for place, text, entities in read_bio(path):
            yield place, TaggingExample(text, entities)


def _of_json(row: Mapping[str, Any], place: str) -> TaggingExample:
    try:
        text, label = str(row["text"]), row.get("label")
        if label is None:
            entities = None
        elif isinstance(label, list):
            entities = tuple(Entity(int(start), int(end), kind) for start, end, kind in label)
        else:
            entities = tuple(_named_parts(text, label, place))
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise _no_marks(place, error) from None
    except ValueError as error:
        raise error if str(error).startswith(place) else _no_marks(place, error) from None
    for each in entities or ():
        if not 0 <= each.start < each.end <= len(text):
            raise ValueError(
                f"{place}: {each.type} from {each.start} to {each.end} is no part of a text of "
                f"{len(text)} characters"
            )
    return TaggingExample(text, entities, None if "id" not in row else str(row["id"]))


def _no_marks(place: str, error: Exception) -> ValueError:
    return ValueError(
        f'{place}: no text with marked parts ({error!r}), such as {{"text": "...", "label":'
        ' {"name": {"小明": [[0, 1]]}}} or "label": [[0, 2, "name"]]'
    )


def _named_parts(text: str, label: Any, place: str) -> Iterator[Entity]:
    for kind, parts in label.items():
        for part, places in parts.items():
            for first, last in places:
                if text[first : last + 1] != part:
                    raise ValueError(
                        f"{place}: {part!r} does not stand at {first} to {last}, but "
                        f"{text[first : last + 1]!r}"
                    )
                yield Entity(first, last + 1, kind)
