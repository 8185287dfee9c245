"""TFLite: one file for phones and small machines, read by LiteRT.

    input_ids, input_mask, segment_ids [B, L] int32 -> the outputs of the model's first function

B and L are free; the file's only signature has the names. With float16, weights are stored in half
precision and computed with in float32. With int8, the kernels of matrix products are stored in 8
bits, and inputs of the products are rounded to 8 bits as they come (dynamic range).
"""

from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from albert_zh.export.formats.saved_model import signature_of
from albert_zh.export.source import Source
from albert_zh.model.attention import one_kernel
from albert_zh.util.tensorflow_start import python_log_from


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
    with python_log_from(logging.ERROR):
        content = converter.convert()
    with open(path, "wb") as file:
        file.write(content)
