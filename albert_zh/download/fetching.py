"""A file of the internet, received into a folder; what broke off goes on where it ended.

```
archive.part    the bytes that were received
archive.json    what the server said of the file: it is continued only while that is the same
```
A server has to promise that it sends parts of its files; without that nothing is continued.
"""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from albert_zh.util.error_text import reason
from albert_zh.util.files import WriteError, write_json
from albert_zh.util.json_objects import read_object
from albert_zh.util.progress import Progress

PART, NOTE = "archive.part", "archive.json"

# Being offline is normal: a user without a network should wait seconds, not minutes.
ANSWER_SECONDS = 5.0
STALL_SECONDS = 30.0
_CHUNK = 1 << 18  # bytes


@contextlib.contextmanager
def connect(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Any]:
    """The answer of a server, or a file of this machine, open to be read.

    Args:
        url: An address, or a path.
        headers: Headers of the question.

    Raises:
        OSError: There is no answer, or it is an error.
    """
    address = url if "://" in url else pathlib.Path(url).absolute().as_uri()
    request = urllib.request.Request(address, headers=headers or {})
    opened: concurrent.futures.Future = concurrent.futures.Future()

    def open_url() -> None:
        try:
            opened.set_result(urllib.request.urlopen(request, timeout=STALL_SECONDS))
        except Exception as error:
            opened.set_exception(error)

    # A name server can keep urlopen waiting forever, so it runs in a thread that can be abandoned.
    threading.Thread(target=open_url, daemon=True).start()
    try:
        response = opened.result(timeout=ANSWER_SECONDS)
    except (OSError, http.client.HTTPException, concurrent.futures.TimeoutError) as error:
        text = str(error).removeprefix("<urlopen error ").removesuffix(">") or "no answer"
        raise OSError(f"cannot reach {url}: {text}") from None
    with response:
        yield response


def receive(response: Any, url: str, folder: str) -> str:
    """Write the file that a server sends into a folder, or only the rest that is missing there.

    Args:
        response: The answer of the server: the whole file, of which nothing was read yet.
        url: Its address.
        folder: Folder with what an earlier call received, or an empty one.

    Returns:
        Path of the whole file.

    Raises:
        OSError: The connection broke off.
        WriteError: The file cannot be written.
    """
    path, note = os.path.join(folder, PART), os.path.join(folder, NOTE)
    source = _describe(response, url)
    begin = _bytes_to_keep(folder, source)
    if begin and begin == source["bytes"]:
        return path
    with contextlib.ExitStack() as stack:
        if begin:
            wanted = {"Range": f"bytes={begin}-", "If-Range": source["version"]}
            rest = stack.enter_context(connect(url, wanted))
            if _is_rest(rest, begin, source["bytes"]):
                response = rest
            else:
                _say(f"{url} does not send the rest of a file; starting again")
                begin = 0
        if not begin:
            forget(folder)
            if source["version"]:
                write_json(note, source)
        _append(response, source, path, begin)
    return path


def kept_bytes(folder: str) -> int:
    """Number of bytes in a folder from which `receive` can go on; 0 if there are none."""
    if not os.path.exists(os.path.join(folder, NOTE)):
        return 0
    with contextlib.suppress(FileNotFoundError):
        return os.path.getsize(os.path.join(folder, PART))
    return 0


def forget(folder: str) -> None:
    """Remove what was received into a folder."""
    for name in (NOTE, PART):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))


def _describe(response: Any, url: str) -> dict[str, Any]:
    """Address, bytes and version of a file; without a version it cannot be continued."""
    headers = response.headers
    length = headers.get("Content-Length", "")
    version = headers.get("ETag", "")
    if not version or version.startswith("W/"):  # Weak: other bytes may have it, too.
        version = headers.get("Last-Modified")
    is_continuable = length.isdigit() and headers.get("Accept-Ranges") == "bytes"
    return {
        "url": url,
        "bytes": int(length) if length.isdigit() else None,
        "version": version if is_continuable else None,
    }


def _bytes_to_keep(folder: str, source: Mapping[str, Any]) -> int:
    """Number of bytes in a folder that are of the same version of the same file."""
    kept = kept_bytes(folder)
    if not kept:
        return 0
    try:
        former = read_object(os.path.join(folder, NOTE))
    except ValueError:
        former = {}
    if not source["version"] or former != source or kept > source["bytes"]:
        _say(f"{os.path.join(folder, PART)} is not of the file at {source['url']}; starting again")
        return 0
    if kept < source["bytes"]:
        _say(f"going on after {kept:,} of {source['bytes']:,} bytes")
    return kept


def _is_rest(response: Any, begin: int, total: int) -> bool:
    place = response.headers.get("Content-Range")
    is_part = response.status == http.client.PARTIAL_CONTENT
    return is_part and place == f"bytes {begin}-{total - 1}/{total}"


def _append(response: Any, source: Mapping[str, Any], path: str, begin: int) -> None:
    received, total, url = begin, source["bytes"], source["url"]
    way_out = "the same command goes on from there" if source["version"] else "try again"
    progress = Progress(
        description="downloading", unit="B", total=total, initial=begin, scaled=True
    )
    try:
        with open(path, "ab" if begin else "wb") as file, progress:
            for chunk in _chunks(response):
                file.write(chunk)
                received += len(chunk)
                progress.advance(len(chunk))
    except _BrokenError as error:
        raise OSError(f"{url} broke off after {received:,} bytes ({error}); {way_out}") from None
    except OSError as error:
        raise WriteError(f"cannot write {path}: {reason(error)}") from None
    if total is not None and received != total:
        raise OSError(f"{url} broke off after {received:,} of {total:,} bytes; {way_out}")


class _BrokenError(Exception):
    """The connection broke off."""


def _chunks(response: Any) -> Iterator[bytes]:
    try:
        while chunk := response.read(_CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(str(error) or type(error).__name__) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr)
