"""Plots of training runs, from their history.jsonl.

A history row covers some training steps, or one validation:

    {"step": 20, "steps": 10, "loss": 7.9, "masked_lm_accuracy": 0.1, "learning_rate": 0.001, ...}
    {"step": 20, "validation_loss": 8.1, "validation_masked_lm_accuracy": 0.09, ...}
"""

import io
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.paths import HISTORY
from albert_zh.runs import history
from albert_zh.util.object_files import write_bytes
from albert_zh.util.optional_packages import load_extra

Row = Mapping[str, Any]

PICTURE = "curves.png"

# Titles of the usual metrics, in plotting order. Others follow, titled by their key.
_TITLES = {
    "loss": "loss",
    "masked_lm_loss": "masked-LM loss",
    "sentence_order_loss": "sentence-order loss",
    "masked_lm_accuracy": "masked-LM accuracy",
    "masked_lm_word_accuracy": "masked-LM accuracy on whole words",
    "sentence_order_accuracy": "sentence-order accuracy",
    "masked_lm_accuracy_mask": "accuracy where [MASK] is read",
    "masked_lm_accuracy_random": "accuracy where a random token is read",
    "masked_lm_accuracy_kept": "accuracy where the token is kept",
    "classification_loss": "cross-entropy",
    "accuracy": "accuracy",
    "learning_rate": "learning rate",
    "gradient_norm": "gradient norm before clipping",
    "examples_per_second": "examples / s",
}
# Counters and derived numbers.
_NOT_DRAWN = {
    "masked_lm_perplexity",
    "mfu",
    "seconds",
    "skipped",
    "spike",
    "step",
    "steps",
    "tokens_per_second",
}
_EXACT = {"learning_rate"}  # without noise to smooth

_COLUMNS = 3


def plot_history(directory: str) -> str:
    """Plot a run's history to curves.png beside it; return its path.

    Raises:
        FileNotFoundError: There is no history.jsonl, or no row in it.
        ValueError: It is damaged or holds nothing to draw, or matplotlib is not installed.
    """
    path = os.path.join(directory, PICTURE)
    plot_histories([directory], path)
    return path


def try_plot_history(directory: str) -> None:
    """Plot a run's history where it has rows and matplotlib is installed; else say so."""
    try:
        logging.info("curves: %s", plot_history(directory))
    except (ValueError, FileNotFoundError) as error:
        logging.info("no %s: %s", PICTURE, error)


def plot_histories(directories: Sequence[str], path: str) -> None:
    """Plot several histories in one PNG file, one colour per run.

    Raises:
        FileNotFoundError, ValueError: As `plot_history`.
    """
    figure = draw_histories({directory: _rows(directory) for directory in directories})
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    write_bytes(path, picture.getvalue())


def draw_histories(histories: Mapping[str, Sequence[Row]]):
    """A matplotlib figure of histories (title -> rows), a panel per metric.

    A panel shows each history's training values, raw and smoothed if noisy, and validation values.

    Raises:
        ValueError: There is nothing to draw, or matplotlib is not installed.
    """
    # Without pyplot, matplotlib draws with Agg and needs no display.
    library = load_extra("matplotlib.figure", purpose="a picture of the training")
    runs = list(histories.values())
    metrics = _metrics([row for rows in runs for row in rows])
    if not metrics:
        raise ValueError(f"{', '.join(histories)}: {HISTORY} holds nothing to draw yet")
    columns = min(_COLUMNS, len(metrics))
    lines = math.ceil(len(metrics) / columns)
    figure = library.Figure(figsize=(4.8 * columns, 3 * lines + 0.5), layout="constrained")
    for place, metric in enumerate(metrics, 1):
        axes = figure.add_subplot(lines, columns, place)
        _style(axes, metric)
        for number, rows in enumerate(runs):
            _draw(axes, rows, metric, color=f"C{number}")
    _add_legend(figure, histories)
    return figure


def _rows(directory: str) -> list[Row]:
    rows = history.History(directory).rows()
    if not rows:
        if not tf.io.gfile.isdir(directory):
            raise FileNotFoundError(
                f"there is no folder {directory}; name the --output_dir of a training"
            )
        path = os.path.join(directory, HISTORY)
        raise FileNotFoundError(f"{path} has no rows yet; name a run's --output_dir")
    return rows


def _metrics(rows: Sequence[Row]) -> list[str]:
    """The metrics of the rows: known ones in plotting order, then the others."""
    metrics = {
        key.removeprefix(history.VALIDATION): None
        for row in rows
        for key, value in row.items()
        if isinstance(value, int | float)
    }
    names = [name for name in _TITLES if name in metrics]
    return names + [name for name in metrics if name not in _TITLES and name not in _NOT_DRAWN]


def _style(axes, metric: str) -> None:
    ticker = load_extra("matplotlib.ticker", purpose="a picture of the training")
    axes.set_title(_TITLES.get(metric, metric), fontsize=11)
    axes.set_xlabel("step", fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
    if "accuracy" in metric:
        axes.yaxis.set_major_formatter(ticker.PercentFormatter(1.0))
    if metric == "learning_rate":
        axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))


def _draw(axes, rows: Sequence[Row], metric: str, *, color: str) -> None:
    steps, values = _curve(rows, metric)
    if metric not in _EXACT:
        axes.plot(steps, values, color=color, linewidth=0.7, alpha=0.3)
        values = smoothed(values)
    # A line through one point is invisible.
    marker = "o" if len(steps) == 1 else None
    axes.plot(steps, values, color=color, linewidth=1.6, marker=marker, markersize=4)
    steps, values = _curve(rows, history.VALIDATION + metric)
    axes.plot(steps, values, color=color, linestyle="--", linewidth=1, marker="o", markersize=4)


def _curve(rows: Sequence[Row], key: str) -> tuple[list[int], list[float]]:
    points = [row for row in rows if row.get(key) is not None]
    return [row["step"] for row in points], [row[key] for row in points]


def smoothed(values: Sequence[float]) -> np.ndarray:
    """Moving average over 1 % of the points on each side, at least one.

    >>> smoothed([0.0, 3.0, 6.0, 0.0]).tolist()
    [1.5, 3.0, 3.0, 3.0]
    """
    reach = math.ceil(len(values) / 100)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first = np.maximum(place - reach, 0)
    last = np.minimum(place + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _add_legend(figure, histories: Mapping[str, Sequence[Row]]) -> None:
    lines = load_extra("matplotlib.lines", purpose="a picture of the training")
    entries = []
    if len(histories) > 1:
        entries += [
            lines.Line2D([], [], color=f"C{number}", linewidth=4, label=title)
            for number, title in enumerate(histories)
        ]
    color = "0.3" if len(histories) > 1 else "C0"
    entries.append(lines.Line2D([], [], color=color, label="training"))
    if any(
        key.startswith(history.VALIDATION)
        for rows in histories.values()
        for row in rows
        for key in row
    ):
        entries.append(
            lines.Line2D([], [], color=color, linestyle="--", marker="o", label="validation")
        )
    figure.legend(
        handles=entries, loc="outside upper center", ncols=min(len(entries), 5), frameon=False
    )
