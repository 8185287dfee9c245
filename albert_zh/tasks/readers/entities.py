"""Texts with marked parts: JSON lines, or columns of characters and tags, see `bio`.

```
{"text": "浙商银行...", "label": {"company": {"浙商银行": [[0, 3]]}}}   CLUENER: the end is inside
{"text": "浙商银行...", "label": [[0, 4, "company"]]}                  doccano: the end is outside
```
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import Entity, Split, TaggingExample
from albert_zh.tasks.readers.bio import read_bio
from albert_zh.tasks.readers.json_lines import is_json, json_objects, whole_number
from albert_zh.tasks.readers.plain import untagged_texts
from albert_zh.tasks.task import Task

_NO_TEXT = "-DOCSTART-"  # what begins a document in files of CoNLL


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
    examples, overlapping = [], []
    num_starts = 0
    for place, example in marked_texts(path):
        if example.text == _NO_TEXT:
            num_starts += 1
            continue
        if example.entities is None and split != "test":
            raise ValueError(f"{place}: no label; only the test file may lack them")
        for entity in example.entities or ():
            if entity.type not in task.labels:
                known = ", ".join(task.labels)
                raise ValueError(
                    f"{place}: unknown label {entity.type!r}; the labels of {task.name} are {known}"
                )
        examples.append(example)
        overlapping += [(place, example.text, *pair) for pair in _overlaps(example.entities or ())]
    if not examples:
        raise ValueError(f"{path} holds no texts")
    notes = []
    if num_starts:
        notes.append(f"{path}: {num_starts:,} lines {_NO_TEXT} are no texts and left out")
    if overlapping:
        place, text, *pair = overlapping[0]
        first, second = (f"{text[each.start : each.end]} ({each.type})" for each in pair)
        notes.append(
            f"{path}: {len(overlapping):,} marked parts overlap another one, such as {second} and "
            f"{first} in {place.removeprefix(path + ', ')}; a character has one tag, so that "
            "only the part that begins first is learnt, and of those the longest"
        )
    return Split(split, path, tuple(examples), notes=tuple(notes))


def _overlaps(entities: Sequence[Entity]) -> Iterator[tuple[Entity, Entity]]:
    """Each marked part that `kinds.tagging` leaves out, after the one that it overlaps."""
    kept: Entity | None = None
    for each in sorted(entities, key=lambda each: (each.start, -each.end)):
        if kept is not None and each.start < kept.end:
            yield kept, each
        else:
            kept = each


def marked_texts(path: str) -> Iterator[tuple[str, TaggingExample]]:
    """Place and example of each text, whatever its labels are.

    Raises:
        ValueError: A line is malformed; names file and line.
    """
    for place, example in _examples(path):
        for each in example.entities or ():
            if not each.type.strip() or each.type == "O":
                raise ValueError(
                    f"{place}: the part {example.text[each.start : each.end]!r} has the label "
                    f"{each.type!r}; a label has a name, and O is what is not marked"
                )
        yield place, example


def _examples(path: str) -> Iterator[tuple[str, TaggingExample]]:
    if is_json(path):
        for number, row in json_objects(path):
            place = f"{path}, line {number}"
            yield place, _of_json(row, place)
    else:
        for place, text, entities in read_bio(path):
            yield place, TaggingExample(text, entities)


def _of_json(row: Mapping[str, Any], place: str) -> TaggingExample:
    try:
        text, label = row.get("text"), row.get("label")
        if not isinstance(text, str):
            raise TypeError(f"the text is {text!r}")
        entities = None
        if label is not None:
            is_list = isinstance(label, list)
            parts = _listed_parts(label) if is_list else _named_parts(text, label, place)
            entities = tuple(dict.fromkeys(parts))  # The same part twice is one.
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
    number = row.get("id")
    return TaggingExample(text, entities, None if number is None else str(number))


def _no_marks(place: str, error: Exception) -> ValueError:
    return ValueError(
        f'{place}: no text with marked parts ({error}), such as {{"text": "...", "label":'
        ' {"name": {"小明": [[0, 1]]}}} or "label": [[0, 2, "name"]]'
    )


def _listed_parts(label: Sequence[Any]) -> Iterator[Entity]:
    for start, end, kind in label:
        if not isinstance(kind, str):
            raise TypeError(f"the name {kind!r} of a part is no text")
        yield Entity(whole_number(start), whole_number(end), kind)


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
