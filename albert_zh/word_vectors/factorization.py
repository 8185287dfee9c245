"""Word vectors from which linear maps predict the words nearby.

M_o(w, c) = log P(w | c at offset o) / P(w) tells how much likelier w is where c stands o places
away: o = -1 for the word before. Vectors u and maps T_o are sought with

    M_o(w, c) = u_c T_o u_w   for all offsets o,

so that the scores of a word, added up over its neighbours, are those of naive Bayes. The offsets
are kept apart as in the structured skip-gram (Ling et al. 2015); that a word's vector factorizes
such logarithms is the view of Levy and Goldberg (2014). The error at (w, c) is weighted by
P(w) P(c): with weights of rank one, the best approximation of a rank is still a singular value
decomposition (Srebro and Jaakkola 2003, section 2).
"""

from collections.abc import Callable, Mapping

import numpy as np

# Of the randomized decomposition.
_OVERSAMPLING, _ITERATIONS = 20, 2
_ROWS = 512  # computed at once


def association(counts: np.ndarray) -> np.ndarray:
    """Logarithm of how much more often than by chance two entries meet, in the place of the counts.

    log((count + 1) / (expected + 1)): one more meeting on both sides keeps rare pairs near 0.

    Args:
        counts: `[N, N] float32`, row of the first token, column of the second; overwritten.

    Returns:
        The same array.
    """
    first, second = counts.sum(axis=1, dtype=np.float64), counts.sum(axis=0, dtype=np.float64)
    second /= max(second.sum(), 1.0)
    for begin in range(0, len(counts), _ROWS):
        rows = counts[begin : begin + _ROWS]
        expected = np.outer(first[begin : begin + _ROWS], second).astype(np.float32)
        np.subtract(np.log1p(rows), np.log1p(expected), out=rows)
    return counts


def vectors_and_maps(
    associations: Mapping[int, np.ndarray], frequencies: np.ndarray, size: int, *, seed: int = 0
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Vectors of the entries, and the maps from a neighbour's vector to scores.

    The vectors are U S^0.5 of the weighted decomposition of all offsets side by side; the maps are
    the least squares from a word's vector to its vectors as a neighbour, V_o S^0.5.

    Args:
        associations: Distance -> `association` of it, `[N, N]`; overwritten.
        frequencies: Of the entries, `[N]`, with sum 1.
        size: Components of a vector, at most N.
        seed: Of the random subspace at the start.

    Returns:
        `[N, size]`, and offset -> `[size, size]`, both float32.
    """
    weights = np.sqrt(frequencies).astype(np.float32)
    for matrix in associations.values():
        matrix *= weights[:, None]
        matrix *= weights[None, :]
    # Row of the word, column of its neighbour: the word is the second of the two at negative ones.
    blocks = {}
    for distance, matrix in associations.items():
        blocks |= {-distance: matrix.T, distance: matrix}
    left, values, right = _decompose(blocks, size, seed)
    # An entry without any neighbour has no weight, and a vector of zeros.
    inverse = np.divide(1, weights, out=np.zeros_like(weights), where=weights > 0)[:, None]
    vectors = left * np.sqrt(values) * inverse
    solve = np.linalg.pinv((vectors * weights[:, None]).astype(np.float64))
    maps = {
        offset: (solve @ (block * np.sqrt(values))).astype(np.float32)
        for offset, block in right.items()
    }
    return vectors.astype(np.float32), maps


def _decompose(
    blocks: Mapping[int, np.ndarray], rank: int, seed: int
) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """Truncated singular value decomposition of matrices side by side.

    Randomized subspace iteration (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1).

    Returns:
        Left vectors `[N, rank]`, singular values `[rank]`, right vectors of each block.
    """
    size = len(next(iter(blocks.values())))
    random = np.random.default_rng(seed)
    width = min(rank + _OVERSAMPLING, size)

    def image_of(sources: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return sum(block @ sources(block) for block in blocks.values())

    image = image_of(lambda _: random.standard_normal((size, width), dtype=np.float32))
    for _ in range(_ITERATIONS):
        basis, _ = np.linalg.qr(image)
        image = image_of(lambda block, basis=basis: block.T @ basis)
    basis, _ = np.linalg.qr(image)
    small = {offset: block.T @ basis for offset, block in blocks.items()}
    # The side by side matrix is basis @ small^T; its Gram matrix is only as wide as the basis.
    gram = sum(block.T.astype(np.float64) @ block for block in small.values())
    squares, rotation = np.linalg.eigh(gram)
    values = np.sqrt(np.maximum(squares[::-1][:rank], 1e-12))
    rotation = rotation[:, ::-1][:, :rank]
    return (
        basis @ rotation,
        values,
        {offset: block @ rotation / values for offset, block in small.items()},
    )


def nearest(vectors: np.ndarray, row: int, number: int) -> np.ndarray:
    """Rows with the largest cosine to one of them, without that one."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    order = np.argsort(-(unit @ unit[row]), kind="stable")
    return order[order != row][:number]
