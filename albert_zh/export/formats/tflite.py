"""TFLite: one file for phones and small machines, read by LiteRT.

    input_ids, input_mask, segment_ids [B, L] int32 -> the outputs of the model's first function

B and L are free; the file's only signature has the names. With float16, weights are stored in half
precision and computed with in float32. With int8, the kernels of matrix products are stored in 8
bits, and inputs of the products are rounded to 8 bits as they come (dynamic range). With full_int8,
all that has a form in integers is computed in them, in ranges that real texts have told.
"""

import contextlib
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from albert_zh.export.formats.saved_model import signature_of
from albert_zh.export.material import Material
from albert_zh.export.source import Source
from albert_zh.inference.functions import SERVING
from albert_zh.model.albert import Albert
from albert_zh.model.attention import MASKED_SCORE
from albert_zh.util.tensorflow_start import muted_standard_error, python_log_from


def write(source: Source, path: str, material: Material, *, precision: str) -> None:
    """Write the first function of a model; the file has no place for assets.

    Args:
        source: The model.
        path: The file.
        material: Its batches are for full_int8.
        precision: float32, float16, int8 or full_int8.
    """
    holder = tf.Module()
    holder.model = source.model  # keeps the variables
    is_calibrated = precision == "full_int8"
    narrow = narrow_scores if is_calibrated else contextlib.nullcontext
    with narrow(source.model):
        function = signature_of(source.functions(source.model)[0])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], holder)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if is_calibrated:
        converter.representative_dataset = lambda: (
            (SERVING, batch) for batch in material.calibration
        )
    with python_log_from(logging.ERROR), muted_standard_error():
        content = converter.convert()
    with open(path, "wb") as file:
        file.write(content)


@contextlib.contextmanager
def narrow_scores(model: tf.Module) -> Iterator[None]:
    """Within it, padding has a score of -100, which still leaves it a weight of 0.

    At -10,000 the 256 steps of a byte would be too far apart for all other scores.
    """
    encoders = [each for each in model.submodules if isinstance(each, Albert)]
    for each in encoders:
        each.masked_score = -100.0
    try:
        yield
    finally:
        for each in encoders:
            each.masked_score = MASKED_SCORE
