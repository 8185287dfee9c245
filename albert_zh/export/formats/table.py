"""The export formats. A new one is a row here, and a file beside this one."""

import dataclasses
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from albert_zh.export import runtimes
from albert_zh.inference.predictor import Runner
from albert_zh.util.tensorflow_start import import_tensorflow

if TYPE_CHECKING:  # They import TensorFlow, which a reader of ONNX does without.
    from albert_zh.export.material import Material
    from albert_zh.export.source import Source


# Another order of summation in float32 stays below 1e-5 at 24 layers; a wrong weight or a wrong
# formula is seen from 1e-3 on.
TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """One way to write a model."""

    file: str  # or folder, in the export directory
    # The model, path, what else is needed.
    write: Callable[["Source", str, "Material"], None]
    load: Callable[[str], Runner]  # of all functions that it holds
    # Names of inputs and outputs, for export.json.
    interface: Callable[["Source"], Mapping[str, Any]]
    # Largest difference from the checkpoint, relative to the larger of 1 and the largest value.
    tolerance: float = TOLERANCE
    is_of_first: bool = False  # holds the first function of the model alone
    load_first: Callable[[str], Runner] | None = None  # the runner of the first alone
    is_sizeable: bool = True  # may take batches of one size alone
    is_calibrated: bool = False  # its integers stand for ranges that real texts have to tell
    package: str = "tensorflow"  # module that has to be installed to compute it
    writers: tuple[str, ...] = ()  # modules of optional packages that write and check it
    runtime: str = "TensorFlow"  # its name, for people

    def can_run(self) -> bool:
        """True if the package that computes it is installed."""
        return importlib.util.find_spec(self.package) is not None


_FLOAT16 = 1e-2
# Weights and activations of 8 bits: whether that does harm, the scores of the task tell.
_INT8 = 0.5
# On random token ids, which the ranges of real texts do not fit.
_CALIBRATED = 2.0


def _late(module: str, function: str, **settings: Any) -> Callable[..., Any]:
    """A function of a file beside this one, which is imported when the function is called."""

    def call(*arguments: Any) -> Any:
        if "tensorflow" not in sys.modules:
            import_tensorflow()  # without its noise
        beside = importlib.import_module(f"albert_zh.export.formats.{module}")
        return getattr(beside, function)(*arguments, **settings)

    return call


def _first_interface(source: "Source") -> dict[str, Any]:
    function = source.functions(source.model)[0]
    return {"inputs": list(function.inputs), "outputs": list(function.outputs)}


def _of_tensorflow(
    module: str, file: str, *, has_first: bool = True, tolerance: float = TOLERANCE, **settings: Any
) -> ExportFormat:
    write, load, interface = (_late(module, name) for name in ("write", "load", "interface"))
    load_first = _late(module, "load_first") if has_first else None
    return ExportFormat(file, write, load, interface, tolerance, load_first=load_first, **settings)


def _tflite(file: str, precision: str, tolerance: float, **settings: bool) -> ExportFormat:
    write = _late("tflite", "write", precision=precision)
    return ExportFormat(
        file,
        write,
        runtimes.litert_runner,
        _first_interface,
        tolerance,
        is_of_first=True,
        runtime="LiteRT",
        **settings,
    )


def _onnx(file: str, precision: str, tolerance: float) -> ExportFormat:
    write = _late("onnx", "write", precision=precision)
    return ExportFormat(
        file,
        write,
        runtimes.onnx_runner,
        _first_interface,
        tolerance,
        is_of_first=True,
        package="onnxruntime",
        writers=("onnx", "onnxruntime"),
        runtime="ONNX Runtime",
    )


FORMATS: dict[str, ExportFormat] = {
    "frozen_graph": _of_tensorflow("frozen_graph", "frozen_graph.pb"),
    "saved_model": _of_tensorflow("saved_model", "saved_model"),
    "saved_model_text": _of_tensorflow(
        "saved_model_text",
        "saved_model_text",
        is_sizeable=False,
        package="tensorflow_text",
        writers=("tensorflow_text",),
    ),
    "checkpoint": _of_tensorflow(
        "checkpoint", "checkpoint", has_first=False, tolerance=_FLOAT16, is_sizeable=False
    ),
    "transformers": _of_tensorflow(
        "transformers",
        "transformers",
        has_first=False,
        is_sizeable=False,
        writers=("safetensors",),
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
