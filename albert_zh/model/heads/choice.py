"""One score for each of several choices.

B batch, C choices, L length.
"""

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.layers import DropoutSeeds, shape_of


class ChoiceClassifier(tf.Module):
    """A classifier of one class, whose score is computed for every choice (BERT's SWAG model)."""

    stored_names = Classifier.stored_names

    def __init__(self, config: ModelConfig, **settings):
        """`settings` as of `Classifier`."""
        super().__init__()
        self.scorer = Classifier(config, 1, **settings)
        self.albert = self.scorer.albert

    def __call__(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
        *,
        seeds: DropoutSeeds | None = None,
    ) -> tf.Tensor:
        """Logits `[B, C] float32` of a batch of `[B, C, L] int32` inputs."""
        batch, choices, length = shape_of(input_ids)
        rows = [tf.reshape(each, [-1, length]) for each in (input_ids, input_mask, segment_ids)]
        return tf.reshape(self.scorer(*rows, seeds=seeds), [batch, choices])
