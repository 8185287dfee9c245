"""Pictures of statistics: bars of text for a terminal, and a PNG file."""

from collections import Counter
from typing import IO

from albert_zh.inspection.statistics import Statistics
from albert_zh.util.optional_packages import load_extra

_NUM_BARS, _BAR_WIDTH = 10, 40


def histogram(values: Counter[int], *, name: str) -> str:
    """Bars of text, longest where most records are.

    >>> print(histogram(Counter({3: 1, 4: 2, 6: 4}), name="tokens"))
       tokens     records
            3           1  ##########
            4           2  ####################
            5           0
            6           4  ########################################
    """
    low, high = min(values), max(values)
    width = -(-(high - low + 1) // _NUM_BARS)
    bars = Counter()
    for value, count in values.items():
        bars[(value - low) // width] += count
    lines = [f"{name:>9}  {'records':>10}"]
    for bar in range((high - low) // width + 1):
        first = low + bar * width
        last = min(first + width - 1, high)
        label = f"{first}" if first == last else f"{first}-{last}"
        marks = "#" * round(_BAR_WIDTH * bars[bar] / max(bars.values()))
        lines.append(f"{label:>9}  {bars[bar]:>10,}  {marks}".rstrip())
    return "\n".join(lines)


def draw_histograms(statistics: Statistics, file: IO[bytes]) -> None:
    """Draw lengths and predictions per record as a PNG picture; needs no display.

    Raises:
        ValueError: The package matplotlib is not installed.
    """
    # Without pyplot, matplotlib draws with Agg.
    library = load_extra("matplotlib.figure", purpose="a histogram")
    panels = [("tokens of a record", statistics.lengths)]
    if statistics.predictions:
        panels.append(("masked tokens of a record", statistics.predictions))
    figure = library.Figure(figsize=(6 * len(panels), 4), layout="constrained")
    for column, (name, values) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), column)
        axes.bar(list(values), list(values.values()), width=1.0)
        axes.set(xlabel=name, ylabel="records", xlim=(0, max(values) + 1))
    figure.savefig(file, format="png", dpi=120)
