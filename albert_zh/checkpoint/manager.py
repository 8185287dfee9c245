"""Checkpoints of a run: which to resume, which to keep, which is best."""

import dataclasses
import os
import re
import time
from collections.abc import Callable, Mapping
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
from albert_zh.checkpoint.paths import BEST, NEWEST_SCORED, STATE, read_best, run_steps
from albert_zh.util.object_files import remove_if_exists, write_json, write_text

_FOREIGN_GRAPH = "graph.pbtxt"  # of the published programs, beside their checkpoints
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
            raise ValueError(f"keep_checkpoint_max is {keep_max}; it must be at least 0")
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
        """Steps of complete checkpoints, ascending; other files are ignored."""
        return run_steps(self.directory)

    def prefix(self, step: int) -> str:
        return os.path.join(self.directory, f"model.ckpt-{step}")

    def latest(self) -> str | None:
        """Prefix of the newest checkpoint; None if there is none."""
        steps = self.steps()
        return self.prefix(steps[-1]) if steps else None

    def latest_meta(self) -> CheckpointMeta:
        """Meta data of the newest checkpoint; empty if there is none."""
        latest = self.latest()
        return (load_meta(latest) if latest else None) or CheckpointMeta()

    def save(
        self, step: int, arrays: Mapping[str, tf.Tensor | np.ndarray], meta: CheckpointMeta
    ) -> str:
        """Write `model.ckpt-<step>` with `global_step`, then delete old checkpoints.

        Raises:
            OSError: The disk is full, or the directory is not writable.
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
        steps = [step for step in self.steps() if step <= newest]
        older = steps[: -self._keep_max] if self._keep_max else []
        dropped = [step for step in older if not self._should_keep(step)]
        kept = [step for step in steps if step not in dropped]
        self._write_state(kept)
        if len(dropped) > 2:  # More than the oldest one, and one that was the best before.
            names = ", ".join(f"model.ckpt-{step}" for step in dropped)
            logging.warning("deleting %s: --keep_checkpoint_max=%d", names, self._keep_max)
        foreign = set(filter(self._is_foreign, steps))
        for step in dropped:
            delete_checkpoint(self.prefix(step))
        if foreign and foreign.issubset(dropped):
            remove_if_exists(os.path.join(self.directory, _FOREIGN_GRAPH))

    def _is_foreign(self, step: int) -> bool:
        """True for a checkpoint of another program, which this run resumed."""
        return load_meta(self.prefix(step)) is None

    def _keep_marks(self) -> dict[str, Any]:
        """Meta file entries: whether to keep this checkpoint forever; start of the interval."""
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
        """Write `best_checkpoint.json` for `find_checkpoint` and users.

        Nothing is deleted here, since an evaluation calls it, too.

        Args:
            note: Its `checkpoint`, such as `model.ckpt-200`, and its metrics.
            newest_scored: Newest step that the best one was chosen from.
        """
        content = {**note, NEWEST_SCORED: newest_scored}
        write_json(os.path.join(self.directory, BEST), content)

    def best(self) -> dict[str, Any] | None:
        """Content of `best_checkpoint.json`: `checkpoint` and its metrics; None without the file.

        Raises:
            ValueError: The file is damaged.
        """
        return read_best(self.directory)

    def _write_state(self, steps: list[int]) -> None:
        # Names without the directory, so that it can be moved.
        lines = [f'model_checkpoint_path: "model.ckpt-{steps[-1]}"']
        lines += [f'all_model_checkpoint_paths: "model.ckpt-{step}"' for step in steps]
        write_text(os.path.join(self.directory, STATE), "\n".join(lines) + "\n")
