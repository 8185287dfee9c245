"""The average of the weights of several checkpoints.

The checkpoints are of one training (Izmailov et al. 2018, https://arxiv.org/abs/1803.05407), or of
trainings that began with the same weights (Wortsman et al. 2022, https://arxiv.org/abs/2203.05482).
"""

import os

import numpy as np

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.checkpoint.loading import load_meta, read_step
from albert_zh.checkpoint.meta import GONE, INITIAL_WEIGHTS, RANDOM, CheckpointMeta
from albert_zh.checkpoint.model_folders import SCORES, write_model_folder
from albert_zh.checkpoint.names import is_weight
from albert_zh.checkpoint.options import AverageOptions
from albert_zh.checkpoint.several import find_several
from albert_zh.util.new_directory import check_is_new


def average_checkpoints(options: AverageOptions) -> list[str]:
    """Write the folder of the averaged model; return the lines to print.

    Raises:
        ValueError, OSError: The checkpoints do not fit together; then nothing was written.
    """
    directory = options.output_dir
    check_is_new(directory)
    prefixes = find_several(options.checkpoints, flag="checkpoints")
    metas = [load_meta(prefix) or CheckpointMeta() for prefix in prefixes]
    shapes = [
        {name: shape for name, shape in read_shapes(prefix).items() if is_weight(name)}
        for prefix in prefixes
    ]
    for number in range(1, len(prefixes)):
        if problem := _difference(shapes[0], shapes[number], metas[0], metas[number]):
            raise ValueError(f"{prefixes[0]} and {prefixes[number]} have no average: {problem}")
    written = write_model_folder(
        directory,
        average_arrays(prefixes, list(shapes[0])),
        metas[0],
        step=max(read_step(prefix) or 0 for prefix in prefixes),
        source=os.path.dirname(prefixes[0]),
        converted={"average": prefixes},
        leave_out=SCORES,
    )
    return [f"wrote {written}, the average of", *(f"  {prefix}" for prefix in prefixes)]


def average_arrays(prefixes: list[str], names: list[str]) -> dict[str, np.ndarray]:
    """Means of arrays, one checkpoint in memory at a time."""
    sums: dict[str, np.ndarray] = {}
    for prefix in prefixes:
        for name, array in read_arrays(prefix, names).items():
            sums[name] = sums.get(name, 0) + array.astype(np.float64)
    return {name: (total / len(prefixes)).astype(np.float32) for name, total in sums.items()}


def _difference(
    shapes: dict, others: dict, meta: CheckpointMeta, other: CheckpointMeta
) -> str | None:
    """The reason why two checkpoints have no average; None if they have."""
    for name in sorted({*shapes, *others}):
        if shapes.get(name) != others.get(name):
            first, second = shapes.get(name, "missing"), others.get(name, "missing")
            return f"{name} is {first} in the first, {second} in the second"
    for key in ("config", "vocabulary", "task"):
        values = getattr(meta, key), getattr(other, key)
        if None not in values and values[0] != values[1]:
            return f"they differ in {key}"
    if not _have_common_ground(meta.training, other.training):
        return (
            "they began with different weights, so that the means of their weights mean nothing; "
            "average their outputs instead (run_classifier.py --ensemble)"
        )
    return None


def _have_common_ground(first: dict, second: dict) -> bool:
    """False if two trainings are known to have begun with different weights."""
    began = [training.get(INITIAL_WEIGHTS) for training in (first, second)]
    if began == [RANDOM, RANDOM]:
        return first.get("random_seed") == second.get("random_seed")
    return bool({None, GONE} & {*began}) or began[0] == began[1]
