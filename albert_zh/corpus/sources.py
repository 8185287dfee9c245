"""Input files: their names, and their bytes, which are decompressed, hashed and counted.

```
corpus/ --> corpus/a.txt corpus/b.txt.zst --> [2 KB] [2 KB] ...   as stored: sha256, position
                                              [7 KB] [6 KB] ...   decompressed
```
"""

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import IO, Any

from albert_zh.corpus.compression import COMPRESSED_PART, decompress, detect_compression
from albert_zh.util.files import matching_paths

STANDARD_INPUT = "-"
OpenFile = Callable[[str], IO[bytes]]

_PLAIN_PART = 1 << 20  # bytes of a file without compression to read at a time


def expand_inputs(patterns: str) -> list[str]:
    """Files named by a comma-separated list of files, globs, directories and `-`, in its order.

    Matches of a glob are sorted by name; `**` in it stands for any folders. A directory stands for
    all files in it and below it, sorted by path, without hidden ones; `-` for standard input.
    A file named twice is returned once.

    Raises:
        FileNotFoundError: An item names no file, or the list is empty.
    """
    items = list(filter(None, (item.strip() for item in patterns.split(","))))
    if not items:
        raise FileNotFoundError("the list of input files is empty")
    return list(dict.fromkeys(path for item in items for path in _files_of(item)))


def stored_bytes(path: str) -> int | None:
    """Size of a file; None where it is unknown: standard input, other pipes, remote files.

    Raises:
        FileNotFoundError: The file is missing.
    """
    if path == STANDARD_INPUT or is_remote(path):
        return None
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def is_remote(path: str) -> bool:
    """True if the path is a URL, which `open` does not take.

    >>> is_remote("gs://bucket/news.txt"), is_remote("news.txt")
    (True, False)
    """
    return "://" in path


def open_here(path: str) -> IO[bytes]:
    """Open a file of this machine."""
    return open(path, "rb")


class Source:
    """The bytes of one file after decompression, to be iterated, and what is known of the file."""

    def __init__(self, path: str, open_file: OpenFile = open_here):
        self._open_file = open_file
        self.path = path
        self.is_standard_input = path == STANDARD_INPUT
        self.name = "standard input" if self.is_standard_input else path  # for messages
        self.position = 0  # bytes of the stored file that have been read
        self.is_empty = True  # until a byte of text has been read
        self.is_compressed = False
        self._digest = hashlib.sha256()
        self._peeked: tuple[bytes, Iterator[bytes]] | None = None  # first part, and the others

    def __iter__(self) -> Iterator[bytes]:
        """Yield parts of the text that may be cut anywhere; each byte is given once.

        Raises:
            ValueError: The file is damaged or a part of it is missing.
        """
        if self._peeked is None:
            return self._parts()
        (first, others), self._peeked = self._peeked, None
        return chain(filter(None, [first]), others)

    def peek(self) -> bytes:
        """The first bytes of the text, which stay there to be iterated; none if it is empty.

        Raises:
            ValueError: The file is damaged.
        """
        if self._peeked is None:
            parts = self._parts()
            self._peeked = next(parts, b""), parts
        return self._peeked[0]

    def manifest_entry(self) -> dict[str, Any]:
        """Name, size and hash of the stored bytes read so far: after the last part, of the file."""
        return {"file": self.path, "bytes": self.position, "sha256": self._digest.hexdigest()}

    def _parts(self) -> Iterator[bytes]:
        with self._opened() as file:
            first = self._take(file, COMPRESSED_PART)
            compression = detect_compression(first)
            self.is_compressed = compression is not None
            size = COMPRESSED_PART if compression else _PLAIN_PART
            parts: Iterable[bytes] = chain([first], iter(partial(self._take, file, size), b""))
            if compression:
                parts = decompress(parts, compression, self.name)
            for part in filter(None, parts):
                self.is_empty = False
                yield part

    def _opened(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        if self.is_standard_input:
            return contextlib.nullcontext(sys.stdin.buffer)
        return self._open_file(self.path)

    def _take(self, file: IO[bytes], size: int) -> bytes:
        part = file.read(size)
        self.position += len(part)
        self._digest.update(part)
        return part


def _files_of(item: str) -> list[str]:
    if item == STANDARD_INPUT:
        return [item]
    names = matching_paths(item, recursive=True)
    if not names:
        raise FileNotFoundError(
            f"no file matches {item!r}; check the path (working directory: {os.getcwd()})"
        )
    files = [
        file
        for name in names
        for file in (sorted(_files_below(name)) if os.path.isdir(name) else [name])
    ]
    if not files:
        raise FileNotFoundError(f"no file in the directory {item}; hidden files do not count")
    return files


def _files_below(directory: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    place = os.path.realpath(directory)
    if place in above:
        return  # A link leads back to a directory above.
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name.startswith("."):
            continue
        if os.path.isdir(path):
            yield from _files_below(path, (*above, place))
        else:
            yield path
