"""Batches of any size for exports that take batches of one size alone."""

import numpy as np

from albert_zh.inference.predictor import INPUTS, Arrays, Runner

_OF_TOKENS = ("sequence_output", "start_logits", "end_logits", "tag_logits")


def any_size(run: Runner, shape: tuple[int, int] | None) -> Runner:
    """A runner for batches of any size, of one for a single size; the same where there is none.

    Args:
        run: Computes batches of the shape.
        shape: Texts of a batch, and tokens of each; None: any.
    """
    if shape is None:
        return run

    def compute(batch: Arrays) -> Arrays:
        count, tokens = batch[INPUTS[0]].shape
        parts = [run(each) for each in filled_batches(batch, shape)]
        outputs = {
            name: np.concatenate([each[name] for each in parts])[:count] for name in parts[0]
        }
        return {
            name: value[:, :tokens] if name in _OF_TOKENS else value
            for name, value in outputs.items()
        }

    return compute


def filled_batches(batch: Arrays, shape: tuple[int, int]) -> list[Arrays]:
    """Batches of a shape with the rows of another batch; the last row fills what is left."""
    size, length = shape
    count, tokens = batch[INPUTS[0]].shape
    rows = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    padded = {name: np.pad(batch[name], [(0, 0), (0, length - tokens)]) for name in INPUTS}
    return [{name: value[each] for name, value in padded.items()} for each in rows]
