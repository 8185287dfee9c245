"""The export formats. A new one is a row here, and a file beside this one."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from albert_zh.export import runtimes
from albert_zh.export.check import TOLERANCE
from albert_zh.export.formats import (
    checkpoint,
    frozen_graph,
    onnx,
    saved_model,
    saved_model_text,
    tflite,
    transformers,
)
from albert_zh.export.material import Material
from albert_zh.export.source import Source
from albert_zh.inference.predictor import Runner


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """One way to write a model."""

    file: str  # or folder, in the export directory
    write: Callable[[Source, str, Material], None]  # the model, path, what else is needed
    load: Callable[[str], Runner]  # of all functions that it holds
    # Names of inputs and outputs, for export.json.
    interface: Callable[[Source], Mapping[str, Any]]
    # Largest difference from the checkpoint, relative to the larger of 1 and the largest value.
    tolerance: float = TOLERANCE
    is_of_first: bool = False  # holds the first function of the model alone
    load_first: Callable[[str], Runner] | None = None  # the runner of the first alone
    is_sizeable: bool = True  # may take batches of one size alone
    is_calibrated: bool = False  # its integers stand for ranges that real texts have to tell

    def predictor_runner(self, path: str) -> Runner:
        """The runner of what the model is for."""
        return (self.load_first or self.load)(path)


_FLOAT16 = 1e-2
# Weights and activations of 8 bits: whether that does harm, the scores of the task tell.
_INT8 = 0.5
# On random token ids, which the ranges of real texts do not fit.
_CALIBRATED = 2.0


def _first_interface(source: Source) -> dict[str, Any]:
    function = source.functions(source.model)[0]
    return {"inputs": list(function.inputs), "outputs": list(function.outputs)}


def _tflite(file: str, precision: str, tolerance: float, **settings: bool) -> ExportFormat:
    write = functools.partial(tflite.write, precision=precision)
    return ExportFormat(
        file, write, runtimes.litert_runner, _first_interface, tolerance, True, **settings
    )


def _onnx(file: str, precision: str, tolerance: float) -> ExportFormat:
    write = functools.partial(onnx.write, precision=precision)
    return ExportFormat(
        file, write, runtimes.onnx_runner, _first_interface, tolerance, is_of_first=True
    )


FORMATS: dict[str, ExportFormat] = {
    "frozen_graph": ExportFormat(
        "frozen_graph.pb",
        frozen_graph.write,
        frozen_graph.load,
        frozen_graph.interface,
        load_first=frozen_graph.load_first,
    ),
    "saved_model": ExportFormat(
        "saved_model",
        saved_model.write,
        saved_model.load,
        saved_model.interface,
        load_first=saved_model.load_first,
    ),
    "saved_model_text": ExportFormat(
        "saved_model_text",
        saved_model_text.write,
        saved_model_text.load,
        saved_model_text.interface,
        load_first=saved_model_text.load_first,
        is_sizeable=False,
    ),
    "checkpoint": ExportFormat(
        "checkpoint",
        checkpoint.write,
        checkpoint.load,
        checkpoint.interface,
        _FLOAT16,
        is_sizeable=False,
    ),
    "transformers": ExportFormat(
        "transformers",
        transformers.write,
        transformers.load,
        transformers.interface,
        is_sizeable=False,
    ),
    "tflite": _tflite("model.tflite", "float32", TOLERANCE),
    "tflite_fp16": _tflite("model_fp16.tflite", "float16", _FLOAT16),
    "tflite_int8": _tflite("model_int8.tflite", "int8", _INT8),
    "tflite_full_int8": _tflite(
        "model_full_int8.tflite", "full_int8", _CALIBRATED, is_calibrated=True
    ),
    "onnx": _onnx("model.onnx", "float32", TOLERANCE),
    "onnx_int8": _onnx("model_int8.onnx", "int8", _INT8),
}


DEFAULT_FORMATS = ("frozen_graph", "saved_model")  # need no further package


def parse_formats(names: str) -> list[str]:
    """The formats in a comma-separated list.

    >>> parse_formats("saved_model, frozen_graph")
    ['saved_model', 'frozen_graph']

    Raises:
        ValueError: One is unknown, or the list is empty.
    """
    formats = list(dict.fromkeys(filter(None, (name.strip() for name in names.split(",")))))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(
            f"--formats={names} has to list some of {', '.join(FORMATS)}, separated by commas"
        )
    return formats
