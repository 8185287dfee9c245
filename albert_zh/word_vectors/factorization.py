"""Word vectors as a low-rank factorization of pointwise mutual information.

PPMI(w, c) = max(0, log P(w, c) / (P(w) P(c)^0.75)) tells how much more often two entries meet than
by chance; of rare contexts it is too large, which the power of 0.75 mends (Levy, Goldberg, Dagan
2015, section 3.1). The vectors are U S^0.5 of its truncated singular value decomposition
(section 3.3 there).
"""

import numpy as np

_CONTEXT_POWER = 0.75
# Of the randomized decomposition.
_OVERSAMPLING, _ITERATIONS = 40, 4


def positive_mutual_information(counts: np.ndarray) -> np.ndarray:
    """PPMI of co-occurrence counts, computed in their place to save memory.

    Args:
        counts: `[N, N] float32`, rows of words, columns of contexts; overwritten.

    Returns:
        The same array.
    """
    has_met = counts > 0
    words = counts.sum(axis=1, dtype=np.float64)
    total = words.sum()
    contexts = words**_CONTEXT_POWER
    contexts /= contexts.sum()
    # Entries that meet none have a row and a column of zeros, which no probability is needed for.
    log_words = np.log(np.maximum(words / total, 1e-300)).astype(np.float32)
    log_contexts = np.log(np.maximum(contexts, 1e-300)).astype(np.float32)
    counts /= np.float32(total)
    np.log(counts, out=counts, where=has_met)
    counts -= log_words[:, None]
    counts -= log_contexts[None, :]
    counts *= has_met
    return np.maximum(counts, 0, out=counts)


def low_rank_vectors(matrix: np.ndarray, rank: int, *, seed: int = 0) -> np.ndarray:
    """Rows of U S^0.5 of the truncated singular value decomposition.

    Randomized subspace iteration (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1).

    Args:
        matrix: `[N, N]`.
        rank: Columns of the result, at most N.
        seed: Of the random subspace at the start.

    Returns:
        `[N, rank] float32`.
    """
    size = len(matrix)
    width = min(rank + _OVERSAMPLING, size)
    random = np.random.default_rng(seed)
    image = matrix @ random.standard_normal((size, width), dtype=np.float32)
    for _ in range(_ITERATIONS):
        basis, _ = np.linalg.qr(image)
        image = matrix @ (matrix.T @ basis)
    basis, _ = np.linalg.qr(image)
    left, values, _ = np.linalg.svd(basis.T @ matrix, full_matrices=False)
    return (basis @ left)[:, :rank] * np.sqrt(values[:rank])


def nearest(vectors: np.ndarray, row: int, number: int) -> np.ndarray:
    """Rows with the largest cosine to one of them, without that one."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    order = np.argsort(-(unit @ unit[row]), kind="stable")
    return order[order != row][:number]
