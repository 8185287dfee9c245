"""Which steps of a run are saved, which one is resumed, which are kept, which one is best."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.files import (
    delete_checkpoint,
    write_checkpoint,
    write_json,
    write_text,
)
from albert_zh.checkpoint.names import GLOBAL_STEP

_BEST = "best_checkpoint.json"
_NAME = re.compile(r"model\.ckpt-(\d+)\.index")
_META = re.compile(r"model\.ckpt-(\d+)\.meta\.json")
_TEMPORARY = re.compile(r"model\.ckpt-\d+\.tmp\..*|checkpoint\.tmp")


class CheckpointManager:
    """The `model.ckpt-N` files of one output directory.

    The files themselves are the truth; the `checkpoint` state file is written for
    `tf.train.latest_checkpoint` and other tools.
    """

    def __init__(self, directory: str, *, keep_max: int = 5):
        """
        Args:
            directory: Made with the first checkpoint. What a killed save left there goes then too,
                so that reading checkpoints disturbs no run that writes them.
            keep_max: How many of the newest checkpoints stay; 0 keeps all.
        """
        if keep_max < 0:
            raise ValueError(f"keep_checkpoint_max is {keep_max}; 0 keeps all checkpoints")
        self.directory = directory
        self._keep_max = keep_max

    def remove_leftovers(self) -> None:
        """Removes what was killed on its way in (temporary names) or out (no index any more).

        Saving does so first. Whoever only reads should not: another process may be saving.
        """
        names = set(tf.io.gfile.listdir(self.directory))
        for name in filter(_TEMPORARY.fullmatch, names):
            tf.io.gfile.remove(os.path.join(self.directory, name))
        for match in filter(None, map(_META.fullmatch, names)):
            if f"model.ckpt-{match[1]}.index" not in names:
                delete_checkpoint(self.prefix(int(match[1])))

    def steps(self) -> list[int]:
        """Steps with a complete checkpoint, ascending; other files are none of our business."""
        if not tf.io.gfile.exists(self.directory):
            return []
        matches = map(_NAME.fullmatch, tf.io.gfile.listdir(self.directory))
        return sorted(int(match[1]) for match in matches if match)

    def prefix(self, step: int) -> str:
        return os.path.join(self.directory, f"model.ckpt-{step}")

    def latest(self) -> str | None:
        """Prefix of the newest checkpoint; None in a new directory."""
        steps = self.steps()
        return self.prefix(steps[-1]) if steps else None

    def save(
        self, step: int, arrays: Mapping[str, tf.Tensor | np.ndarray], meta: Mapping[str, Any]
    ) -> str:
        """Writes `model.ckpt-<step>` with `global_step`, then lets go of the oldest."""
        tf.io.gfile.makedirs(self.directory)
        self.remove_leftovers()
        prefix = self.prefix(step)
        table = {**arrays, GLOBAL_STEP: np.int64(step)}
        write_checkpoint(prefix, table, {"step": step, **meta})
        kept = [old for old in self.steps() if old <= step]
        dropped = kept[: -self._keep_max] if self._keep_max else []
        self._write_state([old for old in kept if old not in dropped])
        for old in dropped:
            delete_checkpoint(self.prefix(old))
        return prefix

    def note_best(self, step: int, scores: Mapping[str, float]) -> None:
        """Leaves `best_checkpoint.json` for `find_checkpoint` and for people."""
        note = {"checkpoint": f"model.ckpt-{step}", **scores}
        write_json(os.path.join(self.directory, _BEST), note)

    def _write_state(self, steps: list[int]) -> None:
        # Names without directory, so that the directory can be moved.
        lines = [f'model_checkpoint_path: "model.ckpt-{steps[-1]}"']
        lines += [f'all_model_checkpoint_paths: "model.ckpt-{step}"' for step in steps]
        write_text(os.path.join(self.directory, "checkpoint"), "\n".join(lines) + "\n")


def find_checkpoint(path: str) -> str:
    """The prefix itself; of a directory the checkpoint noted as best, else the newest.

    Raises:
        FileNotFoundError: The directory has no `model.ckpt-N`, or lacks the one noted as best.
    """
    if not tf.io.gfile.isdir(path):
        return path
    names = tf.io.gfile.listdir(path)
    if _BEST in names:
        return _noted_as_best(path, names)
    if latest := CheckpointManager(path).latest():
        return latest
    others = [name.removesuffix(".index") for name in sorted(names) if name.endswith(".index")]
    hint = "".join(f"; is it --checkpoint={os.path.join(path, name)}?" for name in others)
    raise FileNotFoundError(f"{path} holds no checkpoint model.ckpt-N{hint}")


def _noted_as_best(directory: str, names: Sequence[str]) -> str:
    path = os.path.join(directory, _BEST)
    with tf.io.gfile.GFile(path) as file:
        try:
            name = json.loads(file.read())["checkpoint"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path} is damaged; delete it, or name a checkpoint: --checkpoint={directory}/..."
            ) from None
    if f"{name}.index" not in names:
        raise FileNotFoundError(
            f"{path} names {name}, which is not there any more; evaluate again (run_classifier.py "
            f"--do_eval=True) or name another checkpoint: --checkpoint={directory}/model.ckpt-N"
        )
    return os.path.join(directory, name)
