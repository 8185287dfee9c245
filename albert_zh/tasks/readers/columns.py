"""Columns of a table of texts: the text, label and id of each row, and whether row 1 is a header.

```
id  sentence1   sentence2   label       a header whose names are known decides the columns
7   我饿了      我很饿      1           without one, the task's columns do; ids may stand before
```
Texts that a header numbers (1 and 2, a and b) are taken in that order, wherever they stand.
"""

import collections
import dataclasses
import re
from collections.abc import Iterable, Sequence

from albert_zh.tasks.readers.rows import Row
from albert_zh.tasks.task import Task

# Cells of a test file that stand for an unknown label, unless the task has such a label.
NO_LABEL_CELLS = frozenset({"", "-", "-1", "?"})

# Names of columns, in lower case and without "_", "-" and spaces.
_NAMES = {
    "text": re.compile(
        r"(text|sentence|sent|question|query|title|content|premise|hypothesis|document|passage|"
        r"文本|句子|语句|问题|问句|标题|内容|前提|假设)([ab12一二甲乙]|one|two)?|[sq][12]"
    ),
    "label": re.compile(
        r"labels?|gold|goldlabel|class|category|target|score|similarity|isduplicate|y|"
        r"标签|类别|分类|得分"
    ),
    # pandas leaves the name of its index empty.
    "id": re.compile(r"|id|idx|index|guid|uid|[qps]?id[12]?|pairid|no|编号|序号"),
}
# Names of the first and of the second text of a pair.
_FIRST = re.compile(r".*([a1一甲]|one)|premise|前提")
_SECOND = re.compile(r".*([b2二乙]|two)|hypothesis|假设")
_ID = re.compile(r"[\w.:-]*\d[\w.:-]*", re.ASCII)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_LARGEST = 3.4e38  # of float32, with which models compute
_CHINESE = re.compile(r"[\u3400-\u9fff]")
# Share of rows with a Chinese character from which on a row without one is striking.
_MOST = 0.9


@dataclasses.dataclass(frozen=True)
class Layout:
    """Places of the columns, counted from 0."""

    width: int  # columns of every row
    texts: tuple[int, ...]
    label: int | None = None
    id: int | None = None

    def describe(self) -> str:
        """The names of the columns in their order."""
        names = dict(zip(self.texts, ("text_a", "text_b"), strict=False))
        names |= {self.label: "label", self.id: "id"}
        return ", ".join(names.get(place, "unused") for place in range(self.width))


def find_layout(task: Task, rows: Sequence[Row], *, split: str, path: str) -> tuple[Layout, bool]:
    """The columns of a file, and whether its first row is a header.

    Raises:
        ValueError: The first row may be a header or an example with a mistake.
    """
    first, others = rows[0].cells, rows[1:]
    roles = [role_of(cell) for cell in first]
    if "text" in roles and None not in roles:
        named = _by_names(task, first, roles, may_lack_labels=split == "test")
        return named or _by_position(task, others or rows, split=split), True
    layout = _by_position(task, rows, split=split)
    return layout, _is_header(task, layout, rows, split=split, path=path)


def wrong_width(place: str, cells: Sequence[str], expected: int, separator: str, names: str) -> str:
    """The message for a row that has another number of cells than expected.

    >>> wrong_width("new.csv, line 3", ["a"], 2, "commas", "text, label")
    'new.csv, line 3: 1 columns, expected 2 separated by commas (text, label)'
    """
    if not any(cells):
        return f"{place}: the line is empty; remove it"
    return f"{place}: {len(cells)} columns, expected {expected} separated by {separator} ({names})"


def read_label(task: Task, cell: str, *, split: str, place: str) -> str | None:
    """The label of a cell; None where a row of test has none.

    Raises:
        ValueError: It is no label of the task; begins with the place.
    """
    if _is_label(task, cell):
        return cell
    is_missing = cell.strip() in NO_LABEL_CELLS or (
        task.kind.has_numbers and cell.strip().lower() == "nan"
    )
    if split == "test" and is_missing:
        return None
    if task.kind.has_numbers:
        raise ValueError(f"{place}: the label {cell!r} is no number, such as 3.5 or -1e-3")
    known = ", ".join(task.labels)
    if not cell.strip():
        raise ValueError(
            f"{place}: the label is empty; fill it in (the labels of {task.name} are {known}) or "
            "remove the line"
        )
    raise ValueError(f"{place}: unknown label {cell!r}; the labels of {task.name} are {known}")


def may_be_label(task: Task, cell: str, *, split: str) -> bool:
    """True if the cell may stand in the column of the labels."""
    return _is_label(task, cell) or (split == "test" and cell.strip() in NO_LABEL_CELLS)


def _is_label(task: Task, cell: str) -> bool:
    return _is_number(cell) if task.kind.has_numbers else cell in task.labels


def role_of(cell: str) -> str | None:
    """Role of a column of this name: `text`, `label` or `id`; None if the name does not tell."""
    name = _name(cell)
    return next((role for role, names in _NAMES.items() if names.fullmatch(name)), None)


def are_names_of_texts(cells: Iterable[str]) -> bool:
    """True if each cell is a usual name of a column of texts."""
    return all(role_of(cell) == "text" for cell in cells)


def _name(cell: str) -> str:
    return re.sub(r"[_\-\s]", "", cell.lower())


def _by_names(
    task: Task, header: Sequence[str], roles: Sequence[str], *, may_lack_labels: bool
) -> Layout | None:
    """The columns that a header names; None if they are not those of the task."""
    places = {
        role: [place for place, other in enumerate(roles) if other == role] for role in _NAMES
    }
    num_labels = len(places["label"])
    if len(places["text"]) != len(task.columns.texts) or num_labels > 1:
        return None
    if not (num_labels or may_lack_labels):
        return None

    def order(place: int) -> int:
        name = _name(header[place])
        return bool(_SECOND.fullmatch(name)) - bool(_FIRST.fullmatch(name))

    return Layout(
        width=len(roles),
        texts=tuple(sorted(places["text"], key=order)),
        label=places["label"][0] if num_labels else None,
        id=places["id"][0] if places["id"] else None,
    )


def _by_position(task: Task, rows: Sequence[Row], *, split: str) -> Layout:
    """The columns of most rows: the task's, in test perhaps without labels, perhaps after an id."""
    columns = task.columns
    num_texts = len(columns.texts)
    labelled = Layout(num_texts + 1, columns.texts, columns.label)
    unlabelled = Layout(num_texts, tuple(range(num_texts)))
    (width, _), *_ = collections.Counter(len(row.cells) for row in rows).most_common(1)
    has_ids = width > num_texts and _have_ids(rows[1:] or rows)
    if split == "test" and width == unlabelled.width:
        return unlabelled
    if has_ids and width == labelled.width + 1:
        return _after_id(labelled)
    if has_ids and width == labelled.width and split == "test":
        labels = (row.cells[columns.label] for row in rows[1:] or rows if len(row.cells) == width)
        if not all(may_be_label(task, cell, split=split) for cell in labels):
            return _after_id(unlabelled)
    return labelled


def _have_ids(rows: Sequence[Row]) -> bool:
    """True if all first cells look like ids, no two of them alike."""
    ids = [row.cells[0] for row in rows]
    return len(set(ids)) == len(ids) and all(map(_ID.fullmatch, ids))


def _after_id(layout: Layout) -> Layout:
    return Layout(
        width=layout.width + 1,
        texts=tuple(place + 1 for place in layout.texts),
        label=None if layout.label is None else layout.label + 1,
        id=0,
    )


def _is_header(task: Task, layout: Layout, rows: Sequence[Row], *, split: str, path: str) -> bool:
    """True if the first row, whose names are not known, is a header, judged by the other rows."""
    first, others = rows[0], rows[1:]
    if len(first.cells) != layout.width:
        return False  # Its number of columns is the mistake to report.
    label = None if layout.label is None else first.cells[layout.label]
    # A number that is no label is a wrong label, not the name of a column.
    if label is not None and (may_be_label(task, label, split=split) or _is_number(label)):
        return False
    has_names = _has_names(first, layout)
    if not has_names and label is None:
        return False
    if has_names and others and not any(_has_names(row, layout) for row in others):
        num_chinese = sum(bool(_CHINESE.search("".join(row.cells))) for row in others)
        if num_chinese >= _MOST * len(others):
            return True
    place, names = f"{path}, line {first.line}", layout.describe()
    if label is None:
        raise ValueError(
            f"{place} may be a header or an example: {' | '.join(first.cells)}. Put a line above "
            f"it that names the columns ({names}), or change it to that"
        )
    raise ValueError(
        f"{place}: unknown label {label!r}; the labels of {task.name} are "
        f"{', '.join(task.labels)}. If the line is a header, let it name the columns: {names}"
    )


def _has_names(row: Row, layout: Layout) -> bool:
    """True if all texts of a row are words that a program could use as names of columns."""
    if len(row.cells) != layout.width:
        return False
    texts = [row.cells[place].strip() for place in layout.texts]
    return all(text.isascii() and text.isidentifier() for text in texts)


def _is_number(cell: str) -> bool:
    """True for what a float32 can hold, unlike nan and 1e400; Python's 1_000 is no number."""
    return bool(_NUMBER.fullmatch(cell)) and abs(float(cell)) <= _LARGEST
