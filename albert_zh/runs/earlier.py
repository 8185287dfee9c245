"""Results of other data, kept in a folder of their own instead of being overwritten."""

import os
from collections.abc import Iterable

import tensorflow as tf


def move_away(directory: str, names: Iterable[str], *, folder: str) -> str | None:
    """Move files of a directory to `folder/1`, or the first number that is free.

    Returns:
        The new place; None if none of the files exists.
    """
    existing = [name for name in names if tf.io.gfile.exists(os.path.join(directory, name))]
    if not existing:
        return None
    number = 1
    while tf.io.gfile.exists(target := os.path.join(directory, folder, str(number))):
        number += 1
    tf.io.gfile.makedirs(target)
    for name in existing:
        tf.io.gfile.rename(os.path.join(directory, name), os.path.join(target, name))
    return target
