"""A server on this machine that sends one file, as well or as badly as a test wants."""

import contextlib
import http.server
import threading
from collections.abc import Iterator

MODIFIED = "Wed, 01 Jan 2020 00:00:00 GMT"


class FileServer(http.server.ThreadingHTTPServer):
    """Sends `content` for every path."""

    daemon_threads = True

    def __init__(self, content: bytes):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.etag: str | None = '"first"'
        self.has_ranges = True  # promises to send parts, and does
        self.keeps_promise = True
        self.breaks_after: int | None = None  # bytes of an answer, after which it breaks off
        self.pause = threading.Event()  # set while nothing holds the answer back
        self.pause.set()
        self.ranges: list[str | None] = []  # header of each question

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/archive"


@contextlib.contextmanager
def file_server(content: bytes) -> Iterator[FileServer]:
    server = FileServer(content)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.pause.set()
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        content, total, begin = server.content, len(server.content), 0
        sends_part = server.has_ranges and server.keeps_promise
        if wanted and sends_part and self.headers["If-Range"] in (server.etag, MODIFIED):
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        if server.has_ranges:
            self.send_header("Accept-Ranges", "bytes")
        if server.etag:
            self.send_header("ETag", server.etag)
        self.send_header("Last-Modified", MODIFIED)
        self.send_header("Content-Length", str(total - begin))
        self.end_headers()
        end = total if server.breaks_after is None else begin + server.breaks_after
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content[begin:end])
            server.pause.wait(30)
