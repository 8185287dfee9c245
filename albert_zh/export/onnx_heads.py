"""Heads in ONNX: the outputs of `inference.functions`, on top of the encoder's graph.

B batch, L length, P positions, D hidden, C classes, V vocabulary, R choices.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from albert_zh.checkpoint.names import WORD_TABLE
from albert_zh.config import ModelConfig, NormOrder, Pooling
from albert_zh.export.onnx_builder import Builder
from albert_zh.export.onnx_graph import EncoderGraph
from albert_zh.export.source import Source
from albert_zh.inference.predictor import POSITIONS
from albert_zh.model.scope import named_variables

Outputs = dict[str, str]  # our name of an output -> value in the graph

_MASKED_LM = "cls/predictions/"
_AXES = {2: ("batch", "length"), 3: ("batch", "choices", "length")}


def write_graph(source: Source, path: str) -> None:
    """Write the first function of a model as an ONNX file.

    Raises:
        ValueError: Its kind has no graph here, or the package onnx is not installed.
    """
    function = source.functions(source.model)[0]
    canonical = source.config.variant.canonical_name
    weights = {
        canonical(name): variable.numpy()
        for name, variable in named_variables(source.model).items()
    }
    sizes = dict(zip(_AXES[2], function.shape, strict=True)) if function.shape else {}

    def fixed(axes: Sequence[str | int]) -> list[str | int]:
        return [sizes.get(axis, axis) for axis in axes]

    builder = Builder()
    graph = EncoderGraph(builder, source.config, weights)
    outputs = _outputs(source, graph, weights)
    for name in function.outputs:
        builder.rename(outputs[name], name)
    builder.save(
        path,
        inputs={
            name: fixed(("batch", "masks") if name == POSITIONS else _AXES[axes])
            for name, axes in function.inputs.items()
        },
        outputs={name: fixed(axes) for name, axes in _shapes(source, function.outputs).items()},
        properties={"lineage": source.config.lineage, "step": str(source.step)},
    )


def _outputs(source: Source, graph: EncoderGraph, weights: Mapping[str, np.ndarray]) -> Outputs:
    if source.task is not None:
        if source.task.kind not in _HEADS:
            raise ValueError(
                f"{source.prefix} is a model for {source.task.kind}, which has no form in ONNX "
                f"here; known are {', '.join(_HEADS)}"
            )
        return _HEADS[source.task.kind](source, graph)
    if any(name.startswith(_MASKED_LM) for name in weights):
        return _masked_lm(source.config, graph)
    sequence = graph.sequence()
    return {
        "pooled_output": _pooled(graph, sequence),
        "sequence_output": sequence,
        "mean_output": _mean(graph, sequence),
    }


def _classes(source: Source, graph: EncoderGraph) -> Outputs:
    logits = _logits(source, graph)
    return {"logits": logits, "probabilities": graph.add("Softmax", logits, axis=-1)}


def _number(source: Source, graph: EncoderGraph) -> Outputs:
    return {"values": graph.add("Squeeze", _logits(source, graph), graph.add.integers([1]))}


def _choice(source: Source, graph: EncoderGraph) -> Outputs:
    add, integers = graph.add, graph.add.integers
    shape = add("Shape", graph.inputs["input_ids"])  # [B, R, L]
    length = add("Slice", shape, integers([2]), integers([3]))
    rows = add("Concat", integers([-1]), length, axis=0)
    graph.inputs = {name: add("Reshape", value, rows) for name, value in graph.inputs.items()}
    choices = add("Slice", shape, integers([0]), integers([2]))
    logits = add("Reshape", _logits(source, graph), choices)
    return {"logits": logits, "probabilities": add("Softmax", logits, axis=-1)}


def _spans(source: Source, graph: EncoderGraph) -> Outputs:
    logits = _head(graph, graph.sequence())  # [B, L, 2]
    starts, ends = (
        graph.add("Gather", logits, graph.add.integers(end), axis=2) for end in range(2)
    )
    return {"start_logits": starts, "end_logits": ends}


def _tags(source: Source, graph: EncoderGraph) -> Outputs:
    return {"tag_logits": _head(graph, graph.sequence())}


def _logits(source: Source, graph: EncoderGraph) -> str:
    """`[B, C]` of a head that reads one vector of a text."""
    if source.task.pooling is Pooling.MEAN:
        x = _mean(graph, graph.sequence())
    else:
        x = _pooled(graph, graph.sequence(functools.partial(_first_token, graph)))
    if source.config.norm_order is NormOrder.PRE:
        x = graph.norm(x, "loss/LayerNorm")
    return _head(graph, x)


def _first_token(graph: EncoderGraph, sequence: str) -> str:
    """`[B, L, D] -> [B, 1, D]`."""
    integers = graph.add.integers
    return graph.add("Slice", sequence, integers([0]), integers([1]), integers([1]))


def _pooled(graph: EncoderGraph, sequence: str) -> str:
    """`[B, L, D] -> [B, D]`, of the first token."""
    first = graph.add("Gather", sequence, graph.add.integers(0), axis=1)
    return graph.add("Tanh", graph.dense(first, "bert/pooler/dense"))


def _mean(graph: EncoderGraph, sequence: str) -> str:
    """`[B, L, D] -> [B, D]`, of all tokens but the padding."""
    add = graph.add
    mask = add("Cast", graph.inputs["input_mask"], to=add.float32)
    weights = add("Unsqueeze", mask, add.integers([2]))
    total = add("ReduceSum", add("Mul", sequence, weights), add.integers([1]), keepdims=0)
    return add("Div", total, add("ReduceSum", mask, add.integers([1]), keepdims=1))


def _head(graph: EncoderGraph, x: str) -> str:
    """`[..., D] -> [..., C]`; the weights are stored transposed."""
    add = graph.add
    product = add("MatMul", x, graph.transposed("output_weights"))
    return add("Add", product, graph.weight("output_bias"))


def _masked_lm(config: ModelConfig, graph: EncoderGraph) -> Outputs:
    add, at = graph.add, _MASKED_LM
    x = graph.sequence(lambda sequence: add.gather_tokens(sequence, POSITIONS))
    x = graph.norm(
        graph.activate(graph.dense(x, at + "transform/dense")), at + "transform/LayerNorm"
    )
    if config.variant.project_words_first:
        mapping = "bert/encoder/embedding_hidden_mapping_in/kernel"
        x = add("MatMul", x, graph.transposed(mapping))
    # A product of rows with the table as it is stored, which is the largest array by far.
    width, size = config.embedding_size, config.vocab_size
    rows = add("Reshape", x, add.integers([-1, width]))
    rows = add("Gemm", rows, graph.weight(WORD_TABLE), graph.weight(at + "output_bias"), transB=1)
    masks = add("Concat", add("Shape", POSITIONS), add.integers([size]), axis=0)
    logits = add("Reshape", rows, masks)
    return {
        "masked_lm_logits": logits,
        "masked_lm_probabilities": add("Softmax", logits, axis=-1),
    }


def _shapes(source: Source, names: Sequence[str]) -> dict[str, tuple[str | int, ...]]:
    """Axes of the outputs: names where their sizes are free."""
    config, classes = source.config, None
    weights = named_variables(source.model).get("output_weights")
    if weights is not None:
        classes = weights.shape[0]
    logits = ("batch", "choices" if source.task and source.task.kind == "choice" else classes)
    vectors, tokens = ("batch", config.hidden_size), ("batch", "length")
    known = {
        "logits": logits,
        "probabilities": logits,
        "values": ("batch",),
        "start_logits": tokens,
        "end_logits": tokens,
        "tag_logits": (*tokens, classes),
        "pooled_output": vectors,
        "mean_output": vectors,
        "sequence_output": (*tokens, config.hidden_size),
        "masked_lm_logits": ("batch", "masks", config.vocab_size),
        "masked_lm_probabilities": ("batch", "masks", config.vocab_size),
    }
    return {name: known[name] for name in names}


_HEADS: dict[str, Callable[[Source, EncoderGraph], Outputs]] = {
    "classification": _classes,
    "regression": _number,
    "choice": _choice,
    "reading": _spans,
    "tagging": _tags,
}
