"""Initial weights that predict a masked token from its neighbours before any training.

```
word table             vectors u_w of the corpus; [MASK] says nothing: 0
position table         sines and cosines of the position
heads of the attention one offset each: the query at i fits the key at i + o
  value, output        the map T_o, so that [MASK] receives the sum of u_c T_o over its neighbours
masked-LM head         the identity; its scores are the products with u_w
  bias                 log frequency of w
```
That is naive Bayes with the words nearby, as far as vectors of this size hold it
(`word_vectors.factorization`). All other weights are random as ever: free heads, feed-forward
network, pooler, sentence order. From random weights, a small model needs thousands of steps to
find out that tokens nearby matter.

Word and position vectors lie in two orthogonal spaces of the hidden layer:

    hidden = word @ F_w + features(position) @ F_p        F_w [W, D], F_p [P, D], orthonormal rows
"""

import dataclasses
import math
import os
from collections.abc import Mapping

import numpy as np

from albert_zh.checkpoint.files import write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.model.attention import SelfAttention
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.runs.companions import write_companions
from albert_zh.word_vectors.corpus import CorpusVectors
from albert_zh.word_vectors.layout import Layout
from albert_zh.word_vectors.options import WarmStartOptions

# Norms and scores that trials found to work; training changes them at will.
_LARGEST_SCORE = 17.0  # of a word whose vector the hidden state equals
_POSITION_NORM = 0.6  # of the position's part of the input, relative to the word's
_SHARPNESS = 16.0  # score of a head for the position that it looks at, before the softmax
_NEIGHBOUR_HEADS = 5 / 6  # share of the heads that look at one offset each


def write_warm_start(
    options: WarmStartOptions, config: ModelConfig, vectors: CorpusVectors
) -> None:
    """Write model.ckpt for --init_checkpoint, with configuration and vocabulary.

    Args:
        options: Directory and seed.
        config: Configuration of the model.
        vectors: Of `Layout(config).word_width` components.

    Raises:
        OSError: The directory cannot be written.
    """
    model = PretrainingModel(config, seed=options.random_seed)
    warm_up(model, vectors, seed=options.random_seed)
    write_companions(
        options.output_dir, config, vectors.vocab, spm_model_file=options.spm_model_file
    )
    prefix = os.path.join(options.output_dir, "model.ckpt")
    meta = CheckpointMeta(config=config, vocabulary=vocabulary_identity(vectors.vocab))
    write_checkpoint(prefix, named_variables(model), meta.to_json())


def warm_up(model: PretrainingModel, vectors: CorpusVectors, *, seed: int) -> None:
    """Give a random model the weights that predict from neighbours.

    Args:
        model: The model.
        vectors: Of `Layout(config).word_width` components.
        seed: Of the directions of the two spaces, and of the rows without a vector.
    """
    rng = np.random.default_rng(seed)
    space = _Space.of(model, rng)
    _set_input(model, vectors, space, rng)
    for blocks in model.albert.encoder.groups.values():
        for block in blocks:
            _look_at_neighbours(block.attention, vectors.maps, space)
    _set_head(model, vectors, space)


@dataclasses.dataclass(frozen=True)
class _Space:
    """Directions of the hidden layer: `[P, D]` for positions, `[W, D]` for words, orthonormal."""

    layout: Layout
    positions: np.ndarray
    words: np.ndarray
    frequencies: np.ndarray  # of the features of a position, `[P / 2]`

    @classmethod
    def of(cls, model: PretrainingModel, rng: np.random.Generator) -> "_Space":
        layout = Layout(model.albert.config)
        frame = np.eye(layout.config.hidden_size)
        if layout.projects_words_first or model.albert.embeddings.projection is not None:
            frame, _ = np.linalg.qr(rng.standard_normal(frame.shape))
        width = layout.position_width
        # Spread over (0, pi): the features of any two positions differ much.
        number = width // 2
        frequencies = math.pi * (np.arange(number) + rng.uniform(0.2, 1.0, number)) / number
        return cls(layout, frame[:width], frame[width:][: layout.word_width], frequencies)

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


def _set_input(
    model: PretrainingModel, vectors: CorpusVectors, space: _Space, rng: np.random.Generator
) -> None:
    layout, embeddings = space.layout, model.albert.embeddings
    gain, width = 1.0, layout.config.embedding_size
    if layout.projects_words_first:
        width = layout.config.hidden_size
        gain = layout.config.initializer_range * math.sqrt(width)
    norm = _LARGEST_SCORE / (math.sqrt(width) * gain)
    rows, features = _word_rows(vectors, norm, rng), _POSITION_NORM * norm * gain * space.features()
    if layout.projects_words_first:
        embeddings.words.assign(rows)
        embeddings.word_projection.assign(gain * space.words)
        embeddings.positions.assign(features @ space.positions)
        return
    embeddings.words.assign(np.pad(rows, [(0, 0), (layout.position_width, 0)]))
    embeddings.positions.assign(np.pad(features, [(0, 0), (0, layout.word_width)]))
    if embeddings.projection is not None:
        embeddings.projection.kernel.assign(np.concatenate([space.positions, space.words]))


def _word_rows(vectors: CorpusVectors, norm: float, rng: np.random.Generator) -> np.ndarray:
    """Centred vectors, of this norm on average over the text; random ones for other entries."""
    counts = vectors.counts[vectors.entries]
    weights = (counts / counts.sum())[:, None]
    centred = vectors.vectors - (weights * vectors.vectors).sum(axis=0)
    size = centred.shape[1]
    rows = rng.standard_normal((len(vectors.vocab), size))
    rows *= norm / math.sqrt(size)
    rows[vectors.entries] = centred * (norm / math.sqrt((weights * centred**2).sum()))
    rows[vectors.vocab.mask_id] = 0.0
    return rows


def _look_at_neighbours(
    attention: SelfAttention, maps: Mapping[int, np.ndarray], space: _Space
) -> None:
    config, size = space.layout.config, space.layout.head_size
    # The position's part of the input, squared, after layer normalisation.
    share = _POSITION_NORM**2 / (1 + _POSITION_NORM**2) * config.hidden_size
    gain = math.sqrt(_SHARPNESS * math.sqrt(size) / share)
    layers = attention.query, attention.key, attention.value, attention.output
    query, key, value, output = kernels = [np.array(layer.kernel) for layer in layers]
    offsets = sorted(maps, key=lambda offset: (abs(offset), offset))
    parts = {offset: np.linalg.svd(maps[offset].astype(np.float64)) for offset in offsets}
    for head in range(int(_NEIGHBOUR_HEADS * config.num_attention_heads)):
        # The first head of an offset has the largest part of its map, the next one the rest.
        turn, place = divmod(head, len(offsets))
        part = slice(turn * size, (turn + 1) * size)
        left, strengths, right = parts[offsets[place]]
        roots = np.sqrt(strengths[part])
        if not len(roots):
            break
        own = slice(head * size, (head + 1) * size)
        for kernel in (query[:, own], key[:, own], value[:, own], output[own]):
            kernel[:] = 0.0
        width = space.layout.position_width
        query[:, own][:, :width] = gain * space.positions.T @ space.shift(offsets[place])
        key[:, own][:, :width] = gain * space.positions.T
        value[:, own][:, : len(roots)] = space.words.T @ (left[:, part] * roots)
        output[own][: len(roots)] = (roots[:, None] * right[part]) @ space.words
    for layer, kernel in zip(layers, kernels, strict=True):
        layer.kernel.assign(kernel)


def _set_head(model: PretrainingModel, vectors: CorpusVectors, space: _Space) -> None:
    kernel = model.masked_lm.transform.kernel
    identity = np.eye(space.layout.config.hidden_size)
    if not space.layout.projects_words_first:
        identity = np.concatenate([space.positions, space.words]).T
    kernel.assign_add(identity.astype(np.float32))
    # An entry that does not occur counts as if it occurred once more often.
    frequencies = (vectors.counts + 1) / (vectors.counts + 1).sum()
    model.masked_lm.bias.assign(np.log(frequencies).astype(np.float32))
