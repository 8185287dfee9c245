"""Input files: which ones, and their bytes, unpacked, while they are hashed and counted.

```
corpus/ --> corpus/a.txt corpus/b.txt.zst --> [2 KB] [2 KB] ...   as stored: sha256, position
                                              [7 KB] [6 KB] ...   unpacked
```
"""

import contextlib
import glob
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import IO, Any

from albert_zh.corpus.compression import PACKED_PART, packing_of, unpacked

STANDARD_INPUT = "-"
OpenFile = Callable[[str], IO[bytes]]

_PLAIN_PART = 1 << 20  # bytes read at a time


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
    """Size of a file; None of what has no known end: standard input, other pipes, remote files.

    Raises:
        FileNotFoundError: The file is missing.
    """
    if path == STANDARD_INPUT or is_remote(path):
        return None
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def is_remote(path: str) -> bool:
    """Whether the path is a URL, which `open` does not take.

    >>> is_remote("gs://bucket/news.txt"), is_remote("news.txt")
    (True, False)
    """
    return "://" in path


def open_here(path: str) -> IO[bytes]:
    """Opens a file of this machine."""
    return open(path, "rb")


class Source:
    """The bytes of a file, unpacked, while iterated; and what is known of the file by then."""

    def __init__(self, path: str, open_file: OpenFile = open_here):
        self._open_file = open_file
        self.path = path
        self.is_standard_input = path == STANDARD_INPUT
        self.name = "standard input" if self.is_standard_input else path  # for messages
        self.position = 0  # bytes read of the file as stored
        self.is_empty = True  # until a byte of text has been seen
        self.is_packed = False
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Gives parts of the text that may be cut anywhere.

        Raises:
            ValueError: The file is damaged or a part of it is missing.
        """
        with self._opened() as file:
            beginning = self._take(file, PACKED_PART)
            packing = packing_of(beginning)
            self.is_packed = packing is not None
            part = PACKED_PART if packing else _PLAIN_PART
            parts: Iterable[bytes] = chain([beginning], iter(partial(self._take, file, part), b""))
            if packing:
                parts = unpacked(parts, packing, self.name)
            for part_of_text in filter(None, parts):
                self.is_empty = False
                yield part_of_text

    def described(self) -> dict[str, Any]:
        """File, size and hash of what has been read: of the whole file after the last part."""
        return {"file": self.path, "bytes": self.position, "sha256": self._digest.hexdigest()}

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
    names = [item] if os.path.exists(item) else sorted(glob.glob(item, recursive=True))
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
        return  # A link leads back to where we came from.
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name.startswith("."):
            continue
        if os.path.isdir(path):
            yield from _files_below(path, (*above, place))
        else:
            yield path
