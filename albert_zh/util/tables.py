"""A table in Markdown whose columns also line up where nothing renders it."""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its columns padded; those of numbers are flush right.

    >>> print(markdown_table(["run", "accuracy"], [["a", "0.9"], ["mean", "0.85"]]), end="")
    | run  | accuracy |
    |:-----|---------:|
    | a    |      0.9 |
    | mean |     0.85 |
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    is_number = [all(map(_is_number, column[1:])) for column in columns]
    rules = [
        f"{'-' * (width + 1)}:" if right else f":{'-' * (width + 1)}"
        for width, right in zip(widths, is_number, strict=True)
    ]
    lines = [
        [
            f" {cell.rjust(width) if right else cell.ljust(width)} "
            for cell, width, right in zip(cells, widths, is_number, strict=True)
        ]
        for cells in (header, *rows)
    ]
    return "".join(f"|{'|'.join(line)}|\n" for line in (lines[0], rules, *lines[1:]))


def _is_number(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return False
    return True
