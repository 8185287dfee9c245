"""One training at a time in an output directory."""

import contextlib
import os
from collections.abc import Iterator

import tensorflow as tf

from albert_zh.runs.options import RunOptions
from albert_zh.train.strategy import is_chief
from albert_zh.util.files import is_remote
from albert_zh.util.locks import locked


@contextlib.contextmanager
def sole_training(
    options: RunOptions, strategy: tf.distribute.Strategy, *, do_train: bool
) -> Iterator[None]:
    """Keep other trainings out of the output directory; evaluations may read it meanwhile.

    Nothing keeps them out of an object store, such as `gs://`, which has no locks.

    Raises:
        ValueError: Another process trains there; names it.
        OSError: The directory cannot be made or written.
    """
    directory = options.output_dir
    if not do_train or not is_chief(strategy) or is_remote(directory):
        yield
        return
    is_new = not os.path.exists(directory)
    with contextlib.ExitStack() as stack:
        if is_new:
            stack.callback(_remove_if_empty, directory)  # after a mistake that was found later
        try:
            stack.enter_context(locked(directory, patience=0))
        except BlockingIOError as error:
            raise ValueError(
                f"{error}; wait for it, or choose another --output_dir for another run"
            ) from None
        yield


def _remove_if_empty(directory: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(directory)
