"""Comparison of an exported file with the model it was made from, on varied inputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from albert_zh.config import ModelConfig
from albert_zh.export.formats.table import TOLERANCE
from albert_zh.export.source import Source, inputs_of
from albert_zh.inference.predictor import INPUTS, POSITIONS, Arrays, Runner

_SHAPES = ((1, 2), (1, 16), (3, 24), (8, 64), (2, 512))  # examples, tokens


def varied_batches(
    config: ModelConfig, inputs: Mapping[str, int] | None = None, longest: int | None = None
) -> list[Arrays]:
    """Batches of several sizes and lengths, with rows of several lengths in each.

    ```
    input_ids    17 4 88 23 | 9 61  0  0
    input_mask    1 1  1  1 | 1  1  0  0
    segment_ids   0 0  0  1 | 0  1  0  0
    ```

    Args:
        config: Of the model that takes them.
        inputs: Number of their axes, where they are more than rows of tokens.
        longest: Most tokens of a row; None: as many as there are positions.
    """
    random = np.random.default_rng(0)
    longest = longest or config.max_position_embeddings
    batches = [_batch(random, config, rows, min(length, longest)) for rows, length in _SHAPES]
    for batch in batches:
        for name, axes in (inputs or {}).items():
            if name == POSITIONS:
                batch[name] = _positions(random, *batch["input_ids"].shape)
            elif axes == 3:  # A choice each.
                batch[name] = np.stack([batch[name], batch[name][::-1]], axis=1)
    return batches


def reference_outputs(source: Source) -> tuple[list[Arrays], list[Arrays]]:
    """Varied inputs of a model, and the outputs of its checkpoint for them.

    Raises:
        ValueError: The outputs are not finite.
    """
    functions = source.functions(source.model)
    longest = functions[0].shape and functions[0].shape[1]
    batches = varied_batches(source.config, inputs_of(functions), longest)
    expected = [source.outputs(batch) for batch in batches]
    require_finite(source.prefix, expected)
    return batches, expected


def _positions(random: np.random.Generator, rows: int, length: int) -> np.ndarray:
    return random.integers(0, length, [rows, min(length, 3)], np.int32)


def _batch(random: np.random.Generator, config: ModelConfig, rows: int, length: int) -> Arrays:
    lengths = random.integers(1, length + 1, [rows, 1])
    lengths[0] = length  # one row without padding
    positions = np.arange(length)
    mask = positions < lengths
    second = mask & (positions >= random.integers(0, lengths + 1))
    ids = random.integers(0, config.vocab_size, [rows, length]) * mask
    segments = np.minimum(second, config.type_vocab_size - 1)
    return {
        name: value.astype(np.int32)
        for name, value in zip(INPUTS, (ids, mask, segments), strict=True)
    }


def largest_difference(expected: np.ndarray, actual: np.ndarray) -> float:
    """The largest difference of two arrays, relative to the larger of 1 and the largest value.

    Another shape, or a value that is no number, differs infinitely.

    >>> largest_difference(np.array([4.0, -8.0]), np.array([4.0, -7.0]))
    0.125
    >>> largest_difference(np.array([1.0]), np.array([np.nan]))
    inf
    """
    if expected.shape != actual.shape or not np.isfinite(actual).all():
        return float("inf")
    return float(np.abs(actual - expected).max() / max(1.0, np.abs(expected).max()))


def largest_differences(
    batches: Sequence[Arrays], expected: Sequence[Arrays], run: Runner
) -> dict[str, float]:
    """Per output, the largest difference over all batches.

    Args:
        batches: Inputs.
        expected: The outputs each batch must give, by name.
        run: What is to be checked.
    """
    pairs = [(wanted, run(batch)) for batch, wanted in zip(batches, expected, strict=True)]
    return {
        name: max(largest_difference(wanted[name], actual[name]) for wanted, actual in pairs)
        for name in expected[0]
    }


def require_equal(
    what: str, differences: Mapping[str, float], tolerance: float = TOLERANCE
) -> None:
    """Raise ValueError where a difference is more than rounding."""
    wrong = {name: value for name, value in differences.items() if value > tolerance}
    if wrong:
        listed = ", ".join(f"{name} by {value:.2g}" for name, value in wrong.items())
        raise ValueError(
            f"{what} gives other results than the checkpoint: {listed} (rounding stays below "
            f"{tolerance:g}); nothing was exported. Try another TensorFlow version, or leave this "
            "format out of --formats"
        )


def require_finite(prefix: str, outputs: Sequence[Arrays]) -> None:
    """Raise ValueError where the checkpoint itself gives values that are no numbers."""
    if not all(np.isfinite(array).all() for arrays in outputs for array in arrays.values()):
        raise ValueError(
            f"the outputs of {prefix} are not finite: its training diverged; export an earlier "
            "checkpoint, or train again with a smaller --learning_rate"
        )
