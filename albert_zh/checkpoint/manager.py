"""Checkpoints of a run: the newest is resumed, some are kept, one is the best."""

import dataclasses
import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.files import (
    delete_checkpoint,
    write_checkpoint,
)
from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import GLOBAL_STEP
from albert_zh.util.object_files import write_json, write_text

NEWEST_SCORED = "newest_scored"  # key of `best_checkpoint.json`

_BEST = "best_checkpoint.json"
_NAME = re.compile(r"model\.ckpt-(\d+)\.index")
_META = re.compile(r"model\.ckpt-(\d+)\.meta\.json")
_TEMPORARY = re.compile(r"model\.ckpt-\d+\.tmp\..*|checkpoint\.tmp")


class CheckpointManager:
    """The `model.ckpt-N` files of one output directory.

    The files themselves decide which checkpoints exist. The state file `checkpoint` is written for
    `tf.train.latest_checkpoint` and other tools, and never read.
    """

    def __init__(
        self,
        directory: str,
        *,
        keep_max: int = 5,
        keep_every_hours: float | None = None,
        clock: Callable[[], float] = time.time,
    ):
        """
        Args:
            directory: Created with the first checkpoint. Only saving removes the files of a killed
                save, so that reading checkpoints does not disturb a run that writes them.
            keep_max: Number of newest checkpoints to keep. 0 keeps all that are saved, also
                when the run is resumed with another number. The best checkpoint is always kept.
            keep_every_hours: Interval in hours. The first checkpoint after each interval is kept
                forever. The interval continues when a run resumes.
            clock: Returns the time in seconds.
        """
        if keep_max < 0:
            raise ValueError(f"keep_checkpoint_max is {keep_max}; 0 keeps all checkpoints")
        if keep_every_hours is not None and keep_every_hours <= 0:
            raise ValueError(
                f"keep_checkpoint_every_n_hours is {keep_every_hours}; it must be more than 0"
            )
        self.directory = directory
        self._keep_max, self._keep_every_hours = keep_max, keep_every_hours
        self._clock = clock

    def remove_leftovers(self) -> None:
        """Remove files of a killed save (temporary names) or a killed deletion (no index).

        Saving calls this first. A process that only reads should not: another one may be saving.
        """
        names = set(tf.io.gfile.listdir(self.directory))
        for name in filter(_TEMPORARY.fullmatch, names):
            tf.io.gfile.remove(os.path.join(self.directory, name))
        for match in filter(None, map(_META.fullmatch, names)):
            if f"model.ckpt-{match[1]}.index" not in names:
                delete_checkpoint(self.prefix(int(match[1])))

    def steps(self) -> list[int]:
        """Steps with a complete checkpoint, ascending; other files are ignored."""
        if not tf.io.gfile.exists(self.directory):
            return []
        matches = map(_NAME.fullmatch, tf.io.gfile.listdir(self.directory))
        return sorted(int(match[1]) for match in matches if match)

    def prefix(self, step: int) -> str:
        return os.path.join(self.directory, f"model.ckpt-{step}")

    def latest(self) -> str | None:
        """Prefix of the newest checkpoint; None if there is none."""
        steps = self.steps()
        return self.prefix(steps[-1]) if steps else None

    def latest_meta(self) -> CheckpointMeta:
        """The meta file of the newest checkpoint; empty if there is none."""
        latest = self.latest()
        return (load_meta(latest) if latest else None) or CheckpointMeta()

    def save(
        self, step: int, arrays: Mapping[str, tf.Tensor | np.ndarray], meta: CheckpointMeta
    ) -> str:
        """Write `model.ckpt-<step>` with `global_step`, then delete the oldest checkpoints.

        Raises:
            OSError: The disk is full, or the directory cannot be written.
        """
        tf.io.gfile.makedirs(self.directory)
        self.remove_leftovers()
        prefix = self.prefix(step)
        table = {**arrays, GLOBAL_STEP: np.int64(step)}
        meta = dataclasses.replace(meta, step=step, **self._keep_marks())
        write_checkpoint(prefix, table, meta.to_json())
        self.delete_old(newest=step)
        return prefix

    def delete_old(self, *, newest: int) -> None:
        """Delete the checkpoints that a training need not keep, up to the newest step."""
        kept = [step for step in self.steps() if step <= newest]
        older = kept[: -self._keep_max] if self._keep_max else []
        dropped = [step for step in older if not self._should_keep(step)]
        self._write_state([step for step in kept if step not in dropped])
        if len(dropped) > 2:  # More than the oldest one, and one that was the best before.
            names = ", ".join(f"model.ckpt-{step}" for step in dropped)
            logging.warning("deleting %s: --keep_checkpoint_max=%d", names, self._keep_max)
        for step in dropped:
            delete_checkpoint(self.prefix(step))

    def _keep_marks(self) -> dict[str, Any]:
        """Marks in the meta file: whether to keep the checkpoint forever; start of the interval."""
        if not self._keep_max:
            return {"stays": True}
        if self._keep_every_hours is None:
            return {}
        now = self._clock()
        since = self.latest_meta().awaiting_since
        since = now if since is None else since
        stays = now - since >= 3600 * self._keep_every_hours
        return {"stays": stays, "awaiting_since": now if stays else since}

    def _should_keep(self, step: int) -> bool:
        meta = load_meta(self.prefix(step)) or CheckpointMeta()
        best = self.best() or {}
        return bool(meta.stays) or best.get("checkpoint") == f"model.ckpt-{step}"

    def note_best(self, note: Mapping[str, Any], *, newest_scored: int) -> None:
        """Write `best_checkpoint.json` for `find_checkpoint` and for people.

        Nothing is deleted here, since an evaluation calls it, too.

        Args:
            note: Its `checkpoint`, such as `model.ckpt-200`, and its metrics.
            newest_scored: Newest step that the best one was chosen from.
        """
        content = {**note, NEWEST_SCORED: newest_scored}
        write_json(os.path.join(self.directory, _BEST), content)

    def best(self) -> dict[str, Any] | None:
        """Content of `best_checkpoint.json`: `checkpoint` and its metrics; None without the file.

        Raises:
            ValueError: The file is damaged.
        """
        path = os.path.join(self.directory, _BEST)
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path) as file:
            try:
                note = json.loads(file.read())
                return {**note, "checkpoint": str(note["checkpoint"])}
            except (ValueError, KeyError, TypeError):
                raise ValueError(
                    f"{path} is damaged; delete it, or name a checkpoint: "
                    f"--checkpoint={self.directory}/..."
                ) from None

    def _write_state(self, steps: list[int]) -> None:
        # Names without the directory, so that it can be moved.
        lines = [f'model_checkpoint_path: "model.ckpt-{steps[-1]}"']
        lines += [f'all_model_checkpoint_paths: "model.ckpt-{step}"' for step in steps]
        write_text(os.path.join(self.directory, "checkpoint"), "\n".join(lines) + "\n")


def find_checkpoint(path: str) -> str:
    """Prefix of a checkpoint; a directory stands for its best one, or else its newest.

    Raises:
        FileNotFoundError: The directory has no `model.ckpt-N`, or its best one is missing.
    """
    if not tf.io.gfile.isdir(path):
        return path
    names = tf.io.gfile.listdir(path)
    manager = CheckpointManager(path)
    if best := manager.best():
        _warn_of_unscored(path, best, manager.steps())
        return _best_prefix(path, best["checkpoint"], names)
    if latest := manager.latest():
        return latest
    others = [name.removesuffix(".index") for name in sorted(names) if name.endswith(".index")]
    hint = "".join(f"; is it --checkpoint={os.path.join(path, name)}?" for name in others)
    raise FileNotFoundError(f"{path} holds no checkpoint model.ckpt-N{hint}")


def _warn_of_unscored(directory: str, best: Mapping[str, Any], steps: Sequence[int]) -> None:
    unscored = [step for step in steps if step > best.get(NEWEST_SCORED, math.inf)]
    if unscored:
        logging.warning(
            "%s: %s is the best of the checkpoints up to step %d; %d newer ones, up to step %d, "
            "were never evaluated. Evaluate them (--do_eval=True), or name one of them",
            directory,
            best["checkpoint"],
            best[NEWEST_SCORED],
            len(unscored),
            unscored[-1],
        )


def _best_prefix(directory: str, name: str, names: Sequence[str]) -> str:
    if f"{name}.index" not in names:
        raise FileNotFoundError(
            f"{os.path.join(directory, _BEST)} names {name}, which does not exist any more; "
            f"evaluate again (run_classifier.py --do_eval=True) or name another checkpoint: "
            f"--checkpoint={directory}/model.ckpt-N"
        )
    return os.path.join(directory, name)
