"""Words about a path that does not exist: how far it does, and names like it."""

import difflib
import os
from collections.abc import Iterable


def missing_file(path: str) -> str:
    """Say that there is no such file, and which one may be meant.

    In a folder with `vocab.txt`, of `vocb.txt`: "there is no such file; did you mean vocab.txt?"
    """
    if os.path.isdir(path):
        return "that is a folder, not a file"
    if problem := missing_folder(path):
        return problem
    near = did_you_mean(path, os.listdir(os.path.dirname(path) or "."))
    return f"there is no such file{near or f' (working directory: {os.getcwd()})'}"


def missing_folder(path: str) -> str:
    """Name the first folder on the way to a path that does not exist; empty if all exist."""
    folder = os.path.dirname(path)
    if not folder or os.path.isdir(folder):
        return ""
    if os.path.exists(folder):
        return f"{folder} is no folder"
    above = os.path.dirname(folder) or "."
    if problem := missing_folder(folder):
        return problem
    folders = [name for name in os.listdir(above) if os.path.isdir(os.path.join(above, name))]
    return f"there is no folder {folder}{did_you_mean(folder, folders)}"


def did_you_mean(path: str, names: Iterable[str]) -> str:
    """The names of its folder that are most like that of a path, as a question; or nothing.

    >>> did_you_mean("model/albert.ckpt-20", ["albert.ckpt-200", "vocab.txt"])
    '; did you mean model/albert.ckpt-200?'
    """
    folder, name = os.path.split(path)
    near = difflib.get_close_matches(name, sorted(names), n=3)
    if not near:
        return ""
    return f"; did you mean {' or '.join(os.path.join(folder, each) for each in near)}?"
