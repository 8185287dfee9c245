"""Splits of a task: their files in --data_dir, read by the task's kind."""

import dataclasses
import os

from albert_zh.tasks.examples import Split
from albert_zh.tasks.task import Task


def read_split(task: Task, *, data_dir: str, split: str) -> Split:
    """Read one split of a task.

    Args:
        task: The dataset.
        data_dir: Folder with its files.
        split: `train`, `dev` or `test`.

    Raises:
        FileNotFoundError: None of the split's files is there.
        ValueError: The file is malformed; the message names file and line.
    """
    path = find_file(task, data_dir=data_dir, split=split)
    others = [name for name in task.files[split] if os.path.join(data_dir, name) != path]
    unread = [name for name in others if os.path.isfile(os.path.join(data_dir, name))]
    note = f"{path} is read; {' and '.join(unread)} beside it is not"
    found = task.kind.read(task, path, split)
    return dataclasses.replace(found, notes=(*([note] if unread else []), *found.notes))


def find_file(task: Task, *, data_dir: str, split: str) -> str:
    """Path of a split's file.

    Raises:
        FileNotFoundError: None of the names it may have is there.
    """
    names = task.files[split]
    for name in names:
        path = os.path.join(data_dir, name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(
        f"task {task.name} has no {split} file: looked for {', '.join(names)} in {data_dir}; "
        "put it there or point --data_dir at the folder that holds it"
    )
