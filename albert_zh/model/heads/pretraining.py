"""Masked-LM and sentence-order heads, and the pretraining model.

B batch, P masked positions, D hidden, E embedding, V vocabulary.
"""

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.albert import Albert
from albert_zh.model.heads.sequence import SequenceHead
from albert_zh.model.layers import ACTIVATIONS, Dense, LayerNorm


class MaskedLmHead(tf.Module):
    """Scores every vocabulary entry at the masked positions; the word table is tied."""

    def __init__(self, albert: Albert):
        super().__init__()
        config, at = albert.config, albert.scope / "cls" / "predictions"
        # brightmart goes back from D to E through the word projection, google in this layer.
        brightmart = albert.embeddings.projects_words_first
        width = config.hidden_size if brightmart else config.embedding_size
        self._albert = albert
        self._activation = ACTIVATIONS[config.hidden_act]
        self.transform = Dense(at / "transform" / "dense", config.hidden_size, width)
        self.norm = LayerNorm(at / "transform" / "LayerNorm", width)
        self.bias = at.bias("output_bias", config.vocab_size)

    def __call__(self, sequence: tf.Tensor) -> tf.Tensor:
        """Encoded masked tokens `[B, P, D]` -> logits `[B * P, V] float32`.

        To project every token to V would take as long as all else of tiny's training step.
        """
        x = tf.reshape(sequence, [-1, sequence.shape[-1]])
        x = self.norm(self._activation(self.transform(x)))
        logits = tf.cast(self._albert.embeddings.attend(x), tf.float32)
        return tf.nn.bias_add(logits, self.bias)


class PretrainingModel(tf.Module):
    """Encoder with the masked-LM and the sentence-order head (ALBERT, section 3.1)."""

    stored_names = ("cls/",)  # prefixes of the names that the heads own in a checkpoint

    def __init__(
        self,
        config: ModelConfig,
        *,
        seed: int = 0,
        dtype: tf.DType = tf.float32,
        recompute: bool = False,
    ):
        super().__init__()
        self.albert = Albert(config, seed=seed, dtype=dtype, recompute=recompute)
        self.masked_lm = MaskedLmHead(self.albert)
        at = self.albert.scope / "cls" / "seq_relationship"
        self.sentence_order = SequenceHead(at, config, classes=2)
