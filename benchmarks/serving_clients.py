"""Clients of the service, each of which asks again as soon as it has an answer.

  serving_clients.py HOST:PORT/PATH '{"clients": 8, "seconds": 5, "pair": ["...", "..."]}'

Started by serving.py. They share one thread and speak no more HTTP than they need, because they run
on the processor that they measure.
"""

import asyncio
import json
import sys
import time

from project import cli  # noqa: F401  # the clone comes first on the path
from single_answers import summary

_END = b"\r\n\r\n"


async def main() -> None:
    address, path = sys.argv[1].split("/", 1)
    host, port = address.rsplit(":", 1)
    spec = json.loads(sys.argv[2])
    body = json.dumps({"inputs": [spec["pair"]]}, ensure_ascii=False).encode()
    head = f"POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    start = time.perf_counter()
    end = start + spec["seconds"]
    every = await asyncio.gather(
        *(_client(host, int(port), request, end) for _ in range(spec["clients"]))
    )
    times = [each for times in every for each in times]
    print(json.dumps(summary(times, rate=len(times) / (time.perf_counter() - start))))


async def _client(host: str, port: int, request: bytes, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    times = []
    while time.perf_counter() < end:
        start = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(_END)).lower()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise ValueError(head.decode())
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
        times.append(time.perf_counter() - start)
    writer.close()
    return times


if __name__ == "__main__":
    asyncio.run(main())
