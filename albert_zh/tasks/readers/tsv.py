"""Tab-separated files: one example a line, no quoting.

```
我的手机丢了  手机不见了怎么办  1        train, dev, test
我的手机丢了  手机不见了怎么办           test without labels
```
"""

from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.task import Columns, Task
from albert_zh.util.files import read_lines

# The first row of a file without labels is a header if it consists of these names.
_HEADER_NAMES = frozenset({"text_a", "text_b", "sentence", "sentence1", "sentence2"})


def read_texts(task: Task, path: str, split: str) -> Split:
    """Read a file of labelled texts or text pairs.

    A first line that names the columns (its label cell is a word, but no label) is not an example;
    it is returned as `Split.header`. The published code dropped the first line of every file. Only
    the test split may lack labels, then in every line.

    Args:
        task: The dataset.
        path: The file.
        split: `train`, `dev` or `test`.

    Raises:
        ValueError: The file is empty or not UTF-8, or a line has the wrong number of columns, an
            unknown label or an empty text; the message names file and line.
    """
    lines = _read_lines(path)
    labelled = not (split == "test" and lines[0].count("\t") == len(task.columns.texts) - 1)
    header = lines[0] if _is_header(lines[0].split("\t"), task, labelled=labelled) else None
    start = 1 if header is not None else 0
    examples = tuple(
        _parse(line, task, labelled=labelled, place=f"{path}, line {number}")
        for number, line in enumerate(lines[start:], start=start + 1)
    )
    if not examples:
        raise ValueError(f"{path} holds a header and no examples")
    return Split(name=split, path=path, examples=examples, header=header)


def _read_lines(path: str) -> list[str]:
    lines = list(read_lines(path))
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty")
    return lines


def _is_header(cells: list[str], task: Task, *, labelled: bool) -> bool:
    if not labelled:
        return all(cell.lower() in _HEADER_NAMES for cell in cells)
    cell = cells[task.columns.label] if len(cells) > task.columns.label else ""
    # A number that is no label is a wrong label, not the name of a column.
    return cell not in task.labels and cell.isidentifier()


def _parse(line: str, task: Task, *, labelled: bool, place: str) -> Example:
    cells = line.split("\t")
    expected = len(task.columns.texts) + labelled
    if len(cells) != expected:
        raise ValueError(
            f"{place}: {len(cells)} columns, expected {expected} separated by tabs "
            f"({_describe(task.columns, labelled=labelled)})"
        )
    texts = [cells[column] for column in task.columns.texts] if labelled else cells
    if not all(text.strip() for text in texts):
        raise ValueError(f"{place}: a text is empty; fill it in or remove the line")
    label = cells[task.columns.label] if labelled else None
    if label is not None and label not in task.labels:
        known = ", ".join(task.labels)
        raise ValueError(f"{place}: unknown label {label!r}; the labels of {task.name} are {known}")
    return Example(*texts, label=label)


def _describe(columns: Columns, *, labelled: bool) -> str:
    names = {columns.text_a: "text_a"}
    if columns.text_b is not None:
        names[columns.text_b] = "text_b"
    if labelled:
        names[columns.label] = "label"
    return ", ".join(names[column] for column in sorted(names))
