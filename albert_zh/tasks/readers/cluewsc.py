"""Files of CLUEWSC 2020: a pronoun in a text, and a noun that it may stand for.

```
{"target": {"span1_text": "木头刺", "span1_index": 8, "span2_text": "它们", "span2_index": 14},
 "text": "小心地拔出手上的木头刺，再把它们扔掉", "label": "true", "idx": 0}

小心地拔出手上的_木头刺_，再把[它们]扔掉        text of the example, as the published code marks it
```
"""

from collections.abc import Mapping
from typing import Any

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.readers.json_lines import id_of, label_of, split_of_objects
from albert_zh.tasks.task import Task

_MARKS = {"span1": "__", "span2": "[]"}


def read_cluewsc(task: Task, path: str, split: str) -> Split:
    """Read a file of texts with a noun and a pronoun.

    Args:
        task: The dataset.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: A line is malformed, a noun or pronoun does not stand where it says, or a label
            is unknown; names file and line.
    """
    return split_of_objects(path, split, lambda values, place: _example(task, values, split, place))


def _example(task: Task, values: Mapping[str, Any], split: str, place: str) -> Example:
    try:
        text, target = values["text"], values["target"]
        spans = [
            (int(target[f"{name}_index"]), str(target[f"{name}_text"]), marks)
            for name, marks in _MARKS.items()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{place}: no text with a noun and a pronoun ({error!r}); a target has span1_text, "
            "span1_index, span2_text and span2_index"
        ) from None
    # From the end, so that the marks move no other place.
    for start, part, marks in sorted(spans, reverse=True):
        end = start + len(part)
        if text[start:end] != part:
            raise ValueError(
                f"{place}: {part!r} does not stand at {start}, but {text[start:end]!r}"
            )
        text = f"{text[:start]}{marks[0]}{part}{marks[1]}{text[end:]}"
    return Example(
        text,
        label=label_of(task, values, split=split, place=place),
        id=id_of(values),
    )
