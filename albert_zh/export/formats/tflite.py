"""TFLite: one file for phones and small machines, read by LiteRT.

    input_ids, input_mask, segment_ids [B, L] int32 -> the outputs of the model's first function

B and L are free; the file's only signature has the names. With float16, weights are stored in half
precision and computed with in float32. With int8, the kernels of matrix products are stored in 8
bits, and inputs of the products are rounded to 8 bits as they come (dynamic range).
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.export.formats.saved_model import signature_of
from albert_zh.export.source import Source
from albert_zh.model.attention import one_kernel


def write(source: Source, path: str, assets: Sequence[str], *, precision: str) -> None:
    """Write the first function of a model; the file has no place for assets.

    Args:
        source: The model.
        path: The file.
        assets: Left out.
        precision: Of the weights: float32, float16 or int8.
    """
    holder = tf.Module()
    holder.model = source.model  # keeps the variables
    with one_kernel(source.model):
        function = signature_of(source.functions(source.model)[0])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], holder)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # TensorFlow informs its own developers here.
    try:
        content = converter.convert()
    finally:
        logging.set_verbosity(verbosity)
    with open(path, "wb") as file:
        file.write(content)


def interface(source: Source) -> dict[str, Any]:
    """Names of the signature's inputs and outputs."""
    function = source.functions(source.model)[0]
    return {"inputs": list(function.inputs), "outputs": list(function.outputs)}
