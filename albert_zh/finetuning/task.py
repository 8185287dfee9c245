"""The task that the flags of a fine-tuning mean.

```
--task_name=lcqmc                a row of `tasks.catalog`
--task_name=custom               the user's own files; a run notes the task in its task.json
--task_name=their/task.json      a task that somebody passed on
```
"""

import dataclasses
import os
from collections.abc import Mapping

from albert_zh.tasks import custom, custom_forms
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.splits import find_files
from albert_zh.tasks.task import Task


def task_of_flags(
    name: str,
    *,
    output_dir: str,
    data_dir: str | None,
    files: Mapping[str, str | None],
    text_columns: str | None = None,
    label_column: str | None = None,
    kind: str | None = None,
) -> Task:
    """The task, which reads the files that flags name.

    Args:
        name: As of --task_name.
        output_dir: Directory of the run, which may know its task.
        data_dir: Folder of the files that are not named.
        files: Split -> the file that a flag names, if any.
        text_columns: See `custom.infer_task`.
        label_column: The same.
        kind: The same; None: classification.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: There is no such task, or the files do not tell it.
    """
    own = os.path.join(output_dir, custom.FILE)
    if name == custom_forms.NAME and not os.path.isfile(own):
        kind = kind or CLASSIFICATION.name
        wanted = _reading(custom_forms.custom_task(custom.NO_KEYS, (), kind=kind), files)
        train = find_files(wanted, data_dir=data_dir, split="train")[0]
        task = custom.infer_task(
            train,
            text_columns=text_columns,
            label_column=label_column,
            kind=kind,
        )
    elif name == custom_forms.NAME:
        task = custom.load_task(own)
        _check_same(own, task, text_columns=text_columns, label_column=label_column, kind=kind)
    elif text_columns or label_column or kind:
        raise ValueError(
            "--text_columns, --label_column and --kind are for --task_name=custom; leave them out"
        )
    elif name.endswith(".json"):
        task = custom.load_task(name)
    else:
        task = find_task(name)
    return _reading(task, files)


def _check_same(own: str, task: Task, **given: str | None) -> None:
    """Raise ValueError where flags differ from what the `task.json` of a run says."""
    names = (given["text_columns"] or "").split(",")
    given["text_columns"] = given["text_columns"] and ",".join(name.strip() for name in names)
    known = {
        "text_columns": ",".join(task.keys.texts),
        "label_column": task.keys.label,
        "kind": task.kind.name,
    }
    for flag, value in given.items():
        if value not in (None, known[flag]):
            raise ValueError(
                f"--{flag}={value}: {own} says that this run reads {known[flag]}; leave the flag "
                "out, or name another --output_dir for a new run"
            )


def _reading(task: Task, files: Mapping[str, str | None]) -> Task:
    named = {split: (os.path.abspath(path),) for split, path in files.items() if path}
    return dataclasses.replace(task, files={**task.files, **named})
