"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere.

Under `nohup` or in a log file a redrawn bar turns into one endless line; there a complete line
with count, rate and remaining time is printed every `interval` seconds instead.
"""

import sys
import time
from typing import TextIO

from tqdm import tqdm


class Progress:
    """Count finished units of work and shows rate and ETA.

    >>> with Progress(total=3, description="demo", unit="step", stream=sys.stdout) as progress:
    ...     progress.advance(3, loss=1.5)
    demo: 3/3 step, 100%, loss 1.5
    """

    def __init__(
        self,
        *,
        description: str,
        unit: str,
        total: int | None = None,
        initial: int = 0,
        interval: float = 10.0,
        scaled: bool = False,
        stream: TextIO | None = None,
    ):
        """
        Args:
            description: What is being done, shown first.
            unit: Name of one unit of work, such as `step` or `document`.
            total: Units to do in all; None when unknown.
            initial: Units done by an earlier run that this one resumes.
            interval: Seconds between plain lines, at first, where the output is no terminal.
            scaled: Show large counts as 1.5k, 1.5M; for bytes.
            stream: Where to show it; standard error when left out.
        """
        self._stream = stream or sys.stderr
        self._bar = None
        if self._stream.isatty():
            self._bar = tqdm(
                total=total,
                initial=initial,
                desc=description,
                unit=unit,
                unit_scale=scaled,
                dynamic_ncols=True,
                file=self._stream,
            )
        self._description, self._unit = description, unit
        self._total, self._initial, self._count = total, initial, initial
        self._interval, self._scaled = interval, scaled
        self._started = self._last_line = time.monotonic()
        self._values: dict[str, object] = {}
        self._shown_count = initial  # of the last line

    def advance(self, count: int = 1, **values: object) -> None:
        """Count `count` more units, if only 0, and show `values`, such as the loss."""
        self._count += count
        self._values.update(values)
        if self._bar is not None:
            self._bar.set_postfix_str(self._shown_values(), refresh=not count)
            self._bar.update(count)
        elif self._line_is_due():
            self._print_line()

    def forget(self, name: str) -> None:
        """Show a value no more."""
        self._values.pop(name, None)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._count > self._shown_count:
            self._print_line()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _line_is_due(self) -> bool:
        # Days of training should not fill a log: a line each 2 % of the time that has passed.
        now = time.monotonic()
        interval = max(self._interval, (now - self._started) / 50)
        return now - self._last_line >= interval

    def _shown_values(self) -> str:
        return ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in self._values.items()
        )

    def _shown(self, count: int) -> str:
        return tqdm.format_sizeof(count) if self._scaled else f"{count:,} "

    def _shown_rate(self, rate: float) -> str:
        return tqdm.format_sizeof(rate) if self._scaled else f"{rate:.3g} "

    def _print_line(self) -> None:
        self._last_line, self._shown_count = time.monotonic(), self._count
        elapsed = self._last_line - self._started
        parts = [f"{self._shown(self._count)}{self._unit}"]
        if self._total:
            count = f"{self._shown(self._count).rstrip()}/{self._shown(self._total)}{self._unit}"
            parts = [count, f"{self._count / self._total:.0%}"]
        if elapsed >= 1 and self._count > self._initial:
            rate = (self._count - self._initial) / elapsed
            parts.append(f"{self._shown_rate(rate)}{self._unit}/s")
            if self._total:
                remaining = (self._total - self._count) / rate
                parts.append(f"ETA {tqdm.format_interval(remaining)}")
        if self._values:
            parts.append(self._shown_values())
        print(f"{self._description}: {', '.join(parts)}", file=self._stream, flush=True)


def duration(seconds: float) -> str:
    """A time for people, in the unit that fits.

    >>> duration(0.0213), duration(90), duration(600), duration(10 * 3600), duration(400 * 3600)
    ('0.021 s', '90 s', '10.0 minutes', '10.0 hours', '16.7 days')
    """
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.2g} s"
