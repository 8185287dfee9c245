"""Texts with marked parts: JSON lines of CLUENER, or a column of characters and one of tags.

```
{"text": "浙商银行...", "label": {"company": {"浙商银行": [[0, 3]]}}}      the end is inside

浙 B-company                  BIO, also BIOES and BMES: a character and its tag on each line,
商 I-company                  an empty line after each text
```
"""

from collections.abc import Iterator, Sequence
from typing import Any

from albert_zh.tasks.examples import Entity, Split, TaggingExample
from albert_zh.tasks.readers.json_lines import json_objects
from albert_zh.tasks.task import Task
from albert_zh.util.files import read_lines

_BEGINS, _CONTINUES = frozenset("BS"), frozenset("IME")


def read_entities(task: Task, path: str, split: str) -> Split:
    """Read a file of texts with marked parts.

    Args:
        task: The dataset.
        path: The file; JSON lines if its name ends with `.json`, else columns.
        split: `train`, `dev` or `test`; test may lack the marks.

    Raises:
        ValueError: A line is malformed, a label is unknown, or a part does not stand where the line
            says; names file and line.
    """
    rows = _json_rows(path) if path.endswith(".json") else _column_rows(path)
    examples = []
    for place, text, entities, number in rows:
        if entities is None and split != "test":
            raise ValueError(f"{place}: no label; only the test file may lack them")
        for entity in entities or ():
            if entity.type not in task.labels:
                known = ", ".join(task.labels)
                raise ValueError(
                    f"{place}: unknown label {entity.type!r}; the labels of {task.name} are {known}"
                )
        examples.append(TaggingExample(text, entities, number))
    if not examples:
        raise ValueError(f"{path} holds no texts")
    return Split(split, path, tuple(examples))


def _json_rows(path: str) -> Iterator[tuple[str, str, tuple[Entity, ...] | None, str | None]]:
    for number, row in json_objects(path):
        place = f"{path}, line {number}"
        try:
            text, label = str(row["text"]), row.get("label")
            entities = None if label is None else tuple(_of_json(text, label, place))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f'{place}: no text with marked parts ({error!r}), such as {{"text": "...", "label":'
                ' {"name": {"小明": [[0, 1]]}}}'
            ) from None
        yield place, text, entities, None if "id" not in row else str(row["id"])


def _of_json(text: str, label: Any, place: str) -> Iterator[Entity]:
    for kind, parts in label.items():
        for part, places in parts.items():
            for first, last in places:
                if text[first : last + 1] != part:
                    raise ValueError(
                        f"{place}: {part!r} does not stand at {first} to {last}, but "
                        f"{text[first : last + 1]!r}"
                    )
                yield Entity(first, last + 1, kind)


def _column_rows(path: str) -> Iterator[tuple[str, str, tuple[Entity, ...] | None, None]]:
    characters: list[str] = []
    tags: list[str | None] = []
    begin = 1
    for number, line in enumerate([*read_lines(path), ""], start=1):
        if line.strip():
            # The character may itself be a space.
            character, _, tag = line.rpartition("\t" if "\t" in line else " ")
            characters.append(character or tag)
            tags.append(tag if character else None)
            continue
        if characters:
            place = f"{path}, line {begin}"
            yield place, "".join(characters), _of_tags(characters, tags, path, begin), None
        characters, tags, begin = [], [], number + 1


def _of_tags(
    characters: Sequence[str], tags: Sequence[str | None], path: str, begin: int
) -> tuple[Entity, ...] | None:
    """The entities of a text; None where no line has a tag.

    Raises:
        ValueError: A tag has another form, or continues what did not begin.
    """
    if not any(tags):
        return None
    entities: list[Entity] = []
    offset, is_open = 0, False
    for number, (character, tag) in enumerate(zip(characters, tags, strict=True), start=begin):
        prefix, _, kind = (tag or "").partition("-")
        end = offset + len(character)
        if prefix in _BEGINS and kind:
            entities.append(Entity(offset, end, kind))
        elif prefix in _CONTINUES and kind:
            if not is_open or entities[-1].type != kind:
                raise ValueError(
                    f"{path}, line {number}: {tag} follows no B-{kind}; a marked part begins with B"
                )
            entities[-1] = Entity(entities[-1].start, end, kind)
        elif tag != "O":
            raise ValueError(f"{path}, line {number}: {tag!r} is no tag, such as O or B-PER")
        is_open = tag != "O"
        offset = end
    return tuple(entities)
