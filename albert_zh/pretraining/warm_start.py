"""Initial weights that predict a masked token from its neighbours before any training.

```
word table             vectors u_w of the corpus; [MASK] says nothing: 0
position table         sines and cosines of the position
segment table          one direction, forwards and backwards
heads of the attention
  neighbours           one offset each: the query at i fits the key at i + o
    value, output      the map T_o, so that [MASK] receives the sum of u_c T_o over its neighbours
  matches              some components of the words each: a query fits the like words of the other
                       segment
    value, output      a copy of them, beside the token's own word
masked-LM head         the identity; its scores are the products with u_w
  bias                 log frequency of w
```
The neighbours are naive Bayes with the words nearby, as far as vectors of this size hold it
(`word_vectors.factorization`). The matches are the soft alignment of Parikh et al. 2016
(arXiv:1606.01933, section 3.1): tasks on two texts compare each word with its match, and [MASK]
finds the mean of the other segment. All other weights are random as ever: free heads, feed-forward
network, pooler, sentence order. From random weights, a small model needs thousands of steps to
find out that tokens nearby matter, and longer to compare two texts.

The parts of the input lie in orthogonal spaces of the hidden layer, and so do the copies:

    hidden = features(position) @ F_p + segment @ F_s + word @ F_w      orthonormal rows
             [P] @ [P, D]               [1] @ [1, D]    [W] @ [W, D]
"""

import math
import os

import numpy as np

from albert_zh.checkpoint.files import write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.pretraining.warm_heads import Proportions, WarmHeads
from albert_zh.runs.companions import write_companions
from albert_zh.word_vectors.corpus import CorpusVectors
from albert_zh.word_vectors.layout import Layout
from albert_zh.word_vectors.options import WarmStartOptions
from albert_zh.word_vectors.space import Space

# Trials found them to work; training changes them at will.
_LARGEST_SCORE = 17.0  # of a word whose vector the hidden state equals
_PROPORTIONS = Proportions(position=0.6, segment=0.5)


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
        seed: Of the directions, and of the rows without a vector.
    """
    rng = np.random.default_rng(seed)
    space = Space.of(Layout(model.albert.config), rng)
    _set_input(model, vectors, space, rng)
    heads = WarmHeads(space, vectors.maps, vectors.strengths(), _PROPORTIONS)
    for blocks in model.albert.encoder.groups.values():
        for block in blocks:
            heads.set(block.attention)
    _set_head(model, vectors, space)


def _set_input(
    model: PretrainingModel, vectors: CorpusVectors, space: Space, rng: np.random.Generator
) -> None:
    layout, embeddings = space.layout, model.albert.embeddings
    gain, width = 1.0, layout.config.embedding_size
    if layout.projects_words_first:
        width = layout.config.hidden_size
        gain = layout.config.initializer_range * math.sqrt(width)
    norm = _LARGEST_SCORE / (math.sqrt(width) * gain)
    rows = _word_rows(vectors, norm, rng)
    features = _PROPORTIONS.position * norm * gain * space.features()
    # Opposite ones for the first segment and the second, and so on where there are more.
    sides = np.resize([[-1.0], [1.0]], [layout.config.type_vocab_size, 1])
    segments = _PROPORTIONS.segment * norm * gain * sides
    if layout.projects_words_first:
        embeddings.words.assign(rows)
        embeddings.word_projection.assign(gain * space.words)
        embeddings.positions.assign(features @ space.positions)
        embeddings.token_types.assign(segments @ space.segments)
        return
    after = layout.word_width
    embeddings.words.assign(np.pad(rows, [(0, 0), (layout.place_width, 0)]))
    embeddings.positions.assign(np.pad(features, [(0, 0), (0, 1 + after)]))
    embeddings.token_types.assign(np.pad(segments, [(0, 0), (layout.position_width, after)]))
    if embeddings.projection is not None:
        embeddings.projection.kernel.assign(space.input())


def _word_rows(vectors: CorpusVectors, norm: float, rng: np.random.Generator) -> np.ndarray:
    """Vectors of this norm on average over the text; random ones for other entries."""
    centred = vectors.centred()
    size = centred.shape[1]
    rows = rng.standard_normal((len(vectors.vocab), size))
    rows *= norm / math.sqrt(size)
    rows[vectors.entries] = norm * centred
    rows[vectors.vocab.mask_id] = 0.0
    return rows


def _set_head(model: PretrainingModel, vectors: CorpusVectors, space: Space) -> None:
    kernel = model.masked_lm.transform.kernel
    identity = np.eye(space.layout.config.hidden_size)
    if not space.layout.projects_words_first:
        identity = space.input().T
    kernel.assign_add(identity.astype(np.float32))
    # An entry that does not occur counts as if it occurred once more often.
    frequencies = (vectors.counts + 1) / (vectors.counts + 1).sum()
    model.masked_lm.bias.assign(np.log(frequencies).astype(np.float32))
