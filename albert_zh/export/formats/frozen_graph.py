"""Frozen graph: one .pb file with the operations and, as constants, the weights.

    input_ids, input_mask, segment_ids [B, L] int32
        -> bert/encoder/sequence_output [B, L, D], bert/pooler/dense/Tanh [B, D]
        -> loss/BiasAdd (logits) [B, C], loss/Softmax (probabilities) [B, C]
    with masked_lm_positions [B, P] int32, of a pretrained model
        -> cls/predictions/BiasAdd (logits), cls/predictions/truediv (probabilities) [B, P, V]

Constants bear the names of the checkpoint, outputs those of the published code. TensorFlow 1.15
reads the file as well as the current one, and so do the tools made for either.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from albert_zh.export.material import Material
from albert_zh.export.source import Source, inputs_of
from albert_zh.inference.outputs import ENCODER_OUTPUTS
from albert_zh.inference.predictor import Arrays, Runner
from albert_zh.model.scope import named_variables

_OPERATIONS = {  # our name of an output -> operation of the published code, where it has one
    "logits": "loss/BiasAdd",
    "probabilities": "loss/Softmax",
    "pooled_output": "bert/pooler/dense/Tanh",
    "sequence_output": "bert/encoder/sequence_output",
    "masked_lm_logits": "cls/predictions/BiasAdd",
    # There it was the loss, for which the answers had to be given.
    "masked_lm_probabilities": "cls/predictions/truediv",
}

# The graph version of TensorFlow 1.15, of which alone it uses operations and attributes.
_PRODUCER = 134


def write(source: Source, path: str, material: Material) -> None:
    """Write the frozen graph of a model; it has no place for assets."""
    with open(path, "wb") as file:
        file.write(freeze(source).SerializeToString(deterministic=True))


def interface(source: Source) -> dict[str, Any]:
    """Names of the tensors that are inputs and outputs."""
    functions = source.functions(source.model)
    outputs = [name for each in functions for name in each.outputs]
    return {
        "inputs": {name: f"{name}:0" for name in inputs_of(functions)},
        "outputs": {name: f"{_operation(name)}:0" for name in outputs},
    }


def load(path: str) -> Runner:
    """Read a frozen graph; the runner computes all outputs of a batch, by our names."""
    return _runner(path, lambda names: names)


def load_first(path: str) -> Runner:
    """The same for the outputs that the model is for: the vectors only where there is no head."""

    def choose(names: list[str]) -> list[str]:
        return [name for name in names if name not in ENCODER_OUTPUTS] or names

    return _runner(path, choose)


def _runner(path: str, choose: Callable[[list[str]], list[str]]) -> Runner:
    with open(path, "rb") as file:
        try:
            graph_def = tf.compat.v1.GraphDef.FromString(file.read())
        except DecodeError as error:
            raise ValueError(f"{path} is damaged: {error}; export again") from None
    if not graph_def.node:
        raise ValueError(f"{path} holds no graph; export again")
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    read = {source for node in graph_def.node for source in node.input}
    ours = {operation: name for name, operation in _OPERATIONS.items()}
    ends = [node.name for node in graph_def.node if node.name not in read]
    names = choose([ours.get(operation, operation) for operation in ends])
    session = tf.compat.v1.Session(graph=graph)

    def run(batch: Arrays) -> Arrays:
        inputs = {f"{name}:0": value for name, value in batch.items()}
        return session.run({name: f"{_operation(name)}:0" for name in names}, inputs)

    return run


def freeze(source: Source) -> tf.compat.v1.GraphDef:
    """The graph of a model, with nothing in it that the outputs do not need."""
    weights = {name: value.numpy() for name, value in named_variables(source.model).items()}
    with tf.Graph().as_default() as graph:
        specs: dict[str, tf.TensorSpec] = {}
        for function in source.functions(source.model):
            specs |= function.specs()
        inputs = {
            name: tf.compat.v1.placeholder(tf.int32, spec.shape, name=name)
            for name, spec in specs.items()
        }
        with tf.variable_creator_scope(_constants(weights)):
            functions = source.functions(source.new_model())
        outputs: dict[str, tf.Tensor] = {}
        for function in functions:
            # Each with a graph of its own: a classifier's last block computes the first token only.
            with tf.name_scope(function.name):
                outputs |= function.compute({name: inputs[name] for name in function.inputs})
        for name, tensor in outputs.items():
            tf.identity(tensor, name=_operation(name))
        # Attributes that TensorFlow 1.15 does not know stand at their defaults, and are left out.
        described = tf.compat.v1.train.export_meta_graph(graph=graph, strip_default_attrs=True)
    return _without_notes(_pruned(described.graph_def, [_operation(name) for name in outputs]))


def _constants(weights: Mapping[str, np.ndarray]):
    """Make a constant wherever a model asks for a variable."""

    def create(next_creator, *, name: str, **_) -> tf.Tensor:
        return tf.constant(weights[name], name=name)

    return create


def _operation(name: str) -> str:
    return _OPERATIONS.get(name, name)


def _pruned(graph_def: tf.compat.v1.GraphDef, outputs: list[str]) -> tf.compat.v1.GraphDef:
    """The nodes that the outputs depend on, without the random start values of the model."""
    nodes = {node.name: node for node in graph_def.node}
    needed, waiting = set(), list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [source.removeprefix("^").split(":")[0] for source in nodes[name].input]
    return tf.compat.v1.GraphDef(
        node=[node for node in graph_def.node if node.name in needed],
        versions={"producer": _PRODUCER},
    )


def _without_notes(graph_def: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    """Drop attributes with an underscore: notes of the running TensorFlow, such as shapes."""
    for node in graph_def.node:
        for name in [name for name in node.attr if name.startswith("_")]:
            del node.attr[name]
    return graph_def
