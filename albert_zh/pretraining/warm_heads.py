"""Heads of the attention that look at neighbours, and at like words of the other segment.

A head's query and key have one component for each direction of the hidden layer that they compare;
so the score of a token for another is the product of their components, times a gain.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from albert_zh.model.attention import SelfAttention
from albert_zh.word_vectors.space import Space

# Trials found them to work; training changes them at will.
_NEIGHBOUR_HEADS = 1 / 2  # share of the heads that look at one offset each
_MATCHING_HEADS = 1 / 3  # share of those that look for like words
# Scores before the softmax:
_NEIGHBOUR = 16.0  # of the position that a head looks at
_SAME_WORD = 8.0
_OTHER_SEGMENT = 5.0  # added in the other segment, and taken away in the own one


@dataclasses.dataclass(frozen=True)
class Proportions:
    """Norms of the parts of the input beside the word's."""

    position: float
    segment: float

    def share(self, part: float) -> float:
        """Square of a part of the input after layer normalisation, over the hidden size."""
        return part**2 / (1 + self.position**2 + self.segment**2)


class WarmHeads:
    """The weights of the heads, the same for all attention layers."""

    def __init__(
        self,
        space: Space,
        maps: Mapping[int, np.ndarray],
        strengths: np.ndarray,
        proportions: Proportions,
    ):
        """
        Args:
            space: Directions of the hidden layer.
            maps: Offset of a neighbour -> `[W, W]`, see `word_vectors.factorization`.
            strengths: Mean squares of the components of words, `[W]`, of sum 1.
            proportions: Of the input.
        """
        self._space, self._strengths, self._proportions = space, strengths, proportions
        self._offsets = sorted(maps, key=lambda offset: (abs(offset), offset))
        self._parts = {each: np.linalg.svd(maps[each].astype(np.float64)) for each in maps}

    def set(self, attention: SelfAttention) -> None:
        """Overwrite some heads of a layer; the others stay."""
        layers = attention.query, attention.key, attention.value, attention.output
        kernels = [np.array(layer.kernel) for layer in layers]
        size, number = self._space.layout.head_size, self._space.layout.config.num_attention_heads
        neighbours, matches = int(_NEIGHBOUR_HEADS * number), int(_MATCHING_HEADS * number)
        # Copies of matches need directions of their own.
        matches = min(matches, len(self._space.free) // (size - 1))
        for head in range(neighbours + matches):
            own = slice(head * size, (head + 1) * size)
            query, key, value = (kernel[:, own] for kernel in kernels[:3])
            views = query, key, value, kernels[3][own]
            if head < neighbours:
                self._look_at_neighbour(head, *views)
            else:
                self._look_for_matches(head - neighbours, matches, *views)
        for layer, kernel in zip(layers, kernels, strict=True):
            layer.kernel.assign(kernel)

    def _gain(self, score: float, share: float) -> float:
        """Factor of query and key that gives parts with this share of the input this score."""
        layout = self._space.layout
        return math.sqrt(score * math.sqrt(layout.head_size) / (share * layout.config.hidden_size))

    def _look_at_neighbour(
        self, head: int, query: np.ndarray, key: np.ndarray, value: np.ndarray, output: np.ndarray
    ) -> None:
        space, size = self._space, self._space.layout.head_size
        # The first head of an offset has the largest part of its map, the next one the rest.
        turn, place = divmod(head, len(self._offsets))
        part = slice(turn * size, (turn + 1) * size)
        left, strengths, right = self._parts[self._offsets[place]]
        roots = np.sqrt(strengths[part])
        if not len(roots):
            return
        gain = self._gain(_NEIGHBOUR, self._proportions.share(self._proportions.position))
        width = space.layout.position_width
        query[:] = key[:] = 0.0
        query[:, :width] = gain * space.positions.T @ space.shift(self._offsets[place])
        key[:, :width] = gain * space.positions.T
        value[:, : len(roots)] = space.words.T @ (left[:, part] * roots)
        output[: len(roots)] = (roots[:, None] * right[part]) @ space.words

    def _look_for_matches(
        self,
        number: int,
        matches: int,
        query: np.ndarray,
        key: np.ndarray,
        value: np.ndarray,
        output: np.ndarray,
    ) -> None:
        space, width = self._space, self._space.layout.head_size - 1
        # Of the components, sorted by strength, each head has some of the strong ones.
        own = slice(number, matches * width, matches)
        words = space.words[own]
        share = self._proportions.share(1.0) * self._strengths[own].sum()
        query[:] = key[:] = 0.0
        words_gain = self._gain(_SAME_WORD, share)
        query[:, : len(words)] = key[:, : len(words)] = words_gain * words.T
        segment_share = self._proportions.share(self._proportions.segment)
        segment_gain = self._gain(_OTHER_SEGMENT, segment_share)
        query[:, width:] = segment_gain * space.segments.T
        key[:, width:] = -segment_gain * space.segments.T
        value[:, : len(words)] = words.T
        output[: len(words)] = space.free[number * width :][: len(words)]
