"""Directions of the hidden layer for the parts of the input of a warm start."""

import dataclasses
import math

import numpy as np

from albert_zh.word_vectors.layout import Layout


@dataclasses.dataclass(frozen=True)
class Space:
    """Orthonormal directions: `[P, D]` of positions, `[1, D]` of segments, `[W, D]` of words.

    And `[F, D]`, which no part of the input uses.
    """

    layout: Layout
    positions: np.ndarray
    segments: np.ndarray
    words: np.ndarray
    free: np.ndarray
    frequencies: np.ndarray  # of the features of a position, `[P / 2]`

    @classmethod
    def of(cls, layout: Layout, rng: np.random.Generator) -> "Space":
        """Random directions; those of the components where hidden states are the embeddings."""
        frame = np.eye(layout.config.hidden_size)
        if layout.projects_words_first or layout.config.embedding_size < len(frame):
            frame, _ = np.linalg.qr(rng.standard_normal(frame.shape))
        width, place = layout.position_width, layout.place_width
        # Spread over (0, pi): the features of any two positions differ much.
        number = width // 2
        frequencies = math.pi * (np.arange(number) + rng.uniform(0.2, 1.0, number)) / number
        ends = [width, place, place + layout.word_width]
        return cls(layout, *np.split(frame, ends), frequencies)

    def input(self) -> np.ndarray:
        """Directions of all parts of the input, in the order of the layout, `[P + 1 + W, D]`."""
        return np.concatenate([self.positions, self.segments, self.words])

    def features(self) -> np.ndarray:
        """Sine and cosine of every position for each frequency, `[positions, P]`, of norm 1."""
        angles = np.arange(self.layout.config.max_position_embeddings)[:, None] * self.frequencies
        both = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        return both.reshape(len(angles), -1) / math.sqrt(len(self.frequencies))

    def shift(self, offset: int) -> np.ndarray:
        """The matrix `[P, P]` that makes the features of position i those of i + offset."""
        matrix = np.zeros((self.layout.position_width,) * 2)
        for place, angle in enumerate(self.frequencies * offset):
            pair = slice(2 * place, 2 * place + 2)
            sine, cosine = math.sin(angle), math.cos(angle)
            matrix[pair, pair] = [[cosine, -sine], [sine, cosine]]
        return matrix
