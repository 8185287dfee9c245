"""Checks of checkpoint paths that need no TensorFlow."""

import os


def check_checkpoint_exists(prefix: str) -> None:
    """Fail early if a local checkpoint is missing; `gs://` needs TensorFlow, so it is not checked.

    Raises:
        FileNotFoundError: There is no such checkpoint.
    """
    if "://" not in prefix and not os.path.exists(prefix + ".index"):
        raise missing_checkpoint(prefix)


def missing_checkpoint(prefix: str) -> FileNotFoundError:
    """The error for a checkpoint that does not exist."""
    return FileNotFoundError(
        f"there is no checkpoint {prefix} (no file {prefix}.index); name it without the "
        "ending, such as albert_tiny_zh/albert_model.ckpt"
    )
