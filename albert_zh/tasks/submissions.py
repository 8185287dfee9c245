"""Contents of the files that CLUE accepts (https://www.cluebenchmarks.com).

```
label_lines      {"id": 0, "label": "1"}           a line for each example, in their order
answer_object    {"TEST_0_QUERY_0": "1889年"}      one object for all questions
blank_object     {"#idiom000378#": 3}              one object for all blanks
entity_lines     {"id": 0, "text": "...", "label": {"name": {"小明": [[0, 1]]}}}
```
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, ReadingExample, TaggingExample
from albert_zh.tasks.scorers.chid import one_to_one
from albert_zh.tasks.tables import as_json_lines


def label_lines(examples: Sequence[Any], predictions: Sequence[Any], labels: Sequence[str]) -> str:
    """Ids and labels, which are texts, numbers too."""
    pairs = zip(_ids(examples), predictions, strict=True)
    return as_json_lines({"id": own, "label": prediction.label} for own, prediction in pairs)


def answer_object(
    examples: Sequence[ReadingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> str:
    """Question -> answer."""
    pairs = zip(_ids(examples), predictions, strict=True)
    return _object({str(own): prediction.text for own, prediction in pairs})


def blank_object(
    examples: Sequence[ChoiceExample], predictions: Sequence[Any], labels: Sequence[str]
) -> str:
    """Blank -> number of the choice that fills it; see `chid.one_to_one`."""
    pairs = zip(_ids(examples), one_to_one(examples, predictions), strict=True)
    return _object({str(own): int(label) for own, label in pairs})


def entity_lines(
    examples: Sequence[TaggingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> str:
    """Ids and texts, and per label the marked parts with their places."""
    rows = []
    for own, example, prediction in zip(_ids(examples), examples, predictions, strict=True):
        marked: dict[str, dict[str, list[list[int]]]] = {}
        for each in prediction.entities:
            parts = marked.setdefault(each.type, {})
            # The last character is inside, as CLUENER counts.
            place = [each.start, each.end - 1]
            parts.setdefault(example.text[each.start : each.end], []).append(place)
        rows.append({"id": own, "text": example.text, "label": marked})
    return as_json_lines(rows)


def _ids(examples: Sequence[Any]) -> Iterable[int | str]:
    """Ids of the file, numbers as numbers; of an example without one, its place."""
    for place, example in enumerate(examples):
        own = place if example.id is None else example.id
        # A leading zero is part of an id, and no number in JSON.
        yield int(own) if str(own).isdecimal() and str(int(own)) == str(own) else own


def _object(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
