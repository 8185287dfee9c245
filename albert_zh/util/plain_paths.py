"""Paths for functions of TensorFlow that take a path for a pattern.

Its readers of checkpoints and SavedModels look for files that match the path they are given, so in
`run[1]` they look into `run1`.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

_PATTERN = re.compile(r"[\[\]*?\\]")


@contextlib.contextmanager
def plain_path(path: str) -> Iterator[str]:
    """Another path to the same files where a path has characters of patterns; else the path itself.

    Args:
        path: A file, a folder, or the beginning that the names of some files share.

    Raises:
        ValueError: The path is in an object store, where there are no links.
    """
    if not _PATTERN.search(path):
        yield path
        return
    if "://" in path:
        raise ValueError(f"{path}: TensorFlow takes [ ] * ? and \\ for a pattern; rename it")
    folder, name = os.path.split(os.path.abspath(path))
    with tempfile.TemporaryDirectory() as links:
        for each in os.listdir(folder):
            if each.startswith(name):
                os.symlink(
                    os.path.join(folder, each), os.path.join(links, "link" + each[len(name) :])
                )
        yield os.path.join(links, "link")
