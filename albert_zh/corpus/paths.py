"""Names of the input files: lists, globs and folders become files.

```
corpus/ --> corpus/a.txt corpus/part/b.txt.zst      without hidden files, marks, and own outputs
```
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator

from absl import logging

from albert_zh.util.files import check_commas, is_remote, matching_paths, no_match

STANDARD_INPUT = "-"

# Beginnings of names. Hadoop, Spark and their relatives leave such files beside the text, and read
# none of them; so do Windows and macOS.
_MARKS = (
    "_SUCCESS",
    "_metadata",
    "_common_metadata",
    "_temporary",
    "_committed_",
    "_started_",
    "Thumbs.db",
    "desktop.ini",
    "__MACOSX",
)
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_LEAVE_OUT = "remove it, or name the files that are wanted in --input_file"

IsOutput = Callable[[str], bool]


def expand_inputs(patterns: str, *, is_output: IsOutput | None = None) -> list[str]:
    """Files named by a comma-separated list of files, globs, directories and `-`, in its order.

    Matches of a glob are sorted by name; `**` in it stands for any folders. A directory stands for
    all files in it and below it, sorted by path, without hidden ones and marks such as `_SUCCESS`;
    `-` for standard input. A file named twice, whatever the spelling, is returned once.

    Args:
        patterns: The list.
        is_output: True for files and folders that this program wrote. They are left out where a
            glob or a directory stands for them.

    Raises:
        FileNotFoundError: An item names no file, a link leads nowhere, or the list is empty.
        ValueError: An item is a URL, or a glob or directory stands for a pipe, socket or device.
        OSError: A directory cannot be read.
    """
    items = list(filter(None, (item.strip() for item in patterns.split(","))))
    if not items:
        raise FileNotFoundError("the list of input files is empty")
    own: list[str] = []

    def is_own(path: str) -> bool:
        if is_output is None or not is_output(path):
            return False
        own.append(path)
        return True

    try:
        paths = distinct_files([path for item in items for path in _files_of(item, is_own)])
    except FileNotFoundError:
        check_commas(patterns)
        raise
    if own:
        logging.info(
            "left out of the input, as this program wrote them: %s%s",
            own[0],
            f" and {len(own) - 1:,} more" * (len(own) > 1),
        )
    return paths


def distinct_files(paths: Iterable[str]) -> list[str]:
    """The paths without those that lead to the file of an earlier one; they are logged."""
    first_path: dict[str | tuple[int, int], str] = {}
    repeated: list[str] = []
    for path in dict.fromkeys(paths):
        is_here = path != STANDARD_INPUT and not is_remote(path)
        status = os.stat(path) if is_here else None
        first = first_path.setdefault((status.st_dev, status.st_ino) if status else path, path)
        if first != path:
            repeated.append(f"{path} is {first}")
    if repeated:
        more = f" and {len(repeated) - 1:,} more" * (len(repeated) > 1)
        logging.info("used once, as it is the same file: %s%s", repeated[0], more)
    return list(first_path.values())


def is_left_out(name: str) -> bool:
    """True for hidden files, and for marks that other programs leave beside the text.

    >>> list(map(is_left_out, ["_SUCCESS", ".a.txt.swp", "_notes.txt"]))
    [True, True, False]
    """
    return name.startswith((".", *_MARKS))


def stored_bytes(path: str) -> int | None:
    """Size of a file; None where it is unknown: standard input, other pipes, remote files.

    Raises:
        FileNotFoundError: The file is missing.
    """
    if path == STANDARD_INPUT or is_remote(path):
        return None
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _files_of(item: str, is_own: IsOutput) -> list[str]:
    if item == STANDARD_INPUT:
        return [item]
    _check_link(item)
    if os.path.isdir(item):
        files = sorted(_files_below(item, is_own))
    elif os.path.exists(item):
        return [item]  # A pipe, too, if the user names it.
    else:
        files = [
            file
            for name in _matches(item)
            for file in sorted(_files_at(name, is_own=is_own, above=()))
        ]
    if not files:
        raise FileNotFoundError(
            f"no input file in {item}; hidden files and own output do not count"
        )
    return files


def _matches(pattern: str) -> list[str]:
    """Sorted matches of a glob."""
    if is_remote(pattern):
        raise ValueError(
            f"{pattern} is not on this machine; copy it here, or make records with"
            " scripts/create_pretraining_data_beam.py, which reads object stores"
        )
    matches = matching_paths(pattern, recursive=True)
    if not matches:
        raise no_match(pattern)
    return matches


def _files_below(directory: str, is_own: IsOutput, above: tuple[str, ...] = ()) -> Iterator[str]:
    place = os.path.realpath(directory)
    if place in above:
        return  # A link leads back to a directory above.
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise OSError(
            f"cannot read the folder {directory}: {error.strerror}; change its permissions, or"
            " name the files that are wanted in --input_file"
        ) from None
    for name in names:
        if not is_left_out(name):
            yield from _files_at(
                os.path.join(directory, name), is_own=is_own, above=(*above, place)
            )


def _files_at(path: str, *, is_own: IsOutput, above: tuple[str, ...]) -> Iterator[str]:
    """The file at a path that nobody named, or the files below it."""
    _check_link(path)
    if is_own(path):
        return
    if os.path.isdir(path):
        yield from _files_below(path, is_own, above)
        return
    kind = _KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    if kind:
        raise ValueError(f"{path} is {kind}, not a file; {_LEAVE_OUT}")
    yield path


def _check_link(path: str) -> None:
    if os.path.islink(path) and not os.path.exists(path):
        raise FileNotFoundError(
            f"{path} is a link to {os.readlink(path)}, which cannot be found; {_LEAVE_OUT}"
        )
