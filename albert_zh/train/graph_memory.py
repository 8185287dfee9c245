"""The memory of models that are not in use any more, for processes that train several."""

import gc

from tensorflow.python.framework import ops

_CUSTOM = "CustomGradient-"  # begins the names that TensorFlow gives to a `tf.custom_gradient`


def free_graphs() -> None:
    """Free the graphs of trainings that have ended.

    For each use of a `tf.custom_gradient` in a graph, TensorFlow registers a function for good,
    which holds the graph, and that the model's weights: some 25 MB for the smallest model. The
    gradients of graphs that exist are built, so nothing asks for these functions any more.
    """
    # There is no public way. Without this one, memory grows, and all else works.
    registry = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    for name in [name for name in registry if name.startswith(_CUSTOM)]:
        del registry[name]
    gc.collect()  # Models and their compiled steps refer to each other.
