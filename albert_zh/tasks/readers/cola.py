"""Files of CoLA: a sentence and whether it is acceptable.

```
gj04  1     Our friends won't buy this analysis.      train and dev, without a header
index  sentence                                       test begins with one
```
"""

import dataclasses

from albert_zh.tasks.examples import Split
from albert_zh.tasks.readers.named import read_named
from albert_zh.tasks.readers.rows import read_table
from albert_zh.tasks.task import Keys, Task

_WITHOUT_HEADER = Keys(("4",), "2", None)


def read_cola(task: Task, path: str, split: str) -> Split:
    """Read a file of sentences.

    Args:
        task: The dataset; its keys are the columns of a file with a header.
        path: The file.
        split: `train`, `dev` or `test`; test may lack labels.

    Raises:
        ValueError: The file is malformed; names file and line.
    """
    if not set(task.keys.texts) <= set(read_table(path).rows[0].cells):
        task = dataclasses.replace(task, keys=_WITHOUT_HEADER)
    return read_named(task, path, split)
