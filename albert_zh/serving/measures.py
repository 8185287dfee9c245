"""Numbers for Prometheus: requests, their time, batches, and what waits."""

import time
from collections.abc import Callable

import prometheus_client

from albert_zh.serving.limits import App, Message, Receive, Send

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measures:
    """Counters of one service."""

    def __init__(self, waiting: Callable[[], int]):
        """
        Args:
            waiting: Texts that wait at the moment.
        """
        self._registry = prometheus_client.CollectorRegistry()
        own = {"registry": self._registry}
        self._requests = prometheus_client.Counter(
            "albert_zh_requests", "Requests answered.", ("path", "status"), **own
        )
        self._seconds = prometheus_client.Histogram(
            "albert_zh_request_seconds",
            "Seconds from a request to its answer.",
            ("path",),
            buckets=_SECONDS,
            **own,
        )
        self._batches = prometheus_client.Histogram(
            "albert_zh_batch_texts", "Texts computed together.", buckets=_SIZES, **own
        )
        gauge = prometheus_client.Gauge("albert_zh_waiting_texts", "Texts that wait.", **own)
        gauge.set_function(waiting)

    def count_batch(self, size: int) -> None:
        """Note a batch of so many texts."""
        self._batches.observe(size)

    def text(self) -> bytes:
        """All numbers in the text format of Prometheus."""
        return prometheus_client.generate_latest(self._registry)

    def measured(self, app: App, paths: frozenset[str]) -> App:
        """An application whose requests are measured.

        Args:
            app: The application.
            paths: To be told apart; all others are one, so that no client can make up names.
        """

        async def measured_app(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            start, status = time.perf_counter(), 499  # until it is answered: the client has gone

            async def noted_send(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noted_send)
            finally:
                path = scope["path"] if scope["path"] in paths else "other"
                self._requests.labels(path, str(status)).inc()
                self._seconds.labels(path).observe(time.perf_counter() - start)

        return measured_app
