"""Scores of several trainings as a table for people: `scores.md` and `scores.tsv`.

```
| run                | checkpoint    | dev accuracy | dev loss |
|:-------------------|:--------------|-------------:|---------:|
| seed_12345         | model.ckpt-64 |       0.8750 |   0.3127 |
| seed_12346         | model.ckpt-48 |       0.9375 |   0.2809 |
| mean               |               |       0.9063 |   0.2968 |
| standard deviation |               |       0.0442 |   0.0225 |
```
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from albert_zh.finetuning.series_note import best_first
from albert_zh.tasks.tables import tabbed
from albert_zh.util.object_files import write_text
from albert_zh.util.tables import markdown_table

_REMARKS = {
    "seeds": "The standard deviation is that of a sample (n - 1).",
    "folds": (
        "The standard deviation is that of a sample (n - 1). Each checkpoint was chosen on the "
        "fold that scores it, so the scores are somewhat too good."
    ),
    "points": (
        "The best of many on the validation set is better there than elsewhere: it was chosen for "
        "that. Measure it on a labelled test file, which chose nothing."
    ),
}


def write_tables(directory: str, note: Mapping[str, Any]) -> str:
    """Write the tables; return the one in Markdown.

    Args:
        directory: Where to write.
        note: Of the runs; see `series_note`.
    """
    header, *rows = _grid_rows(note) if note["series"] == "points" else _run_rows(note)
    table = markdown_table(header, rows)
    best = f"Best on the validation set: {note['best']}{_as_good(note)}."
    write_text(
        os.path.join(directory, "scores.md"), f"{table}\n{best} {_REMARKS[note['series']]}\n"
    )
    write_text(os.path.join(directory, "scores.tsv"), tabbed([header, *rows]))
    return f"{table}{best} {_REMARKS[note['series']]}"


def _as_good(note: Mapping[str, Any]) -> str:
    """Names the runs that the metric does not tell from the best one."""
    metric, runs = note["metric"].removeprefix("-"), note["runs"]
    value = runs[note["best"]]["dev"][metric]
    others = [name for name in runs if name != note["best"] and runs[name]["dev"][metric] == value]
    return f", by its lower loss; of the same {metric}: {', '.join(others)}" if others else ""


def _run_rows(note: Mapping[str, Any]) -> list[list[str]]:
    """A row for each run, in the order of the seeds or folds; mean and standard deviation."""
    runs = note["runs"]
    columns = _columns(note)
    rows = [
        ["run", "checkpoint", *(f"{split} {metric}" for split, metric in columns)],
        *([name, run["checkpoint"], *_values(run, columns)] for name, run in runs.items()),
    ]
    for name in ("mean", "standard_deviation"):
        if name in note:
            rows.append([name.replace("_", " "), "", *_values(note[name], columns)])
    return rows


def _grid_rows(note: Mapping[str, Any]) -> list[list[str]]:
    """A row for each point of the grid, the best first."""
    runs = note["runs"]
    flags = list(next(iter(runs.values()))["flags"])
    columns = _columns(note)
    metric = note["metric"].removeprefix("-")
    has_spread = any("standard_deviation" in run for run in runs.values())
    header = [*flags, *(f"{split} {metric}" for split, metric in columns)]
    rows = [[*header, *["standard deviation", "runs"][: 2 * has_spread], "checkpoint"]]
    for name in best_first(runs, note["metric"]):
        run = runs[name]
        cells = [*(str(run["flags"][flag]) for flag in flags), *_values(run, columns)]
        if has_spread:
            spread = run.get("standard_deviation", {}).get("dev", {})
            cells += [_text(spread.get(metric)), str(run.get("num_runs", 1))]
        rows.append([*cells, f"{name}/{run['checkpoint']}"])
    return rows


def _columns(note: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Split and metric of each column; the metric that chooses comes first."""
    first = next(iter(note["runs"].values()))
    chosen = note["metric"].removeprefix("-")
    return [
        (split, metric)
        for split in ("dev", "test")
        for metric in sorted(first.get(split, {}), key=lambda name: name != chosen)
    ]


def _values(scores: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> list[str]:
    return [_text(scores.get(split, {}).get(metric)) for split, metric in columns]


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
