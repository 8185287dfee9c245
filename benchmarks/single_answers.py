"""The pair of texts that every program of serving.py answers, and the time of single answers.

Without packages: a Python that has no TensorFlow measures transformers.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

_LENGTHS = (14, 15)  # characters of the two texts; with [CLS] and two [SEP], 32 tokens
_CHARACTERS = "我的手机昨天在公园里丢了现在应该怎么办"


def make_pair() -> tuple[str, str]:
    """Two texts that are 32 tokens together."""
    first, second = (_CHARACTERS[:length] for length in _LENGTHS)
    return first, second


def measure(answer: Callable[[], Any], *, seconds: float) -> dict[str, float]:
    """Milliseconds of single answers: median, 95th of a hundred; answers a second."""
    for _ in range(20):
        answer()
    times = []
    while sum(times) < seconds or len(times) < 100:
        start = time.perf_counter()
        answer()
        times.append(time.perf_counter() - start)
    return summary(times, rate=len(times) / sum(times))


def summary(times: Sequence[float], *, rate: float) -> dict[str, float]:
    """Percentiles of seconds, in milliseconds."""
    cuts = statistics.quantiles(times, n=20)
    return {"p50": 1000 * statistics.median(times), "p95": 1000 * cuts[-1], "rate": rate}
