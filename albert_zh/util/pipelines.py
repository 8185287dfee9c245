"""Endings of TensorFlow's input pipelines."""

import tensorflow as tf

_PREFETCHED = 8  # elements that are ready before they are asked for


def prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The batches, a few of them made in advance, in a pipeline that TensorFlow does not tune.

    AUTOTUNE of a map in it then means one call per core, 16 at most.

    TensorFlow's tuner is a thread that looks at the pipeline after 10 ms, 20 ms, 40 ms ... up to a
    minute. When the iterator is deleted, the tuner is woken before the flag is set that tells it to
    end: on one core it mostly sleeps on, and the process waits for it (seen with TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(_PREFETCHED).with_options(options)
