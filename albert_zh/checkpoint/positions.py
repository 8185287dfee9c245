"""Position vectors beyond the lengths that a model was trained on.

A warm start (`word_vectors`) makes the rows of the position table sums of sines. Training at 128
tokens changes the first 128 rows together, nearly by one linear map, and leaves the others behind.
The same map gives the rows that training at greater lengths would have begun with.
"""

import numpy as np

TRAINED_POSITIONS_HELP = (
    "Positions that --init_checkpoint was trained on, such as 128 of 512, if it began as a warm "
    "start. Those after them are made to continue them. Default: they stay as they are."
)
_NEGLIGIBLE = 0.01  # of the largest singular value, and of the norm of rows


def continue_positions(table: np.ndarray, num_trained: int, *, source: str) -> np.ndarray:
    """Replace the rows that were not trained by rows that continue the trained ones.

    The sines are found in the rows that were not trained: weight decay shrinks them, but keeps
    their frequencies. The trained rows are regressed on sines and cosines of these frequencies and
    a constant, which is then evaluated at the other positions. A regression is flatter than what it
    fits, so its sines are enlarged to the norm of the trained rows. The first and last sixteenth of
    the trained rows, next to [CLS] and the last [SEP], are left out.

    Args:
        table: `[positions, width]`, of a model that began as a warm start.
        num_trained: Rows that training reached; they stay as they are.
        source: Name for messages.

    Raises:
        ValueError: Too few rows were trained, or all, or the others are no sums of sines.
    """
    if num_trained >= len(table):
        raise ValueError(
            f"{source}: the position table has {len(table)} rows, so that none is left after "
            f"{num_trained} trained ones"
        )
    start = table[num_trained:].astype(np.float64)
    frequencies = _frequencies(start)
    sines = _sines(frequencies, len(table))
    if not len(frequencies) or _misfit(sines[num_trained:], start) > _NEGLIGIBLE:
        raise ValueError(
            f"{source}: the {len(start)} rows of the position table after row {num_trained} are no "
            "sums of sines, as a warm start makes them; train the model at greater lengths instead"
        )
    margin = num_trained // 16
    fitted = slice(margin, num_trained - margin)
    if fitted.stop - fitted.start < 2 * sines.shape[1]:
        raise ValueError(
            f"{source}: {num_trained} trained rows of the position table are too few to continue "
            f"{len(frequencies)} frequencies; train the model at greater lengths instead"
        )
    trained = table[fitted].astype(np.float64)
    continued = sines @ _regression(sines[fitted], trained)
    mean = trained.mean(axis=0)
    scale = np.linalg.norm(trained - mean) / np.linalg.norm(continued[fitted] - mean)
    continued = mean + scale * (continued - mean)
    return np.concatenate([table[:num_trained], continued[num_trained:].astype(table.dtype)])


def _frequencies(rows: np.ndarray) -> np.ndarray:
    """Radians per row of the sines whose sums the rows are; none if they are something else.

    One matrix leads from the components of a row to those of the next. Its eigenvalues lie on the
    unit circle, at the frequencies.
    """
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    components = left[:, sizes > _NEGLIGIBLE * sizes.max(initial=0)]
    if len(components) < 2 * components.shape[1]:
        return np.empty(0)
    angles = np.angle(np.linalg.eigvals(_regression(components[:-1], components[1:])))
    return np.sort(angles[angles > 0])


def _sines(frequencies: np.ndarray, number: int) -> np.ndarray:
    """Sine and cosine of each frequency, and a constant, `[number, 2F + 1]`."""
    angles = np.arange(number)[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles), np.ones((number, 1))], axis=1)


def _misfit(sines: np.ndarray, rows: np.ndarray) -> float:
    """Share of the rows' norm that no sum of the sines explains."""
    residual = rows - sines @ _regression(sines, rows)
    return float(np.linalg.norm(residual) / np.linalg.norm(rows))


def _regression(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(inputs, outputs, rcond=None)[0]
