"""The encoder without a head."""

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.albert import Albert


class EncoderModel(tf.Module):
    """A model for vectors of texts; its checkpoint holds the encoder and the pooler."""

    stored_names = ()  # prefixes of the names that the head owns in a checkpoint

    def __init__(self, config: ModelConfig, **settings):
        """`settings` as of `Albert`."""
        super().__init__()
        self.albert = Albert(config, **settings)
