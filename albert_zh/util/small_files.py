"""Small text files on any path that TensorFlow opens, read without it where they are local."""

import contextlib
import json
import os
from typing import Any


def read_text_if_exists(path: str) -> str | None:
    """The content of a UTF-8 file; None if there is no such file."""
    if "://" not in path:
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()
    import tensorflow as tf  # It takes seconds to import.

    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        return file.read()


def read_json_if_exists(path: str) -> dict[str, Any] | None:
    """The JSON object in a file; empty if the file is damaged, None if there is no such file."""
    with contextlib.suppress(ValueError, TypeError):
        text = read_text_if_exists(path)
        return None if text is None else dict(json.loads(text))
    return {}
