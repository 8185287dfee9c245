"""HTTP of the service: that of uvicorn, with limits of connections."""

import asyncio

from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_MANY = JSONResponse(
    {"detail": "too many connections are open; ask again later"},
    503,
    {"Retry-After": "1", "Connection": "close"},
)


class Protocol(H11Protocol):
    """A connection whose next request has to begin, and its head to be there, in time.

    uvicorn itself waits for the first request, and for the rest of a head, for ever; as many silent
    connections as may be open would shut everybody else out. Those above that number are refused in
    the form of all refusals; at uvicorn's own limit the others would be refused, too.
    """

    seconds: float  # that a head may take
    max_connections: int
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self.app = _TOO_MANY
        self._start()

    def data_received(self, data: bytes) -> None:
        self._start()  # on a connection that is used again
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _start(self) -> None:
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._timer = asyncio.get_running_loop().call_later(self.seconds, self._close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        self.transport.close()


def protocol_of(seconds: float, max_connections: int) -> type[Protocol]:
    """The protocol with limits.

    Args:
        seconds: That the head of a request may take to arrive.
        max_connections: Open ones whose requests are answered.
    """
    limits = {"seconds": seconds, "max_connections": max_connections}
    return type("LimitedProtocol", (Protocol,), limits)
