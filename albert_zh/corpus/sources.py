"""Input files: their text, and name, size and hash of their stored bytes.

```
corpus/b.txt.zst --> [2 KB] [2 KB] ...   as stored: sha256, position
                     [7 KB] [6 KB] ...   decompressed
```
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

from albert_zh.corpus.paths import STANDARD_INPUT, stored_bytes
from albert_zh.corpus.streams import TextStream

OpenFile = Callable[[str], IO[bytes]]


def open_here(path: str) -> IO[bytes]:
    """Open a local file.

    Raises:
        OSError: It cannot be read; names it and the way out.
    """
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(
            f"cannot read {path}: {error.strerror}; change its permissions, or leave it out of"
            " --input_file"
        ) from None


class Source(TextStream):
    """The text of a file, and what is known of the file."""

    def __init__(self, path: str, open_file: OpenFile = open_here):
        self.is_standard_input = path == STANDARD_INPUT
        super().__init__(path, "standard input" if self.is_standard_input else path)
        self.position = 0  # bytes of the stored file that have been read
        self._open_file = open_file
        self._digest = hashlib.sha256()

    def manifest_entry(self) -> dict[str, Any]:
        """Name, size and hash of the stored bytes; complete after the last part."""
        return {"file": self.path, "bytes": self.position, "sha256": self._digest.hexdigest()}

    @property
    def plain_path(self) -> str | None:
        return None if self.is_standard_input or self.is_compressed else self.path

    @contextlib.contextmanager
    def random_access(self) -> Iterator[IO[bytes]]:
        self.peek()
        is_plain = not (self.is_compressed or self.is_converted)
        if is_plain and self._open_file is open_here and stored_bytes(self.path) is not None:
            self.drain()
            with open_here(self.path) as file:
                yield file
        else:
            with super().random_access() as file:
                yield file

    def _opened(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        if self.is_standard_input:
            return contextlib.nullcontext(sys.stdin.buffer)
        return self._open_file(self.path)

    def _take(self, file: IO[bytes], size: int) -> bytes:
        part = super()._take(file, size)
        self.position += len(part)
        self._digest.update(part)
        return part
