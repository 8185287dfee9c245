"""The pair of texts that every program of serving.py answers, and the time of single answers.

It needs no packages: a Python that has no TensorFlow measures transformers.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from albert_zh.export.latency import times_of

_LENGTHS = (14, 15)  # characters of the two texts; with [CLS] and two [SEP], 32 tokens
_CHARACTERS = "我的手机昨天在公园里丢了现在应该怎么办"


def make_pair() -> tuple[str, str]:
    """Two texts that are 32 tokens together."""
    first, second = (_CHARACTERS[:length] for length in _LENGTHS)
    return first, second


def measure(answer: Callable[[], Any], *, seconds: float) -> dict[str, float]:
    """Milliseconds of single answers: median, 95th of a hundred; answers a second."""
    times = times_of(lambda _: answer(), None, seconds=seconds)
    return summary(times, rate=len(times) / sum(times))


def summary(times: Sequence[float], *, rate: float) -> dict[str, float]:
    """Percentiles of seconds, in milliseconds."""
    cuts = statistics.quantiles(times, n=20)
    return {"p50": 1000 * statistics.median(times), "p95": 1000 * cuts[-1], "rate": rate}
