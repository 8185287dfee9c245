"""Archives: each member is a file of its own, in whatever format and compression.

```
corpus.tar.gz      wiki/a.jsonl wiki/b.txt.xz ...     read from the beginning to the end
corpus.zip         a.txt b.txt ...                    needs random access
```
"""

import contextlib
import lzma
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from albert_zh.corpus.compression import GET_AGAIN, without_compression_ending
from albert_zh.corpus.foreign import OFFICE_DOCUMENT, ForeignFile
from albert_zh.corpus.streams import TextStream

_NO_MEMBERS = bytes(2 * tarfile.BLOCKSIZE)  # the end of a tar archive
_REST_OF_MEMBER = b"M"  # of GNU tar, at the beginning of a volume
_REST_PART = 1 << 16  # bytes
_JOINED = "; give archives that were joined one by one"

# Members of zip archives that are a document of an office program or a book.
_DOCUMENTS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")


@dataclass(frozen=True)
class Archive:
    """A kind of archives: a row of the table below."""

    name: str
    is_one: Callable[[bytes], bool]  # of the first bytes
    members: Callable[[TextStream], Iterator[TextStream]]


def detect_archive(first_bytes: bytes, path: str = "") -> Archive | None:
    """The archive that begins so; None if it is none.

    >>> detect_archive(b"PK\\x03\\x04...").name, detect_archive("春。".encode())
    ('zip', None)
    >>> detect_archive(bytes(1024), "a.tar.gz").name, detect_archive(bytes(1024), "a.txt")
    ('tar', None)
    """
    if first_bytes.startswith(_NO_MEMBERS) and not first_bytes.strip(b"\0"):
        # An empty tar archive, or what a crash left of a text.
        return _TAR if without_compression_ending(path).endswith((".tar", ".tgz")) else None
    return next((row for row in _ROWS if row.is_one(first_bytes)), None)


def members(archive: Archive, stream: TextStream) -> Iterator[TextStream]:
    """The files in an archive, without hidden ones; each has to be read before the next one.

    Raises:
        ValueError: The archive is damaged or encrypted, or (a ForeignFile) an office document.
    """
    with _damage_named(stream.name):
        yield from archive.members(stream)
    stream.drain()


@contextlib.contextmanager
def _damage_named(name: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise ValueError(f"{name}: this archive is damaged ({error}); {GET_AGAIN}") from None


class _Member(TextStream):
    """A file in an archive."""

    def __init__(self, path: str, archive: TextStream, file: IO[bytes]):
        super().__init__(path, f"{archive.name}: {path}", file=file)
        self._archive = archive

    def _take(self, file: IO[bytes], size: int) -> bytes:
        with _damage_named(self._archive.name):
            return super()._take(file, size)


def _is_tar(first_bytes: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(first_bytes[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar_members(stream: TextStream) -> Iterator[TextStream]:
    with tarfile.open(fileobj=_Reader(stream), mode="r|", tarinfo=_TarHeader) as archive:
        for member in archive:
            if member.type == _REST_OF_MEMBER:
                raise tarfile.ReadError("it continues another volume; unpack all with tar -M")
            if member.isfile() and not _is_hidden(member.name):
                yield _Member(member.name, stream, archive.extractfile(member))
            archive.members = []  # Else it would remember all of them.
        while rest := archive.fileobj.read(_REST_PART):
            if rest.strip(b"\0"):
                raise tarfile.ReadError(f"data after its end{_JOINED}")


class _TarHeader(tarfile.TarInfo):
    """The header of a member; tarfile takes one that is damaged or missing for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # a block of zeros
            raise
        except tarfile.EmptyHeaderError:
            raise tarfile.ReadError("its end is missing") from None
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None


def _zip_members(stream: TextStream) -> Iterator[TextStream]:
    with stream.random_access() as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if any(name in names for name in _DOCUMENTS):
            raise ForeignFile(
                f"{stream.name} is {OFFICE_DOCUMENT}, which is not read; extract its text first"
            )
        # Its list of members stands at the end; what is before the first one is in no list.
        first = min((member.header_offset for member in archive.infolist()), default=0)
        if first:
            raise zipfile.BadZipFile(f"{first:,} bytes before its first member{_JOINED}")
        for member in archive.infolist():
            if member.is_dir() or _is_hidden(member.filename):
                continue
            try:
                file = archive.open(member)
            except (RuntimeError, NotImplementedError) as error:  # a password, a rare compression
                raise ValueError(f"{stream.name}: {error}; unpack it first") from None
            with file:
                yield _Member(member.filename, stream, file)


def _is_hidden(path: str) -> bool:
    """True for hidden files, and for those that macOS adds to archives."""
    parts = posixpath.normpath(path).split("/")
    return parts[0] == "__MACOSX" or any(part.startswith(".") and part != ".." for part in parts)


class _Reader:
    """A file to be read from the beginning to the end, of the parts of a stream."""

    def __init__(self, stream: TextStream):
        self._parts, self._part, self._begin = iter(stream), b"", 0

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        if self._begin >= len(self._part):
            self._part, self._begin = next(self._parts, b""), 0
        data = self._part[self._begin : self._begin + size]
        self._begin += len(data)
        return data


_TAR = Archive("tar", _is_tar, _tar_members)
_ROWS = (
    _TAR,
    Archive("zip", lambda first: first.startswith((b"PK\x03\x04", b"PK\x05\x06")), _zip_members),
)
