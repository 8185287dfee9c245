"""Files of a zip or tar.gz archive that comes from elsewhere, so that its names are not trusted."""

import gzip
import os
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from albert_zh.util.files import atomic_write

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins an archive without members
_GZIP = b"\x1f\x8b"
_TAR_MAGIC, _TAR_MAGIC_PLACE = b"ustar", 257
_PAGE = (b"<!doctype html", b"<html", b"<?xml")
_CHUNK = 1 << 20  # bytes
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    UnicodeError,
)


class BadArchive(ValueError):
    """An archive is damaged or not the expected one; the message follows after its address."""


@dataclass(frozen=True)
class _Member:
    path: str  # in the archive, with slashes
    kind: str  # file, folder, or another one, which is refused
    open: Callable[[], IO[bytes]]


def unpack(path: str, folder: str, *, is_wanted: Callable[[str], bool]) -> dict[str, int]:
    """Write the wanted files of an archive into a folder, whatever folders they have there.

    Hidden files and those that macOS adds are left out.

    Args:
        path: A zip or tar.gz archive, or a tar archive that was decompressed on its way.
        folder: An empty folder.
        is_wanted: Tells by the name of a file, without folders, if it is wanted.

    Returns:
        Name -> bytes of each file that was written.

    Raises:
        BadArchive: It is no archive, is incomplete or damaged, or holds a path or a link that
            leads elsewhere.
        WriteError: A file cannot be written.
    """
    name, members = _kind(path)
    sizes: dict[str, int] = {}
    try:
        for member in members(path):
            _check_stays_inside(member)
            base = os.path.basename(member.path)
            is_hidden = not base or base[0] == "." or "__MACOSX" in member.path
            if member.kind != "file" or is_hidden or not is_wanted(base):
                continue
            if base in sizes:
                raise BadArchive(f"holds several files {base}, expected 1")
            target = os.path.join(folder, base)
            with member.open() as source, atomic_write(target) as file:
                shutil.copyfileobj(source, file)  # checks the CRC at the end of a zip's member
            sizes[base] = os.path.getsize(target)
    except _DAMAGE as error:
        raise BadArchive(f"is not a complete {name} archive ({error})") from None
    except RuntimeError as error:  # a password, a rare compression
        raise BadArchive(f"cannot be unpacked here ({error})") from None
    return sizes


def _kind(path: str) -> tuple[str, Callable[[str], Iterator[_Member]]]:
    """Name and reader of the kind of archive that a file is, by its first bytes."""
    with open(path, "rb") as file:
        first = file.read(tarfile.BLOCKSIZE)
    if first.startswith(_ZIP):
        return "zip", _zip_members
    if first.startswith(_GZIP):
        return "tar.gz", _tar_gz_members
    if first[_TAR_MAGIC_PLACE:].startswith(_TAR_MAGIC):
        return "tar", _tar_members
    if first.lstrip().lower().startswith(_PAGE):
        raise BadArchive("is a page for a browser, which may say why, and not an archive")
    raise BadArchive(f"is neither a zip nor a tar.gz archive; it begins with {first[:12]!r}")


def _check_stays_inside(member: _Member) -> None:
    parts = member.path.split("/")
    if not parts[0] or ".." in parts or re.match("[A-Za-z]:", parts[0]):
        raise BadArchive(f"holds the path {member.path!r}, which leads out of its folder")
    if member.kind not in ("file", "folder"):
        raise BadArchive(f"holds the {member.kind} {member.path!r}; files are expected")


def _zip_members(file: str) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16  # 0 where another system than Unix made it
            kind = "folder" if info.is_dir() else "file"
            if stat.S_ISLNK(mode):
                kind = "link"
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "special file"
            # Some programs of Windows write backslashes.
            path = info.filename.replace("\\", "/")
            yield _Member(path, kind, lambda info=info: archive.open(info))


def _tar_gz_members(path: str) -> Iterator[_Member]:
    with _Gzip(path) as file:
        yield from _members_of_stream(file)
        while file.read(_CHUNK):  # The checksum is at the end.
            pass


def _tar_members(path: str) -> Iterator[_Member]:
    with open(path, "rb") as file:
        yield from _members_of_stream(file)


def _members_of_stream(file: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for info in archive:
            kind = "file" if info.isreg() else "folder" if info.isdir() else "special file"
            if info.issym() or info.islnk():
                kind = "link"
            yield _Member(
                info.name,
                kind,
                lambda info=info: archive.extractfile(info),
            )


class _Gzip(gzip.GzipFile):
    """A compressed file whose damage is no OSError, which would be taken for one of the disk."""

    def read(self, size: int = -1) -> bytes:
        try:
            return super().read(size)
        except gzip.BadGzipFile as error:
            raise tarfile.ReadError(str(error)) from None
