"""The directory of an unfinished run: `NAME.unfinished` beside the outputs, locked while in use.

```
recipe.json            recipe, vocabulary and versions of the run
slice-0000000 ...      records of the corpus slices
a.tfrecord[.json]      shards, and the slices that they were written from
```
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace

from albert_zh.creation.outputs import Outputs
from albert_zh.records.manifest import UNFINISHED, RecordSet
from albert_zh.util.files import write_json
from albert_zh.util.locks import LOCK, locked

LOCK_SECONDS = 10.0  # wait for workers of a killed run, which need one second to end
_RECIPE = "recipe.json"
_SLICE_PREFIX = "slice-"
_IDENTITY = ("recipe", "vocabulary", "versions")


@contextlib.contextmanager
def open_work_directory(directory: str, *, lock_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Lock the directory; one that is empty at the end is removed.

    Raises:
        ValueError: Another process holds the lock for `lock_seconds`.
        WriteError: The directory cannot be made.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_if_empty, directory)
        try:
            stack.enter_context(locked(directory, patience=lock_seconds))
        except BlockingIOError as error:
            raise ValueError(f"{error}; wait for it or choose another --output_file") from None
        yield


def start_or_resume(directory: str, record_set: RecordSet) -> None:
    """Prepare the locked directory for a run; the same one may have left its files here.

    Raises:
        ValueError: An unfinished run with another recipe left its files here.
        WriteError: The directory cannot be written.
    """
    path = os.path.join(directory, _RECIPE)
    names = os.listdir(directory)
    if any(name.startswith(_SLICE_PREFIX) for name in names):
        _check_same_run(path, record_set)
    else:
        write_json(path, {name: getattr(record_set, name) for name in _IDENTITY})
    for name in names:
        if name.endswith(".tmp"):
            os.remove(os.path.join(directory, name))


def clear(directory: str) -> None:
    """Remove all files of the locked directory but the lock, and the recipe last."""
    names = set(os.listdir(directory)) - {LOCK, _RECIPE}
    for name in [*names, _RECIPE]:
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(directory, name))


def slice_path(directory: str, number: int) -> str:
    """The file for the records of a corpus slice."""
    return os.path.join(directory, f"{_SLICE_PREFIX}{number:07}")


def is_work_directory(path: str) -> bool:
    """True for the directory of an unfinished run, of whatever outputs."""
    return path.rstrip("/").endswith(UNFINISHED) and os.path.exists(os.path.join(path, _RECIPE))


def remove_leftovers(outputs: Outputs) -> None:
    """Remove the directory of a run that was killed after all shards had their names.

    Raises:
        ValueError: That run is still at work.
    """
    if is_work_directory(outputs.work_directory):
        with open_work_directory(outputs.work_directory):
            clear(outputs.work_directory)


def _remove_if_empty(directory: str) -> None:
    with contextlib.suppress(OSError):  # Not empty, perhaps because the next process is in there.
        os.rmdir(directory)


def _check_same_run(path: str, record_set: RecordSet) -> None:
    with open(path, encoding="utf-8") as file:
        unfinished = RecordSet(inputs=[], **json.load(file))
    difference = unfinished.difference(replace(record_set, inputs=[]))
    if unfinished.versions != record_set.versions:
        software = ", ".join(map(" ".join, unfinished.versions.items()))
        difference = difference or f"its software was {software}"
    if difference:
        raise ValueError(
            f"{os.path.dirname(path)} holds an unfinished run of another kind: {difference}."
            " Finish it with its own options, or delete the directory"
        )
