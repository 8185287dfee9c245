"""Files of COPA: the likelier of two causes or effects.

```
{"premise": "我的身体在草地上投下阴影", "choice0": "太阳正在升起", "choice1": "草被割下了",
 "question": "cause", "label": 0, "idx": 0}
```
SuperGLUE calls the two choice1 and choice2; the label counts from 0 all the same.
"""

from collections.abc import Mapping
from typing import Any

from albert_zh.tasks.examples import ChoiceExample, Split
from albert_zh.tasks.readers.json_lines import id_of, label_of, split_of_objects
from albert_zh.tasks.task import Task
from albert_zh.text.encoding import has_chinese

_QUESTIONS = {
    "zh": {"cause": "原因是什么？", "effect": "结果是什么？"},
    "en": {"cause": "What was the cause? ", "effect": "What happened as a result? "},
}


def read_copa(task: Task, path: str, split: str) -> Split:
    """Read a file of premises with two causes or effects.

    Args:
        task: The dataset.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: A line is malformed; names file and line.
    """
    return split_of_objects(path, split, lambda values, place: _example(task, values, split, place))


def _example(task: Task, values: Mapping[str, Any], split: str, place: str) -> ChoiceExample:
    names = ("choice0", "choice1") if "choice0" in values else ("choice1", "choice2")
    premise, *choices = (values.get(name) for name in ("premise", *names))
    for name, text in zip(("premise", *names), (premise, *choices), strict=True):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{place}: {name} is {text!r}; expected a text")
    asked = values.get("question")
    if asked not in ("cause", "effect"):
        raise ValueError(f"{place}: the question is {asked!r}; expected cause or effect")
    return ChoiceExample(
        premise,
        _QUESTIONS["zh" if has_chinese(premise) else "en"][asked],
        tuple(choices),
        label=label_of(task, values, split=split, place=place),
        id=id_of(values),
    )
