"""Compare the tasks that run_classifier_clue.sh has trained, in a table and a picture.

  python scripts/clue_table.py --directory=clue_output

It reads the metrics.json of each task, prints the table and writes results.md and, with matplotlib,
results.png to the directory.
"""

import dataclasses
import io
import json
import os
from collections.abc import Sequence
from typing import Any

from project import cli

from albert_zh.flags import REQUIRED, option
from albert_zh.tasks.catalog import TASKS
from albert_zh.util.files import atomic_write
from albert_zh.util.optional_packages import load_extra
from albert_zh.util.tables import markdown_table

# Scores of brightmart's tiny on the validation sets in CLUE's table, in percent; for reading, the
# mean of F1 and exact match.
PUBLISHED = {
    "afqmc": 69.13,
    "tnews": 53.55,
    "iflytek": 48.76,
    "cmnli": 70.26,
    "cluewsc2020": 57.7,
    "csl": 74.36,
    "cmrc2018": (73.95 + 48.31) / 2,
    "drcd": (81.51 + 71.61) / 2,
    "chid": 43.47,
    "c3": 50.58,
}
HEADER = ("task", "metric", "dev", "published", "examples", "checkpoint", "training, s")


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """Flags of the table."""

    directory: str = option(REQUIRED, "Output directory of run_classifier_clue.sh.")


def main(options: TableOptions) -> None:
    results = _results(options.directory)
    text = markdown_table(HEADER, [_cells(result) for result in results])
    with atomic_write(os.path.join(options.directory, "results.md"), "w") as file:
        file.write(text)
    print(text, end="")
    written = ["results.md"]
    try:
        picture = _picture(results)
    except ValueError as error:  # The table is there all the same.
        print(f"no results.png: {error}")
    else:
        with atomic_write(os.path.join(options.directory, "results.png")) as file:
            file.write(picture)
        written.append("results.png")
    print(f"the table is in {options.directory}: {', '.join(written)}", flush=True)


def _results(directory: str) -> list[dict[str, Any]]:
    """The metrics.json of each task, in the order of the catalog."""
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"there is no folder {directory}; run run_classifier_clue.sh first")
    results = []
    for folder in os.scandir(directory):
        path = os.path.join(folder.path, "metrics.json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                results.append(json.load(file))
    if not results:
        raise FileNotFoundError(f"{directory} holds no metrics.json of a task; train one first")
    order = [*TASKS]
    return sorted(results, key=lambda result: order.index(result["task"]))


def _cells(result: dict[str, Any]) -> list[str]:
    published, rows = _published(result), result["data"]["dev"]["rows"]
    return [
        result["task"],
        result["metric"],
        f"{_score(result):.2f}",
        "" if published is None else f"{published:.2f}",
        f"{rows}",
        "none is trained" if result["best"] is None else result["best"]["checkpoint"],
        "" if result["training_seconds"] is None else f"{result['training_seconds']:.0f}",
    ]


def _score(result: dict[str, Any]) -> float:
    """The best checkpoint's score on dev, in percent."""
    best = result["best"] or result["checkpoints"][-1]
    value = best["scores"][result["metric"].removeprefix("-")]
    # The official scripts give percent for reading.
    return value if result["kind"] == "reading" else 100 * value


def _published(result: dict[str, Any]) -> float | None:
    """The published score on the same examples; None where there is none."""
    is_whole = result["data"]["dev"]["rows"] == TASKS[result["task"]].dataset.sizes["dev"]
    return PUBLISHED.get(result["task"]) if is_whole else None


def _picture(results: Sequence[dict[str, Any]]) -> bytes:
    library = load_extra("matplotlib.figure", purpose="a picture of the table")
    figure = library.Figure(figsize=(8, 1.2 + 0.45 * len(results)), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(results))
    scores = [_score(result) for result in results]
    bars = axes.barh(places, scores, height=0.6, label="this run")
    axes.bar_label(bars, fmt="%.2f", padding=4)
    known = [(place, _published(result)) for place, result in zip(places, results, strict=True)]
    known = [(place, value) for place, value in known if value is not None]
    if known:
        axes.scatter(
            [value for _, value in known],
            [place for place, _ in known],
            marker="|",
            s=180,
            color="black",
            zorder=3,
            label="published",
        )
        axes.legend()
    axes.set_yticks(places, [f"{result['task']}\n{result['metric']}" for result in results])
    axes.invert_yaxis()
    axes.set_xlim(0, 110)
    axes.set_xlabel("best checkpoint on the validation set, %")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()


if __name__ == "__main__":
    cli.run(main, TableOptions)
