"""ALBERT: factorised embeddings, shared layers, pooler (Lan et al. 2020, arXiv:1909.11942).

B batch, L length, E embedding, D hidden, V vocabulary.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.attention import MASKED_SCORE, attention_bias
from albert_zh.model.encoder import Encoder
from albert_zh.model.layers import Dense, DropoutSeeds, LayerNorm, dropout, matmul, shape_of
from albert_zh.model.scope import Scope


class AlbertOutput(NamedTuple):
    """Hidden states of a batch."""

    sequence: tf.Tensor  # [B, L, D], the last layer; [B, R, D] if called with positions
    pooled: tf.Tensor  # [B, D], computed from the first token
    layers: list[tf.Tensor]  # [B, L, D], one per applied block; the last is `sequence`
    embedding: tf.Tensor  # [B, L, D or E], after layer normalisation


class Embeddings(tf.Module):
    """Word, token type and position vectors, summed and normalised.

    brightmart projects words from E to D first, and sums in D:

        word [V, E] @ word_embeddings_2 [E, D] + type [2, D] + position [P, D] -> LayerNorm(D)

    google sums in E, and projects the normalised sum:

        word [V, E] + type [2, E] + position [P, E] -> LayerNorm(E) -> @ kernel [E, D] + bias
    """

    def __init__(self, scope: Scope, config: ModelConfig):
        super().__init__()
        embedding, hidden = config.embedding_size, config.hidden_size
        self._dropout_rate = config.hidden_dropout_prob
        self._change_words: Callable[[tf.Tensor], tf.Tensor] = lambda words: words
        self.projects_words_first = scope.variant.project_words_first
        width = hidden if self.projects_words_first else embedding
        at = scope / "embeddings"
        self.words = at.kernel("word_embeddings", [config.vocab_size, embedding])
        self.token_types = at.kernel("token_type_embeddings", [config.type_vocab_size, width])
        self.positions = at.kernel("position_embeddings", [config.max_position_embeddings, width])
        self.norm = LayerNorm(at / "LayerNorm", width)
        mapping = scope / "encoder" / "embedding_hidden_mapping_in"
        self.projection = None
        if self.projects_words_first:
            self.word_projection = mapping.kernel("kernel", [embedding, hidden])
        elif config.has_embedding_mapping:
            self.projection = Dense(mapping, embedding, hidden)

    @contextlib.contextmanager
    def words_through(self, change: Callable[[tf.Tensor], tf.Tensor]) -> Iterator[None]:
        """Within it, a function sees and may change the word vectors `[B, L, E] float32`."""
        before, self._change_words = self._change_words, change
        try:
            yield
        finally:
            self._change_words = before

    def __call__(
        self,
        input_ids: tf.Tensor,
        segment_ids: tf.Tensor,
        seeds: DropoutSeeds | None,
        dtype: tf.DType,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the normalised sum, and the input of the encoder (`[B, L, D]`)."""
        x = tf.cast(self._change_words(tf.gather(self.words, input_ids)), dtype)  # [B, L, E]
        if self.projects_words_first:
            x = matmul(x, self.word_projection)  # [B, L, D]
        # A product with one-hot rows keeps the gradient of this small table dense.
        types = tf.one_hot(segment_ids, self.token_types.shape[0], dtype=dtype)
        x += matmul(types, self.token_types)
        x += tf.cast(self.positions[: shape_of(input_ids)[1]], dtype)
        x = normal = dropout(self.norm(x), self._dropout_rate, seeds)
        return normal, x if self.projection is None else self.projection(x)

    def attend(self, x: tf.Tensor) -> tf.Tensor:
        """Scores of all vocabulary entries, `[N, D or E] -> [N, V]`; the word table is tied."""
        if self.projects_words_first:
            x = tf.matmul(x, tf.cast(self.word_projection, x.dtype), transpose_b=True)
        return tf.matmul(x, tf.cast(self.words, x.dtype), transpose_b=True)


class Albert(tf.Module):
    """One encoder for every published lineage; the configuration's variant tells them apart."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        seed: int = 0,
        dtype: tf.DType = tf.float32,
        recompute: bool = False,
        trainable_pooler: bool = True,
    ):
        """
        Args:
            config: Sizes and lineage.
            seed: Seed for the start values.
            dtype: Type that layers compute in, float32, bfloat16 or float16. Weights are float32.
            recompute: Keep only the inputs of the blocks; the backward pass runs the blocks again.
                A third more work, a fraction of the memory (Chen et al. 2016, arXiv:1604.06174).
            trainable_pooler: False if training does not use the pooled output.
        """
        super().__init__()
        self.config = config
        self.scope = Scope.root(config, seed=seed)
        self._dtype = dtype
        self._outputs: list[AlbertOutput] | None = None
        self.masked_score = MASKED_SCORE  # of padding, before the softmax of attention
        bert = self.scope / "bert"
        self.embeddings = Embeddings(bert, config)
        self.encoder = Encoder(bert / "encoder", config, recompute=recompute)
        self.pooler = Dense(
            bert / "pooler" / "dense",
            config.hidden_size,
            config.hidden_size,
            trainable=trainable_pooler,
        )

    @contextlib.contextmanager
    def outputs_to(self, outputs: list[AlbertOutput]) -> Iterator[list[AlbertOutput]]:
        """Within it, the hidden states of each call are appended to a list."""
        before, self._outputs = self._outputs, outputs
        try:
            yield outputs
        finally:
            self._outputs = before

    def __call__(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
        *,
        positions: tf.Tensor | None = None,
        seeds: DropoutSeeds | None = None,
    ) -> AlbertOutput:
        """Encode a batch.

        Args:
            input_ids: `[B, L] int32`, vocabulary entries; L at most max_position_embeddings.
            input_mask: `[B, L] int32`, 1 for tokens and 0 for padding.
            segment_ids: `[B, L] int32`, 0 for the first and 1 for the second segment.
            positions: `[B, R] int32`, the tokens whose last layer is needed; None: all tokens. The
                last block then computes only these and the first token, for the pooler; of the
                other tokens it needs only keys and values.
            seeds: Seeds for dropout; None outside training.
        """
        embedding, x = self.embeddings(input_ids, segment_ids, seeds, self._dtype)
        if positions is not None:  # The pooler reads the first token.
            positions = tf.pad(positions, [[0, 0], [1, 0]])
        layers = self.encoder(x, attention_bias(input_mask, self.masked_score), seeds, positions)
        pooled = tf.tanh(self.pooler(layers[-1][:, 0]))
        if positions is not None:
            layers[-1] = layers[-1][:, 1:]
        output = AlbertOutput(layers[-1], pooled, layers, embedding)
        if self._outputs is not None:
            self._outputs.append(output)
        return output
