"""Refusals before anybody reads a request: without the token, too long, or too slow."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# As of ASGI, https://asgi.readthedocs.io.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_GUARDED = "/v1/"


class _Refusal(Exception):
    def __init__(self, status: int, detail: str, **headers: str):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


class Limits:
    """An application behind limits.

    It reads the body of a request, and hands it on when it is there as a whole. What it refuses is
    answered by {"detail": ...} with a status of 401, 408, 413 or 415.
    """

    def __init__(self, app: App, *, max_body_bytes: int, timeout: float, token: str | None):
        """
        Args:
            app: The application.
            max_body_bytes: Of a request.
            timeout: Seconds that a body may take to arrive.
            token: What requests under /v1/ must show, as `Authorization: Bearer TOKEN`; None:
                nothing.
        """
        self._app, self._max, self._timeout, self._token = app, max_body_bytes, timeout, token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            if scope["path"].startswith(_GUARDED):
                self._check_token(headers)
            if scope["method"] == "POST":
                receive = await self._with_body(headers, receive)
        except _Refusal as refusal:
            await _send(send, refusal)
        except ConnectionError:
            pass  # The client has gone.
        else:
            await self._app(scope, receive, send)

    def _check_token(self, headers: dict[bytes, bytes]) -> None:
        if self._token is None:
            return
        given, wanted = headers.get(b"authorization", b""), f"Bearer {self._token}".encode()
        if not hmac.compare_digest(given, wanted):
            raise _Refusal(
                401,
                "send the header `Authorization: Bearer TOKEN`",
                **{"www-authenticate": "Bearer"},
            )

    async def _with_body(self, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/json":
            raise _Refusal(415, "send JSON, with the header `Content-Type: application/json`")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max:
            raise self._too_long()
        try:
            body = await asyncio.wait_for(self._body(receive), self._timeout)
        except asyncio.TimeoutError:
            raise _Refusal(408, f"the body took more than {self._timeout:g} s to arrive") from None
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Message:
            message = next(messages, None)
            return await receive() if message is None else message

        return again

    async def _body(self, receive: Receive) -> bytes:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max:
                raise self._too_long()
            if not message.get("more_body"):
                return b"".join(parts)

    def _too_long(self) -> _Refusal:
        return _Refusal(413, f"a request has {self._max:,} bytes at most")


async def _send(send: Send, refusal: _Refusal) -> None:
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",  # What is left of the request is not read.
        **refusal.headers,
    }
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": named})
    await send({"type": "http.response.body", "body": body})
