"""The noted best checkpoint, if it or its note is gone or the validation set is another one now."""

import dataclasses
import os
from collections.abc import Sequence

from absl import logging

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.paths import BEST
from albert_zh.runs.earlier import move_away
from albert_zh.runs.history import VALIDATION, History
from albert_zh.runs.spec import VALIDATION_DATA, Validation
from albert_zh.util.object_files import remove_if_exists

EARLIER_EVALUATIONS = "earlier_evaluations"  # folder of a run


def warn_of_lost_best(checkpoints: CheckpointManager) -> None:
    """Say that the noted best checkpoint is gone, if it is.

    Raises:
        ValueError: The note is damaged.
    """
    if lost := _lost_best(checkpoints):
        logging.warning(
            "%s: the best checkpoint, %s, does not exist any more, so that a training or an "
            "evaluation notes the best of the others; if you have a copy, use that one by its name",
            checkpoints.directory,
            lost,
        )


def note_best_of_history(
    checkpoints: CheckpointManager, history: History, validation: Validation
) -> None:
    """Note the best checkpoint by the history, if none is noted or the noted one is gone.

    Else nothing would keep it from deletion, also in a training that measures nothing itself: then
    the scores on the validation set of the last evaluation count.
    """
    lost, steps = _lost_best(checkpoints), checkpoints.steps()
    if checkpoints.best() and not lost:
        return
    remove_if_exists(os.path.join(checkpoints.directory, BEST))
    if validation.metrics is None:
        sets = [row[VALIDATION_DATA] for row in history.rows() if VALIDATION_DATA in row]
        validation = dataclasses.replace(validation, data=sets[-1] if sets else None)
    rows = scores_by_step(history, validation)
    scores = {step: rows[step] for step in sorted(rows) if step in steps}
    if not (best := validation.best_of(scores)):
        return
    checkpoints.note_best(best, newest_scored=max(scores))
    if not lost:  # Else `warn_of_lost_best` has said so.
        logging.warning(
            "%s lacks %s; by the history, %s is the best checkpoint, and it is noted again",
            checkpoints.directory,
            BEST,
            best["checkpoint"],
        )


def set_aside_other_best(
    checkpoints: CheckpointManager, validation: Validation, results: Sequence[str] = ()
) -> None:
    """Move away the note of the best checkpoint, if it was the best on another validation set.

    Args:
        checkpoints: Those of the run.
        validation: On the validation set as it is now.
        results: Names of files in the run's directory with scores on the other set, to be moved
            along.
    """
    best = checkpoints.best()
    if best and best.get(VALIDATION_DATA, validation.data) != validation.data:
        place = move_away(checkpoints.directory, [*results, BEST], folder=EARLIER_EVALUATIONS)
        logging.warning(
            "%s was the best on another validation set; the scores on that were moved to %s",
            best["checkpoint"],
            place,
        )


def scores_by_step(history: History, validation: Validation) -> dict[int, dict[str, float]]:
    """Scores on the same validation set that the history has of a training's checkpoints."""
    return {
        row["step"]: {
            key.removeprefix(VALIDATION): value
            for key, value in row.items()
            if key.startswith(VALIDATION) and key != VALIDATION_DATA
        }
        for row in history.rows()
        if f"{VALIDATION}loss" in row and row.get(VALIDATION_DATA) == validation.data
    }


def _lost_best(checkpoints: CheckpointManager) -> str | None:
    """The noted best checkpoint, if it does not exist any more though others do."""
    best, steps = checkpoints.best(), checkpoints.steps()
    is_lost = best and steps and best["checkpoint"] not in map("model.ckpt-{}".format, steps)
    return best["checkpoint"] if is_lost else None
