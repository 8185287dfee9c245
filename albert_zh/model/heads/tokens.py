"""A head on every token, for tagging and reading.

B batch, L length, D hidden, C classes.
"""

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.albert import Albert, AlbertOutput
from albert_zh.model.heads.sequence import CLASSIFIER_DROPOUT, SequenceHead
from albert_zh.model.layers import DropoutSeeds, dropout


class TokenClassifier(tf.Module):
    """Encoder with a classification head on every token (Devlin et al. 2019, section 4)."""

    stored_names = ("output_",)  # prefixes of the names that the head owns

    def __init__(
        self,
        config: ModelConfig,
        classes: int,
        *,
        seed: int = 0,
        dtype: tf.DType = tf.float32,
        recompute: bool = False,
    ):
        super().__init__()
        self.albert = Albert(
            config, seed=seed, dtype=dtype, recompute=recompute, trainable_pooler=False
        )
        self.head = SequenceHead(self.albert.scope, config, classes)

    def __call__(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
        *,
        seeds: DropoutSeeds | None = None,
    ) -> tf.Tensor:
        """Logits `[B, L, C] float32` of a batch of `[B, L] int32` inputs."""
        encoded = self.albert(input_ids, input_mask, segment_ids, seeds=seeds)
        return self.logits_of(encoded, input_mask, seeds=seeds)

    def logits_of(
        self, encoded: AlbertOutput, input_mask: tf.Tensor, *, seeds: DropoutSeeds | None = None
    ) -> tf.Tensor:
        """Logits `[B, L, C] float32` of an encoded batch."""
        return self.head(dropout(encoded.sequence, CLASSIFIER_DROPOUT, seeds))
