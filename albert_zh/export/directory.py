"""The directory of an export; its export.json lists what belongs to it."""

import contextlib
import json
import os
from collections.abc import Iterable

from albert_zh.util.files import sha256_of_file

MANIFEST = "export.json"


def check_target(path: str, *, overwrite: bool) -> None:
    """Raise ValueError unless an export may take the place of what stands at `path`.

    A new or empty directory may be filled. With `overwrite` an earlier export may be replaced, but
    no directory that also holds something else.
    """
    if "://" in path:
        raise ValueError(f"--export_dir={path} is not local; export to a local folder and copy it")
    path = path or os.curdir
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        raise ValueError(f"--export_dir={path} is a file; choose a new folder")
    if _holds_working_directory(path):
        raise ValueError(
            f"--export_dir={path} is the working directory or above it, and would be replaced; "
            "choose a new folder"
        )
    if os.path.ismount(path):
        raise ValueError(f"--export_dir={path} is a mount point; choose a new folder inside it")
    names = set(os.listdir(path))
    if names and MANIFEST not in names:
        raise ValueError(f"--export_dir={path} holds other files; choose a new folder")
    if names and not overwrite:
        raise ValueError(
            f"{path} already holds an export; choose another --export_dir, or replace it with "
            "--overwrite"
        )
    if foreign := names - _files_of_export(path) if names else set():
        raise ValueError(
            f"{path} holds files that no export wrote, such as {min(foreign)}; move them away or "
            "choose another --export_dir"
        )


def check_keeps(path: str, inputs: Iterable[str | None]) -> None:
    """Raise ValueError if one of the inputs lies in the folder, which may be replaced."""
    for name in inputs:
        if name and "://" not in name and _holds(path, name):
            raise ValueError(
                f"--export_dir={path} holds {name}, which is needed; choose another folder"
            )


def _holds_working_directory(path: str) -> bool:
    with contextlib.suppress(FileNotFoundError):  # Somebody removed the working directory.
        return _holds(path, os.getcwd())
    return False


def _holds(folder: str, path: str) -> bool:
    folder = os.path.realpath(folder)
    return os.path.commonpath([folder, os.path.realpath(path)]) == folder


def _files_of_export(path: str) -> set[str]:
    manifest = os.path.join(path, MANIFEST)
    with open(manifest, encoding="utf-8") as file:
        try:
            return {MANIFEST, *json.load(file)["files"]}
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{manifest} is damaged; choose another --export_dir") from None


def sums_of(directory: str, name: str) -> dict[str, str]:
    """SHA-256 of a file of an export, or of all files in a folder of it, by path in the export."""
    path = os.path.join(directory, name)
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(above, each) for above, _, names in os.walk(path) for each in names]
    return {os.path.relpath(file, directory): sha256_of_file(file) for file in sorted(files)}


def size_of(path: str) -> int:
    """Bytes of a file, or of all files of a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
    )
