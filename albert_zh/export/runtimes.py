"""Runtimes of exported files that need no TensorFlow: LiteRT and ONNX Runtime.

They start in a tenth of a second, and take a tenth of TensorFlow's memory.
"""

import importlib.util
import threading
from collections.abc import Callable

import numpy as np

from albert_zh.util.optional_packages import load_extra
from albert_zh.util.process_pool import available_cores
from albert_zh.util.tensorflow_start import muted_standard_error

Arrays = dict[str, np.ndarray]
Runner = Callable[[Arrays], Arrays]  # inputs of a batch -> named outputs

_LITERT = "ai_edge_litert"


def litert_runner(path: str, *, threads: int | None = None) -> Runner:
    """The runner of a TFLite file, by LiteRT where it is installed, or by TensorFlow's copy of it.

    Args:
        path: The file.
        threads: That compute; None: as many as there are cores.

    Raises:
        ValueError: The file is damaged.
    """
    with open(path, "rb") as file:
        content = file.read()
    with muted_standard_error():
        try:
            interpreter = _interpreter()(
                model_content=content, num_threads=threads or available_cores()
            )
            (name,) = interpreter.get_signature_list()
            run = interpreter.get_signature_runner(name)
            # The first run tells on standard error how it computes.
            shapes = {key: row["shape"] for key, row in run.get_input_details().items()}
            run(**{key: np.zeros(shape, np.int32) for key, shape in shapes.items()})
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}; export again") from None

    lock = threading.Lock()  # An interpreter has one set of tensors.

    def compute(batch: Arrays) -> Arrays:
        # By name: the order of a signature is not that of the function.
        with lock:
            return run(**{name: batch[name] for name in run.get_input_details()})

    return compute


def _interpreter() -> type:
    if importlib.util.find_spec(_LITERT):
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    import tensorflow as tf

    return tf.lite.Interpreter


def onnx_runner(path: str, *, threads: int | None = None) -> Runner:
    """The runner of an ONNX file.

    Args:
        path: The file.
        threads: That compute; None: as many as there are cores.

    Raises:
        ValueError: The file is damaged, or the package onnxruntime is not installed.
    """
    library = load_extra("onnxruntime", purpose="running ONNX")
    options = library.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or 0
    try:
        session = library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many kinds
        raise ValueError(f"{path} is damaged: {error}; export again") from None
    names = [each.name for each in session.get_outputs()]
    inputs = [each.name for each in session.get_inputs()]

    def compute(batch: Arrays) -> Arrays:
        return dict(zip(names, session.run(names, {n: batch[n] for n in inputs}), strict=True))

    return compute
