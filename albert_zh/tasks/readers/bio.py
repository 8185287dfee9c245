"""Texts in columns: a character or word on each line, and its tag.

```
浙 B-company                  BIO, also BIOES and BMES; columns between the first and the last one
商 I-company                  are not read; an empty line after each text

text_a<TAB>label              PaddlePaddle's: a text on each line, U+0002 between its characters
浙<002>商<TAB>B-company<002>I-company
```
"""

import re
from collections.abc import Iterator, Sequence

from albert_zh.tasks.examples import Entity
from albert_zh.util.files import read_lines

_BEGINS, _CONTINUES, _LEAVES_OPEN = frozenset("BS"), frozenset("IME"), frozenset("BIM")
_BETWEEN = "\x02"
_HEADERS = ("text_a\tlabel", "text_a")
_ENDS_WORD, _BEGINS_WORD = re.compile("[0-9A-Za-z]$"), re.compile("[0-9A-Za-z]")


def read_bio(path: str) -> Iterator[tuple[str, str, tuple[Entity, ...] | None]]:
    """Place, text and entities of each text of a file; no entities where no character has a tag.

    Raises:
        ValueError: A tag has another form, or continues what did not begin; names file and line.
    """
    parts: list[str] = []
    tags: list[str | None] = []
    begin, has_header = 1, False
    for number, line in enumerate([*read_lines(path), ""], start=1):
        if number == 1 and line in _HEADERS:
            has_header = True
        elif line and (has_header or _BETWEEN in line):
            texts, _, of_line = line.partition("\t")
            own = of_line.split(_BETWEEN) if of_line else [None] * (texts.count(_BETWEEN) + 1)
            yield _text(path, number, texts.split(_BETWEEN), own, is_line=True)
        elif line.strip():
            part, tag = _columns(line)
            parts.append(part)
            tags.append(tag)
        else:
            if parts:
                yield _text(path, begin, parts, tags)
            parts, tags, begin = [], [], number + 1


def _columns(line: str) -> tuple[str, str | None]:
    separator = "\t" if "\t" in line else " "
    # The character may itself be a space.
    if line.startswith(separator):
        return separator, line.strip(separator) or None
    part, *others = line.split(separator)
    return part, others[-1] if others else None


def _text(
    path: str,
    line: int,
    parts: Sequence[str],
    tags: Sequence[str | None],
    *,
    is_line: bool = False,
) -> tuple[str, str, tuple[Entity, ...] | None]:
    """Place, text and entities of a text whose parts stand on one line, or on a line each."""
    place = f"{path}, line {line}"
    if len(parts) != len(tags):
        raise ValueError(f"{place}: {len(parts)} characters, but {len(tags)} tags")
    text = ""
    spans: list[tuple[int, int]] = []
    for before, part in zip(["", *parts], parts, strict=False):
        # Words of a language that has blanks, not single characters.
        if len(before + part) > 2 and _ENDS_WORD.search(before) and _BEGINS_WORD.match(part):
            text += " "
        spans.append((len(text), len(text) + len(part)))
        text += part
    if not any(tags):
        return place, text, None
    entities: list[Entity] = []
    is_open = False
    for number, ((start, end), tag) in enumerate(zip(spans, tags, strict=True)):
        where = place if is_line else f"{path}, line {line + number}"
        prefix, _, kind = (tag or "").partition("-")
        if prefix in _BEGINS and kind:
            entities.append(Entity(start, end, kind))
        elif prefix in _CONTINUES and kind:
            if not is_open or entities[-1].type != kind:
                raise ValueError(f"{where}: {tag} follows no B-{kind}; a marked part begins with B")
            entities[-1] = Entity(entities[-1].start, end, kind)
        elif tag is None:
            raise ValueError(f"{where}: no tag, such as O or B-PER, while other lines have one")
        elif tag != "O":
            raise ValueError(f"{where}: {tag!r} is no tag, such as O or B-PER")
        is_open = prefix in _LEAVES_OPEN
    return place, text, tuple(entities)
