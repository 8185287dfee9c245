"""Training batches as a TensorFlow dataset."""

import tensorflow as tf

from albert_zh.finetuning.data import Data, training_order
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.inference.predictor import INPUTS
from albert_zh.tasks.features import collate


def training_batches(options: ClassifierOptions, data: Data, step: int) -> tf.data.Dataset:
    """Batches from a step on: inputs `[B, L] int32`, and the targets of the task's kind."""
    features = data.features["train"]
    length = options.max_seq_length if len(data.buckets) == 1 else None
    rows = options.train_batch_size
    signature = {name: tf.TensorSpec([rows, length], tf.int32) for name in INPUTS}
    for name, shape in data.task.kind.targets.items():
        signature[name] = tf.TensorSpec([rows, *shape], tf.int32)
    return tf.data.Dataset.from_generator(
        lambda: (
            collate(features, padded.indices, padded_length=padded.padded_length)
            for padded in training_order(options, data, step)
        ),
        output_signature=signature,
    ).prefetch(tf.data.AUTOTUNE)
