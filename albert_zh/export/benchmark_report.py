"""Numbers of a benchmark of exported formats: table, JSON, picture, commands for a phone."""

import dataclasses
import os
import shlex
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from albert_zh.util.files import atomic_write
from albert_zh.util.optional_packages import load_extra
from albert_zh.util.processor import processor_name
from albert_zh.util.tables import markdown_table

_HEADER = (
    *("length", "batch", "threads", "format", "p50 ms", "p95 ms", "texts/s", "of the fastest"),
    *("memory MB", "first result s"),
)
_PHONE = "/data/local/tmp"


@dataclasses.dataclass(frozen=True)
class Case:
    """Sizes of the inputs, and the threads that compute."""

    length: int  # tokens of a text
    batch: int  # texts
    threads: int


@dataclasses.dataclass
class Measured:
    """Numbers of one format in one case."""

    seconds: list[float] = dataclasses.field(default_factory=list)  # of each run
    peak_mb: float = 0.0  # memory of the process, over all cases of as many threads
    until_first: float = 0.0  # seconds from the start of loading to the first result

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def slow(self) -> float:
        """The time that 95 % of the runs stay below."""
        return sorted(self.seconds)[int(0.95 * (len(self.seconds) - 1))]


Results = dict[Case, dict[str, Measured]]  # by format


def table_lines(results: Results) -> list[str]:
    """The processor, and a table in Markdown."""
    return [f"{processor_name()}:", "", *markdown_table(_HEADER, list(_rows(results))).splitlines()]


def _rows(results: Results) -> Iterator[list[str]]:
    for case, formats in results.items():
        fastest = min(measured.median for measured in formats.values())
        for name, measured in formats.items():
            yield [
                *(str(case.length), str(case.batch), str(case.threads), name),
                f"{1000 * measured.median:.2f}",
                f"{1000 * measured.slow:.2f}",
                f"{case.batch / measured.median:.1f}",
                f"{measured.median / fastest:.2f}",
                f"{measured.peak_mb:.0f}",
                f"{measured.until_first:.2f}",
            ]


def as_json(results: Results) -> dict[str, Any]:
    """All numbers but the single runs."""
    return {
        "processor": processor_name(),
        "cases": [
            {
                **dataclasses.asdict(case),
                "format": name,
                "p50_ms": 1000 * measured.median,
                "p95_ms": 1000 * measured.slow,
                "runs": len(measured.seconds),
                "memory_mb": measured.peak_mb,
                "first_result_s": measured.until_first,
            }
            for case, formats in results.items()
            for name, measured in formats.items()
        ],
    }


def draw(path: str, results: Results) -> None:
    """Write a picture with a bar for each format.

    Raises:
        ValueError: matplotlib is not installed.
    """
    figures = load_extra("matplotlib.figure", purpose="a picture of the latencies")
    figure = figures.Figure(figsize=(7, 1 + 1.6 * len(results)), layout="constrained")
    for place, (case, formats) in enumerate(results.items(), start=1):
        axes = figure.add_subplot(len(results), 1, place)
        names = list(formats)[::-1]
        times = [1000 * formats[name].median for name in names]
        axes.barh(names, times, color="C0")
        for row, value in enumerate(times):
            axes.text(value, row, f" {value:.1f}", va="center", fontsize=8)
        axes.set_xlim(0, 1.12 * max(times))
        axes.set_title(
            f"{case.batch} x {case.length} tokens, {case.threads} threads: ms", fontsize=9
        )
        axes.tick_params(labelsize=8)
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=120)


def phone_lines(export_dir: str, manifest: Mapping[str, Any]) -> list[str]:
    """Command lines that measure the TFLite files on a phone."""
    files = [row["file"] for row in manifest["formats"].values() if row["file"].endswith(".tflite")]
    if not files:
        return []
    inputs = ["input_ids", "input_mask", "segment_ids"]
    layers = ",".join(f"serving_default_{name}:0" for name in inputs)
    shape = ",".join(map(str, manifest.get("shape") or (1, 128)))
    shapes = ":".join([shape] * len(inputs))
    lines = ["", "On a phone, with LiteRT's benchmark_model:", ""]
    for file in files:
        lines += [
            f"    adb push {shlex.quote(os.path.join(export_dir, file))} {_PHONE}/",
            f"    adb shell {_PHONE}/benchmark_model --graph={_PHONE}/{file} --num_threads=4 "
            f"--input_layer={layers} --input_layer_shape={shapes}",
        ]
    return lines
