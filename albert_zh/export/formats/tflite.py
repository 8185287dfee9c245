"""TFLite: one file for phones and small machines, read by LiteRT.

    input_ids, input_mask, segment_ids [B, L] int32 -> the outputs of the model's first function

B and L are free; the file's only signature has the names. With float16, weights are stored in half
precision and computed with in float32. With int8, the kernels of matrix products are stored in 8
bits, and inputs of the products are rounded to 8 bits as they come (dynamic range).
"""

import importlib.util
import warnings
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.export.formats.saved_model import signature_of
from albert_zh.export.source import Source
from albert_zh.inference.predictor import Arrays, Runner
from albert_zh.model.attention import one_kernel
from albert_zh.util.tensorflow_start import muted_standard_error

_LITERT = "ai_edge_litert"


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


def load(path: str) -> Runner:
    """Read a file with LiteRT, where it is installed, or with TensorFlow's own copy of it."""
    with open(path, "rb") as file:
        content = file.read()
    with muted_standard_error(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the copy, about its future home
        try:
            interpreter = _interpreter()(model_content=content)
            (name,) = interpreter.get_signature_list()
            run = interpreter.get_signature_runner(name)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}; export again") from None

    def compute(batch: Arrays) -> Arrays:
        # By name: the order of a signature is not that of the function.
        names = run.get_input_details()
        return run(**{name: batch[name] for name in names})

    return compute


def _interpreter() -> type:
    if importlib.util.find_spec(_LITERT):
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    return tf.lite.Interpreter
