"""Streams of text: stored bytes are decompressed and converted while they are read.

```
a.txt.gz    1f 8b ...  -> E6 98 A5 ...      decompressed
b.txt       ff fe ...  -> E6 98 A5 ...      UTF-16 becomes UTF-8
```
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import IO

from albert_zh.corpus.compression import COMPRESSED_PART, decompress, detect_compression
from albert_zh.corpus.utf16 import is_utf16, peek_parts, utf16_to_utf8

FIRST_BYTES = 1 << 11  # enough to recognise every format

_PLAIN_PART = 1 << 20  # bytes of a file without compression to read at a time


class TextStream:
    """The text of a file, or of a member of an archive: its bytes in UTF-8, to be iterated once."""

    def __init__(self, path: str, name: str | None = None, *, file: IO[bytes] | None = None):
        """
        Args:
            path: The path, whose ending may tell the format.
            name: For messages; the path when left out.
            file: Gives the stored bytes; the caller closes it. Subclasses may open one themselves.
        """
        self.path = path
        self.name = name or path
        self.is_empty = True  # until a byte of text has been read
        self.is_compressed = False
        self.is_converted = False
        self._file = file
        self._unread = self._parts()
        self._first: bytes | None = None  # what was peeked

    def __iter__(self) -> Iterator[bytes]:
        """Yield parts of the text that may be cut anywhere; each byte is given once.

        Raises:
            ValueError: The file is damaged or a part of it is missing.
        """
        return self._unread

    def peek(self, size: int = FIRST_BYTES) -> bytes:
        """The first bytes of the text, which stay there to be iterated; none if it is empty.

        They are at least `size` unless the text is shorter.

        Raises:
            ValueError: The file is damaged.
        """
        if self._first is None or FIRST_BYTES <= len(self._first) < size:
            self._first, self._unread = peek_parts(self._unread, size)
        return self._first

    @property
    def plain_path(self) -> str | None:
        """The path, if another program finds the text there as it is."""
        return None

    def drain(self) -> None:
        """Read what is left, so that damage is found and the whole file is hashed."""
        for _ in self:
            pass

    @contextlib.contextmanager
    def random_access(self) -> Iterator[IO[bytes]]:
        """Open the text for a format that is not read from the beginning to the end.

        Raises:
            OSError: There is no room for the temporary file.
        """
        with tempfile.TemporaryFile() as file:
            try:
                file.writelines(self)
                file.seek(0)
            except OSError as error:
                reason = error.strerror or error
                raise OSError(
                    f"cannot unpack {self.name} in {tempfile.gettempdir()}: {reason}; make"
                    " room, or set TMPDIR to a folder with more"
                ) from None
            yield file

    def _opened(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        return contextlib.nullcontext(self._file)

    def _take(self, file: IO[bytes], size: int) -> bytes:
        """Read stored bytes."""
        return file.read(size)

    def _parts(self) -> Iterator[bytes]:
        with self._opened() as file:
            first = self._take(file, FIRST_BYTES)
            compression = detect_compression(first)
            self.is_compressed = compression is not None
            size = COMPRESSED_PART if compression else _PLAIN_PART
            parts: Iterable[bytes] = chain([first], iter(partial(self._take, file, size), b""))
            if compression:
                parts = decompress(parts, compression, self.name)
            beginning, parts = peek_parts(parts, 4)
            self.is_converted = is_utf16(beginning)
            for part in filter(None, utf16_to_utf8(parts) if self.is_converted else parts):
                self.is_empty = False
                yield part
