"""Pictures of an evaluation: labels against each other, scores of labels, numbers."""

import contextlib
import io
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging

from albert_zh.tasks.scorers.labels import LabelScores
from albert_zh.util.object_files import write_bytes
from albert_zh.util.optional_packages import load_extra

_PURPOSE = "a picture of an evaluation"
# Families with Chinese characters on Linux, macOS and Windows, and what has them on most machines.
_CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "AR PL UMing CN"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti TC", "STHeiti", "Arial Unicode MS"),
    *("Microsoft YaHei", "SimHei", "SimSun", "Noto Sans CJK JP", "Noto Sans CJK TC"),
)
_MOST_NUMBERS = 20  # labels up to which the counts stand in the picture
_INCHES = (3.5, 30.0)  # least and greatest size of a picture


def draw_confusion(path: str, counts: np.ndarray, labels: Sequence[str]) -> None:
    """Write counts `[C, C]`, right by predicted label, coloured by their share of the row.

    Raises:
        ValueError: matplotlib is not installed.
    """
    with _figure(path, width=0.45 * len(labels) + 2, height=0.45 * len(labels) + 1.5) as axes:
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        names = _shown(labels)
        axes.set_xticks(range(len(labels)), names, rotation=90, fontsize=8)
        axes.set_yticks(range(len(labels)), names, fontsize=8)
        axes.set_xlabel("predicted")
        axes.set_ylabel("label")
        if len(labels) > _MOST_NUMBERS:
            return
        for row, column in np.argwhere(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            place = {"ha": "center", "va": "center", "fontsize": 8, "color": color}
            axes.text(column, row, f"{counts[row, column]:,}", **place)


def draw_label_scores(path: str, rows: Sequence[LabelScores]) -> None:
    """Write a bar with the F1 of each label, and marks for its precision and recall.

    Raises:
        ValueError: matplotlib is not installed.
    """
    with _figure(path, width=6, height=0.3 * len(rows) + 1.5) as axes:
        places = range(len(rows))
        axes.barh(places, [row.f1 for row in rows], color="C0", alpha=0.6, label="F1")
        axes.plot([row.precision for row in rows], places, "o", color="C1", label="precision")
        axes.plot([row.recall for row in rows], places, "d", color="C2", label="recall")
        names = _shown([row.label for row in rows])
        shown = [f"{name} ({row.support:,})" for name, row in zip(names, rows, strict=True)]
        axes.set_yticks(places, shown, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.02)
        axes.grid(axis="x", alpha=0.25)
        axes.figure.legend(loc="outside upper center", ncols=3, frameon=False)


def draw_numbers(path: str, right: np.ndarray, predicted: np.ndarray) -> None:
    """Write predicted over right numbers, and the line where they are equal.

    Raises:
        ValueError: matplotlib is not installed.
    """
    with _figure(path, width=5, height=5) as axes:
        ends = [min(right.min(), predicted.min()), max(right.max(), predicted.max())]
        axes.plot(ends, ends, color="0.6", linewidth=1)
        axes.plot(right, predicted, ".", alpha=0.5)
        axes.set_xlabel("label")
        axes.set_ylabel("predicted")
        axes.grid(alpha=0.25)


@contextlib.contextmanager
def _figure(path: str, *, width: float, height: float) -> Iterator:
    """Axes to draw on; the picture is written afterwards."""
    matplotlib = load_extra("matplotlib", purpose=_PURPOSE)
    library = load_extra("matplotlib.figure", purpose=_PURPOSE)
    with matplotlib.rc_context({"font.family": [*_chinese_font(), "DejaVu Sans"]}):
        size = [min(max(each, _INCHES[0]), _INCHES[1]) for each in (width, height)]
        figure = library.Figure(figsize=size, layout="constrained")
        yield figure.add_subplot()
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=120)
    write_bytes(path, picture.getvalue())


def _shown(labels: Sequence[str]) -> list[str]:
    """The labels, or their numbers where no font has their characters."""
    if all(label.isascii() for label in labels) or _chinese_font():
        # A dollar sign would begin a formula.
        return [label.replace("$", r"\$") for label in labels]
    logging.log_first_n(
        logging.INFO,
        "no font with Chinese characters is installed, so pictures show labels by their number in "
        "labels.tsv",
        1,
    )
    return [str(number) for number in range(1, len(labels) + 1)]


def _chinese_font() -> list[str]:
    """One installed family with Chinese characters, if there is any."""
    manager = load_extra("matplotlib.font_manager", purpose=_PURPOSE)
    installed = {font.name for font in manager.fontManager.ttflist}
    return [name for name in _CHINESE_FONTS if name in installed][:1]
