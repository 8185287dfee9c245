"""Rows that are left out, and counted, where the published files of a dataset are known to have
malformed ones: a text is empty, or a column is missing.
"""

from collections.abc import Callable, Iterable
from typing import Any

from albert_zh.tasks.task import Task

_MOST = 0.01  # share of the rows; with more, it is another file


def examples_of(
    task: Task, path: str, rows: Iterable[Any], example: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """The examples of rows, and a note on those that are left out, if any.

    Args:
        task: The dataset.
        path: The file.
        rows: Its rows.
        example: Makes the example of a row; raises ValueError if it is malformed.

    Raises:
        ValueError: A row is malformed, and the dataset is not known for that; or too many are.
    """
    examples, problems = [], []
    for row in rows:
        try:
            examples.append(example(row))
        except ValueError as error:
            if not task.has_malformed_rows:
                raise
            problems.append(error)
    if len(problems) > _MOST * len(examples):
        raise problems[0]
    if not problems:
        return tuple(examples), ()
    note = f"{path}: {len(problems):,} malformed rows are left out, such as: {problems[0]}"
    return tuple(examples), (note,)
