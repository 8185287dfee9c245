"""Files of XNLI in Chinese, as three publishers write them.

```
CLUE    train.json                       {"premise": "...", "hypo": "...", "label": "neutral"}
XNLI    multinli/multinli.train.zh.tsv   premise  hypo  label     contradictory for contradiction
        xnli.dev.tsv                     language  gold_label  ...  sentence1  sentence2  ...
```
Rows of other languages are not read.
"""

import dataclasses

from albert_zh.tasks.examples import Split
from albert_zh.tasks.readers.json_lines import is_json, read_json_lines
from albert_zh.tasks.readers.named import named_rows, split_of_rows
from albert_zh.tasks.task import Keys, Task

_OF_XNLI = Keys(("sentence1", "sentence2"), "gold_label", "pairID")
_OTHER_NAMES = {"contradictory": "contradiction"}
_LANGUAGE = "zh"


def read_xnli(task: Task, path: str, split: str) -> Split:
    """Read a file of premises and hypotheses.

    Args:
        task: The dataset; its keys are those of CLUE's files.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: The file is malformed; names file and line.
    """
    if is_json(path):
        return read_json_lines(task, path, split)
    names, rows = named_rows(path)
    if "gold_label" in names:
        task = dataclasses.replace(task, keys=_OF_XNLI)
        rows = [(line, cells) for line, cells in rows if cells.get("language") == _LANGUAGE]
    label = task.keys.label
    renamed = [
        (line, {**cells, label: _OTHER_NAMES.get(cells.get(label), cells.get(label))})
        for line, cells in rows
    ]
    return split_of_rows(task, path, split, names, renamed)
