"""Splits of a task: their files in --data_dir, read by the task's kind."""

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Sequence

from albert_zh.tasks.examples import Split
from albert_zh.tasks.task import Task
from albert_zh.util.files import sha256_of_file


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
    paths = find_files(task, data_dir=data_dir, split=split)
    others = {name for names in task.files[split] for name in names.split("+")}
    unread = [name for name in sorted(others) if os.path.isfile(os.path.join(data_dir, name))]
    unread = [name for name in unread if os.path.join(data_dir, name) not in paths]
    parts = [task.read(task, path, split) for path in paths]
    first, shown = parts[0], " and ".join(paths)
    note = f"{shown} is read; {' and '.join(unread)} beside it is not"
    return dataclasses.replace(
        first,
        path=shown,
        examples=tuple(itertools.chain.from_iterable(part.examples for part in parts)),
        notes=(*([note] if unread else []), *(each for part in parts for each in part.notes)),
        sha256=_fingerprint(paths),
    )


def fingerprint(task: Task, *, data_dir: str, split: str) -> str:
    """SHA-256 of a split's file; of those of its files, if it has several."""
    return _fingerprint(find_files(task, data_dir=data_dir, split=split))


def _fingerprint(paths: Sequence[str]) -> str:
    sums = [sha256_of_file(path) for path in paths]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def find_files(task: Task, *, data_dir: str, split: str) -> tuple[str, ...]:
    """Paths of a split's file, or of those it is read from together.

    Raises:
        FileNotFoundError: None of the names it may have is there.
    """
    names = task.files[split]
    for alternative in names:
        paths = tuple(os.path.join(data_dir, name) for name in alternative.split("+"))
        if all(map(os.path.isfile, paths)):
            return paths
    raise FileNotFoundError(
        f"task {task.name} has no {split} file: looked for {', '.join(names)} in {data_dir}; "
        "put it there or point --data_dir at the folder that holds it"
    )
