"""Vectors of texts, and the search for the closest ones."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from albert_zh.inference.predictor import Runner, run_batches
from albert_zh.tasks.batches import bucket_lengths
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

if TYPE_CHECKING:
    from albert_zh.inference.predictors import OpenModel

VECTORS = "vectors"  # the output of the runner
MEAN, POOLED, FIRST_LAST, LAYER = POOLINGS = ("mean", "pooled", "first_last", "layer")


class Neighbour(NamedTuple):
    """A text whose vector is close to another."""

    place: int  # in the list of vectors
    cosine: float


@dataclasses.dataclass(frozen=True)
class SentenceEncoder:
    """Vectors of texts, `[N, D] float32`.

    ```
    encoder = albert_zh.load("models/albert_tiny", use="encoder")
    vectors = encoder.encode(["我的手机丢了", "今天很冷"])
    nearest(encoder.encode(["手机不见了"]), vectors, top_k=1)[0]    [Neighbour(place=0, cosine=...)]
    ```
    Poolings:

    ```
    mean        of all tokens of the last layer (by default)
    pooled      the pooler's output for [CLS]; of models whose training used it
    first_last  mean of all tokens of the first and of the last layer
    layer       mean of all tokens of one layer, from 1
    ```
    """

    run: Runner  # inputs of a batch -> `vectors`
    tokenizer: Tokenizer
    max_seq_length: int  # tokens of a text at most; longer ones are cut
    runtime: str

    @classmethod
    def of(
        cls, model: "OpenModel", *, pooling: str | None = None, layer: int | None = None
    ) -> "SentenceEncoder":
        """The encoder of a model.

        Raises:
            ValueError: The pooling is unknown, or the model cannot do it.
        """
        pooling = pooling or (MEAN if layer is None else LAYER)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling={pooling!r} is unknown; known are {', '.join(POOLINGS)}")
        if (pooling == LAYER) != (layer is not None):
            raise ValueError("pooling='layer' takes the number of a layer, the others take none")
        return cls(
            run=model.vector_runner(pooling, layer),
            tokenizer=model.tokenizer,
            max_seq_length=model.longest,
            runtime=model.runtime,
        )

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_size: int = 64,
        normalize: bool = False,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Vectors `[N, D] float32` of texts, in their order.

        Args:
            texts: The texts.
            batch_size: Texts of the greatest length computed at a time; of shorter ones, more.
            normalize: Divide each vector by its length.
            progress: Told about every text done.

        Raises:
            ValueError: `texts` is no list of texts.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"encode takes a list of texts, not {texts!r}"[:200])
        # A batch without rows: the runner tells how many numbers a vector has.
        rows = [(text,) for text in texts] or [("",)]
        features = featurize_texts(
            rows, targets={}, tokenizer=self.tokenizer, max_seq_length=self.max_seq_length
        )
        vectors = run_batches(
            self.run,
            features,
            batch_size=batch_size,
            buckets=bucket_lengths(self.max_seq_length),
            progress=progress,
        )[VECTORS][: len(texts)]
        return normalized(vectors) if normalize else vectors


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Vectors `[N, D]` of length 1; a vector of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)


def nearest(queries: np.ndarray, vectors: np.ndarray, *, top_k: int = 10) -> list[list[Neighbour]]:
    """For each query, the vectors with the largest cosines, the closest first.

    >>> nearest(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0], [3.0, 0.0]]), top_k=1)
    [[Neighbour(place=1, cosine=1.0)]]

    Args:
        queries: `[Q, D]`.
        vectors: `[N, D]`.
        top_k: Neighbours of a query at most.
    """
    unit = normalized(vectors).T
    found = []
    for query in normalized(queries):
        cosines = query @ unit
        order = np.argsort(-cosines, kind="stable")[:top_k]
        found.append([Neighbour(int(place), float(cosines[place])) for place in order])
    return found
