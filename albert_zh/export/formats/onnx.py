"""ONNX: one file for ONNX Runtime and the many programs that read the format.

    input_ids, input_mask, segment_ids [B, L] int32 -> the outputs of the model's first function

B and L are free. The graph is written by `export.onnx_graph`, with the weights as they are stored.
"""

import logging

from albert_zh.export.material import Material
from albert_zh.export.onnx_heads import write_graph
from albert_zh.export.source import Source
from albert_zh.util.optional_packages import load_extra


def write(source: Source, path: str, material: Material, *, precision: str) -> None:
    """Write the first function of a model; the file has no place for assets.

    Args:
        source: The model.
        path: The file.
        material: Left out.
        precision: Of the weights: float32 or int8.

    Raises:
        ValueError: The package onnx, or for int8 onnxruntime, is not installed.
    """
    if precision == "float32":
        write_graph(source, path)
        return
    quantization = load_extra("onnxruntime.quantization", purpose="writing ONNX in int8")
    write_graph(source, path)
    logging.disable(logging.WARNING)  # It describes every node.
    try:
        # Products of signed weights are the fast ones. Where a processor has no instruction for
        # them (VNNI), sums of two could overflow: hence seven of the eight bits.
        quantization.quantize_dynamic(
            path,
            path,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    finally:
        logging.disable(logging.NOTSET)
