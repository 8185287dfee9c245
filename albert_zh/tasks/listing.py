"""Table of the known datasets, for people."""

import itertools
import textwrap
from collections.abc import Iterator, Sequence

from albert_zh.tasks.catalog import ALIASES, TASKS
from albert_zh.tasks.task import Task

_HEADER = ("task", "kind", "train", "dev", "test", "ranked by", "licence")
_NUMBERS = (2, 3, 4)
_INDENT = "    "


def list_tasks() -> str:
    """Print the known tasks: sizes, files, metric, licence and source of each.

    Of the files of a split, the first one that is there is read.
    """
    tasks = [task for name, task in TASKS.items() if name not in ALIASES]
    rows = [_HEADER, *map(_row, tasks)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_aligned(_HEADER, widths)]
    for task, row in zip(tasks, rows[1:], strict=True):
        lines += [_aligned(row, widths), *_details(task)]
    lines += [
        "",
        *(f"{alias} is another name of {name}." for alias, name in ALIASES.items()),
        "Files of your own: --task_name=custom, see --help.",
    ]
    return "\n".join(lines)


def _row(task: Task) -> tuple[str, ...]:
    kind = f"{task.kind.name}, {len(task.labels)}" if len(task.labels) > 1 else task.kind.name
    if task.dataset is None:
        return task.name, kind, "", "", "", task.metric, ""
    sizes = (
        f"{size:,}" if (size := task.dataset.sizes.get(split)) else "-"
        for split in ("train", "dev", "test")
    )
    return task.name, kind, *sizes, task.dataset.metric, task.dataset.licence


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _details(task: Task) -> Iterator[str]:
    files = "; ".join(f"{_alternatives(names)}" for names in task.files.values())
    source = "files of your own" if task.dataset is None else task.dataset.source
    for text in (files, source):
        yield from textwrap.wrap(
            text,
            100,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _alternatives(names: Sequence[str | tuple[str, ...]]) -> str:
    """Names of a split's files: alternatives that differ in their endings as one.

    >>> _alternatives([("d-dev.json", "m-dev.json"), "dev.json", "dev.txt"])
    'd-dev.json with m-dev.json, dev.json|txt'
    """

    def stem(name: str | tuple[str, ...]) -> str:
        return name.rpartition(".")[0] or name if isinstance(name, str) else " with ".join(name)

    shown = []
    for common, group in itertools.groupby(names, stem):
        endings = [name.removeprefix(f"{common}.") for name in group if isinstance(name, str)]
        is_dotted = endings and endings[0] != common
        shown.append(f"{common}.{'|'.join(endings)}" if is_dotted else common)
    return ", ".join(shown)
