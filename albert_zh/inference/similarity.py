"""Similarity of two texts: how likely they mean the same, says a classifier of pairs."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from albert_zh.inference.predictor import Predictor


class Match(NamedTuple):
    """One of several texts that were compared with another."""

    place: int  # in the list of texts
    text: str
    probability: float  # that the two mean the same


@dataclasses.dataclass(frozen=True)
class Similarity:
    """Probabilities that texts mean the same.

    ```
    similarity = albert_zh.load("lcqmc_output", use="similarity")
    similarity.probabilities([("我的手机丢了", "手机不见了怎么办")])     array([0.97])
    similarity.rank("手机丢了", ["手机不见了", "今天很冷"])[0].text       "手机不见了"
    ```
    """

    classifier: Predictor
    positive: int = 1  # place of the label that says that they do
    threshold: float = 0.5  # from which probability on two texts count as the same

    @classmethod
    def of(cls, classifier: Predictor) -> "Similarity":
        """The similarity that a classifier of pairs knows; its second label says that they match.

        Raises:
            ValueError: It has another kind of task, single texts, or more than two labels.
        """
        kind, labels = classifier.kind.name, classifier.labels
        if kind != "classification" or classifier.num_texts == 1 or len(labels) != 2:
            raise ValueError(
                "similarity takes a classifier of pairs of texts with two labels, such as one of "
                f"lcqmc; this model is for {kind} with {len(labels)} labels"
                + (" of single texts" if classifier.num_texts == 1 else "")
            )
        return cls(classifier)

    @property
    def runtime(self) -> str:
        return self.classifier.runtime

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """`[N] float32`, for each pair the probability that its texts mean the same.

        Raises:
            ValueError: One of them is no pair of texts.
        """
        predictions = self.classifier.predict(pairs)
        return np.array([each.probabilities[self.positive] for each in predictions], np.float32)

    def are_similar(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """`[N] bool`, for each pair whether its probability reaches the threshold."""
        return self.probabilities(pairs) >= self.threshold

    def rank(self, text: str, others: Sequence[str], *, top_k: int | None = None) -> list[Match]:
        """Texts in the order of how likely they mean the same as `text`, the likeliest first.

        Args:
            text: The text to compare with.
            others: The texts to rank.
            top_k: So many at most; None: all.
        """
        found = self.probabilities([(text, other) for other in others])
        order = np.argsort(-found, kind="stable")[:top_k]
        return [Match(int(place), others[place], float(found[place])) for place in order]

    def with_threshold_of(
        self, pairs: Sequence[tuple[str, str]], are_similar: Sequence[bool]
    ) -> "Similarity":
        """The same with the threshold that is right for the most of some pairs.

        It lies halfway between two probabilities; of several best ones, it is the closest to 0.5.

        Args:
            pairs: Of a development set; neither trained on nor tested on.
            are_similar: For each of them, whether its texts mean the same.

        Raises:
            ValueError: There are no pairs, or not as many answers.
        """
        if len(pairs) != len(are_similar) or not len(pairs):
            raise ValueError(
                f"a threshold takes pairs with an answer each, not {len(pairs)} pairs and "
                f"{len(are_similar)} answers"
            )
        return dataclasses.replace(
            self, threshold=best_threshold(self.probabilities(pairs), are_similar)
        )


def best_threshold(probabilities: Sequence[float], are_similar: Sequence[bool]) -> float:
    """The threshold with the highest accuracy.

    >>> best_threshold([0.1, 0.6, 0.8, 0.9], [False, False, True, True])
    0.7
    """
    order = np.argsort(probabilities, kind="stable")
    values = np.asarray(probabilities, np.float64)[order]
    right = np.asarray(are_similar, bool)[order]
    # Of a threshold below value k: the different ones before it and the similar ones from it on.
    hits = np.append(0, np.cumsum(~right)) + np.append(np.cumsum(right[::-1])[::-1], 0)
    middles = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    is_place = np.concatenate([[True], values[1:] > values[:-1], [True]])  # between two values
    best = np.flatnonzero(is_place & (hits == hits[is_place].max()))
    chosen = best[np.argmin(np.abs(middles[best] - 0.5))]
    return round(float(middles[chosen]), 6)
