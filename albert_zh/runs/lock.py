"""One training at a time in an output directory."""

import contextlib
import os
from collections.abc import Callable, Iterator

import tensorflow as tf

from albert_zh.runs.options import RunOptions
from albert_zh.train.strategy import is_chief
from albert_zh.util.files import is_remote
from albert_zh.util.locks import locked


@contextlib.contextmanager
def sole_training(
    options: RunOptions, strategy: tf.distribute.Strategy, *, do_train: bool
) -> Iterator[Callable[[], None]]:
    """Keep other trainings out of the output directory; evaluations may read it meanwhile.

    Nothing keeps them out of an object store, such as `gs://`, which has no locks.

    Returns:
        A function to call before anything is written. It raises ValueError if the directory was
        removed and another training has begun there.

    Raises:
        ValueError: Another process trains there; names it.
        OSError: The directory cannot be made or written.
    """
    directory = options.output_dir
    if not do_train or not is_chief(strategy) or is_remote(directory):
        yield lambda: None
        return
    is_new = not os.path.exists(directory)
    with contextlib.ExitStack() as stack:
        if is_new:
            stack.callback(_remove_if_empty, directory)  # after a mistake that was found later
        try:
            keep = stack.enter_context(locked(directory, patience=0))
        except BlockingIOError as error:
            raise ValueError(
                f"{error}; wait for it, or choose another --output_dir for another run"
            ) from None

        def keep_alone() -> None:
            try:
                keep()
            except BlockingIOError as error:
                raise ValueError(
                    f"{error}; somebody removed {directory} before it began there, so this "
                    "training ends and leaves the directory to it"
                ) from None

        yield keep_alone


def _remove_if_empty(directory: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(directory)
