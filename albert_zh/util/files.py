"""Local files, written whole or not at all, and lists of input files. No TensorFlow."""

import codecs
import contextlib
import glob
import gzip
import hashlib
import itertools
import json
import os
import re
import shlex
import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from albert_zh.util.encodings import SAMPLE_BYTES, archive_advice, byte_advice, sample_around
from albert_zh.util.error_text import reason
from albert_zh.util.near_names import did_you_mean, missing_folder

_MOST_JOINED = 5  # parts of a file name between commas


def is_remote(path: str) -> bool:
    """True if the path is a URL, which `open` does not take.

    >>> is_remote("gs://bucket/news.txt"), is_remote("news.txt")
    (True, False)
    """
    return "://" in path


def expand_home(paths: str) -> str:
    """Expand `~` and `~user` where they begin a path of a comma-separated list.

    >>> expand_home("~nobody_of_this_name/a,b/~/c, ~5")
    '~nobody_of_this_name/a,b/~/c, ~5'
    """
    return re.sub(
        r"(?:^|(?<=,))(\s*)(~[^/,\s]*)(?=/)",
        lambda match: match[1] + os.path.expanduser(match[2]),
        paths,
    )


def check_is_local(path: str) -> None:
    """
    Raises:
        ValueError: The path of a file to write is a URL.
    """
    if is_remote(path):
        raise ValueError(
            f"{path} is not on this machine; write a local file and copy it there with the tools"
            " of its store"
        )


class WriteError(OSError):
    """A file cannot be written: the disk is full, the directory is read-only. Names the file."""


@contextlib.contextmanager
def atomic_write(path: str, mode: str = "wb") -> Iterator[IO]:
    """Open a temporary neighbour of `path` that takes its place when the block ends well.

    A kill or an exception leaves whatever stood at `path` before. Missing directories are made.
    Text is UTF-8 with `\\n` line ends.

    Raises:
        WriteError: The file cannot be written.
        ValueError: The path is a URL.
    """
    check_is_local(path)
    directory = os.path.dirname(os.path.abspath(path))
    make_directory(directory)
    try:
        handle, temporary = tempfile.mkstemp(
            dir=directory, prefix=f".{os.path.basename(path)}.", suffix=".tmp"
        )
    except OSError as error:
        raise _write_error(path, error) from None
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with os.fdopen(handle, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; results get the permissions that open() would give.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):  # Ctrl-C just after it took its place.
            os.unlink(temporary)
        # Writing to an open file names no file; an error with another name is not ours.
        if isinstance(error, OSError) and error.filename in (None, temporary):
            raise _write_error(path, error) from None
        raise


def make_directory(path: str) -> None:
    """Make a directory, and those above it, where they do not exist.

    Raises:
        WriteError: It cannot be made.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise _write_error(path, error) from None


def _write_error(path: str, error: OSError) -> WriteError:
    return WriteError(f"cannot write {path}: {reason(error)}")


def write_json(path: str, value: Any) -> None:
    """Write `value` as readable JSON, atomically.

    Names of files may be no UTF-8: `b"\\xff.txt"` is written as `"\\udcff.txt"`, and is read as it
    was.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2)
    with atomic_write(path) as file:
        file.write(f"{text}\n".encode(errors="backslashreplace"))


def read_lines(path: str, *, may_hold_cr: bool = False) -> Iterator[str]:
    """Lines of a UTF-8 file without their ends and without a byte-order mark.

    Only `\\n` or `\\r\\n` ends a line: texts and vocabularies may hold other line separators.

    Args:
        path: The file; compressed if its name ends with `.gz`, in letters of any case.
        may_hold_cr: Leave a CR inside a line to the caller; see `cr_inside`.

    Raises:
        ValueError: Bytes are not UTF-8, or one is NUL; or a CR is inside a line; or the file cannot
            be decompressed. Names the file, the line and the byte.
    """
    offset = 0
    for number, line in enumerate(_raw_lines(path), start=1):
        mark = len(codecs.BOM_UTF8) if line.startswith(codecs.BOM_UTF8) and not offset else 0
        try:
            text = line[mark:].decode().removesuffix("\n").rstrip("\r")
        except UnicodeDecodeError as error:
            raise _bad_byte(path, number, line, offset, mark + error.start) from None
        if "\0" in text:
            raise _bad_byte(path, number, line, offset, line.index(0))
        if "\r" in text and not may_hold_cr:
            raise cr_inside(path, number)
        yield text
        offset += len(line)


def _raw_lines(path: str) -> Iterator[bytes]:
    with _open(path) as file:
        try:
            yield from file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                f"{path} cannot be decompressed ({error}); a file whose name ends with .gz is one "
                "whole gzip file: copy it again, or name it as what it is"
            ) from None


def _open(path: str) -> IO[bytes]:
    """The bytes of a file, decompressed if its name says that it is compressed."""
    return open(path, "rb") if without_gz(path) == path else gzip.open(path)


def without_gz(path: str) -> str:
    """A path without the ending of a compressed file, in letters of any case.

    >>> without_gz("new.csv.GZ"), without_gz("new.csv")
    ('new.csv', 'new.csv')
    """
    return path[: -len(".gz")] if path.lower().endswith(".gz") else path


def cr_inside(path: str, number: int) -> ValueError:
    """The error for a line with a CR that is not at its end, as in lines that are joined."""
    return ValueError(
        f"{path}, line {number}: a CR inside the line, as if lines ended in CR only, as on old"
        f" Macs; convert them: tr '\\r' '\\n' < {shlex.quote(path)} > NEW_FILE"
    )


def _bad_byte(path: str, number: int, line: bytes, offset: int, place: int) -> ValueError:
    """The error for a byte at a place of a line that begins at an offset of the file."""
    byte = line[place]
    what = "not UTF-8" if byte else "a NUL"
    with _open(path) as file:
        archive = archive_advice(file.read(4))
    advice = archive or byte_advice(_sample_of_file(path, offset + place), byte, path=path)
    return ValueError(
        f"{path}, line {number}: {what} at byte {offset + place} of the file (0x{byte:02x});"
        f" {advice}"
    )


def _sample_of_file(path: str, place: int) -> bytes:
    """The lines around a place of a file."""
    begin = max(0, place - place % 2 - 2 * SAMPLE_BYTES)
    with _open(path) as file:
        file.seek(begin)
        return sample_around(file.read(4 * SAMPLE_BYTES), place - begin)


def sha256_of_file(path: str) -> str:
    """Hexadecimal SHA-256 of the file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def expand_patterns(patterns: str) -> list[str]:
    """Files named by a comma-separated list of paths and globs, in the order of the list.

    Matches of one glob are sorted by name. A file named twice is returned once.

    Raises:
        FileNotFoundError: An item matches nothing, or the list is empty.
    """
    paths: list[str] = []
    for pattern in filter(None, (item.strip() for item in patterns.split(","))):
        matches = sorted(path for path in matching_paths(pattern) if os.path.isfile(path))
        if not matches:
            check_commas(patterns)
            raise no_match(pattern)
        paths.extend(matches)
    if not paths:
        raise FileNotFoundError("the list of input files is empty")
    return list(dict.fromkeys(paths))


def check_commas(patterns: str) -> None:
    """Check a list of paths of which one matches nothing.

    Raises:
        FileNotFoundError: Items of the list, joined again, are a file: its name has a comma.
    """
    items = patterns.split(",")
    for begin, count in itertools.product(range(len(items)), range(2, _MOST_JOINED + 1)):
        name = ",".join(items[begin : begin + count]).strip()
        if "," in name and os.path.exists(name):
            raise FileNotFoundError(
                f"{name} cannot be named as it is, because commas separate names; write ? for the"
                f" comma ({glob.escape(name).replace(',', '?')}), or name its folder"
            )


def no_match(pattern: str) -> FileNotFoundError:
    """The error for a path or glob that no file matches; proposes near names."""
    hint = ""
    if not glob.has_magic(pattern) and not (hint := missing_folder(pattern)):
        names = os.listdir(os.path.dirname(pattern) or ".")
        hint = did_you_mean(pattern, names).removeprefix("; ")
    hint = hint or f"check the path (working directory: {os.getcwd()})"
    return FileNotFoundError(f"no file matches {pattern!r}; {hint}")


def matching_paths(pattern: str, *, recursive: bool = False) -> list[str]:
    """Paths that match a glob, sorted; the path itself where it exists.

    Folders that exist stand for themselves: `rec[1]/*.txt` looks into `rec[1]`, not into `rec1`.
    """
    if os.path.exists(pattern):
        return [pattern]
    folder = os.path.dirname(pattern)
    while folder and folder != os.path.dirname(folder) and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    rest = pattern[len(folder) :]
    return sorted(glob.glob(glob.escape(folder) + rest, recursive=recursive))
