"""A folder with one model: a checkpoint without training state, and the files that belong to it.

It can be used wherever the output directory of a run can, but not resumed.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.beside import files_beside
from albert_zh.checkpoint.files import (
    delete_checkpoint,
    read_arrays,
    read_shapes,
    write_checkpoint,
)
from albert_zh.checkpoint.loading import load_meta, read_step
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import GLOBAL_STEP, is_weight
from albert_zh.checkpoint.paths import BEST, find_checkpoint, run_steps
from albert_zh.util.object_files import remove_if_exists

# Files of a run beside its checkpoints that make them usable.
SCORES = (BEST, "metrics.json")  # of the checkpoints of the run
_COMPANIONS = ("albert_config.json", "vocab.txt", "spm.model", "options.json", "task.json", *SCORES)


def write_model_folder(
    directory: str,
    arrays: Mapping[str, np.ndarray],
    meta: CheckpointMeta,
    *,
    step: int,
    source: str,
    converted: Mapping[str, Any],
    leave_out: tuple[str, ...] = (),
) -> str:
    """Write `model.ckpt-STEP` and its companions; remove a model that was there before.

    Args:
        directory: Made where it is missing.
        arrays: Weights by name.
        meta: Of a checkpoint of the run that the weights come from.
        step: Step of the training that the weights are of.
        source: Folder of that run, whose companions are copied.
        converted: What was done to the weights.
        leave_out: Companions that do not describe them any more.

    Returns:
        The checkpoint, without its ending.
    """
    tf.io.gfile.makedirs(directory)
    prefix = os.path.join(directory, f"model.ckpt-{step}")
    meta = dataclasses.replace(
        meta,
        step=step,
        batch_plan=None,
        options=None,
        unrecorded=None,
        stays=None,
        awaiting_since=None,
        converted=converted,
    )
    write_checkpoint(prefix, {**arrays, GLOBAL_STEP: np.int64(step)}, meta.to_json())
    paths = {name: os.path.join(source, name) for name in _COMPANIONS}
    if configuration := files_beside(source).get("bert_config_file"):
        paths["albert_config.json"] = configuration  # Published ones have names of their own.
    for name, path in paths.items():
        copy = os.path.join(directory, name)
        if name not in leave_out and tf.io.gfile.exists(path):
            tf.io.gfile.copy(path, copy, overwrite=True)
        else:
            remove_if_exists(copy)
    for other in run_steps(directory):
        if other != step:
            delete_checkpoint(os.path.join(directory, f"model.ckpt-{other}"))
    return prefix


def copy_best(run: str, directory: str) -> str:
    """Copy the best checkpoint of a run, the newest where none is noted, in place of another model.

    Returns:
        The copy, without its ending.
    """
    prefix = find_checkpoint(run)
    stored = list(filter(is_weight, read_shapes(prefix)))
    return write_model_folder(
        directory,
        read_arrays(prefix, stored),
        load_meta(prefix) or CheckpointMeta(),
        step=read_step(prefix) or 0,
        source=run,
        converted={"copied": os.path.relpath(prefix, directory)},
    )
