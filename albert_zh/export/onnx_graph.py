"""The graph of a model in ONNX, written node by node; every lineage and every head.

A converter would need a minute and a hundred packages, and gives three times as many nodes. Version
20 of the operators has LayerNormalization and the tanh form of gelu.

B batch, L length, R queries of the last block, D hidden, E embedding, N heads, H head size.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from albert_zh.config import ModelConfig, NormOrder
from albert_zh.export.onnx_builder import Builder
from albert_zh.inference.predictor import INPUTS
from albert_zh.model.layers import LayerNorm

_LAYER = "bert/encoder/transformer/group_{}/inner_group_{}/"
_NEVER = -10000.0  # added to the scores of padding, as in `model.attention`


class EncoderGraph:
    """Nodes of the encoder, added to a builder as they are asked for."""

    def __init__(self, builder: Builder, config: ModelConfig, weights: Mapping[str, np.ndarray]):
        """
        Args:
            builder: Collects the nodes.
            config: Of the model.
            weights: By canonical name.
        """
        self.add, self._config, self._weights = builder, config, weights
        # Values `[B, L]` that are encoded; at first the inputs of the graph.
        self.inputs = {name: name for name in INPUTS}

    def weight(self, name: str) -> str:
        """The constant with the weights of that name."""
        return self.add.constant(name, self._weights[name])

    def transposed(self, name: str) -> str:
        """The same, transposed."""
        return self.add.constant(f"{name}/transposed", self._weights[name].T)

    def dense(self, x: str, name: str) -> str:
        """`[..., I] -> [..., O]`."""
        product = self.add("MatMul", x, self.weight(f"{name}/kernel"))
        return self.add("Add", product, self.weight(f"{name}/bias"))

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation of the last axis."""
        scale, shift = self.weight(f"{name}/gamma"), self.weight(f"{name}/beta")
        return self.add("LayerNormalization", x, scale, shift, epsilon=LayerNorm.EPSILON)

    def activate(self, x: str) -> str:
        """The model's activation."""
        name = self._config.hidden_act
        if name == "gelu":
            return self.add("Gelu", x, approximate="tanh")
        if name == "swish":
            return self.add("Mul", x, self.add("Sigmoid", x))
        return x if name == "linear" else self.add({"relu": "Relu", "tanh": "Tanh"}[name], x)

    def sequence(self, choose: Callable[[str], str] | None = None) -> str:
        """The last layer, `[B, L, D]`.

        Args:
            choose: Takes some tokens, `[B, L, D] -> [B, R, D]`; the last block computes only them.
        """
        config = self._config
        x, bias = self._embeddings(), self._bias()
        for layer in range(config.num_hidden_layers):
            group = int(layer / config.num_hidden_layers * config.num_hidden_groups)
            for inner in range(config.inner_group_num):
                is_last = (layer, inner) == (
                    config.num_hidden_layers - 1,
                    config.inner_group_num - 1,
                )
                chosen = choose if is_last else None
                x = self._block(x, bias, _LAYER.format(group, inner), chosen)
        return x

    def _embeddings(self) -> str:
        add, at = self.add, "bert/embeddings/"
        mapping = "bert/encoder/embedding_hidden_mapping_in"
        x = add("Gather", self.weight(at + "word_embeddings"), self.inputs["input_ids"])
        words_first = self._config.variant.project_words_first
        if words_first:
            x = add("MatMul", x, self.weight(f"{mapping}/kernel"))
        types = self.weight(at + "token_type_embeddings")
        x = add("Add", x, add("Gather", types, self.inputs["segment_ids"]))
        shape = add("Shape", self.inputs["input_ids"])
        length = add("Slice", shape, add.integers([1]), add.integers([2]))
        positions = self.weight(at + "position_embeddings")
        positions = add("Slice", positions, add.integers([0]), length, add.integers([0]))
        x = self.norm(add("Add", x, positions), at + "LayerNorm")
        return self.dense(x, mapping) if self._config.has_embedding_mapping else x

    def _bias(self) -> str:
        """`[B, 1, 1, L]`, to add to the scores."""
        add = self.add
        mask = add("Cast", self.inputs["input_mask"], to=add.float32)
        padding = add("Sub", add.floats(1.0), mask)
        return add("Unsqueeze", add("Mul", padding, add.floats(_NEVER)), add.integers([1, 2]))

    def _block(self, x: str, bias: str, at: str, choose: Callable[[str], str] | None) -> str:
        add, chosen = self.add, choose or (lambda y: y)
        if self._config.norm_order is NormOrder.PRE:
            normal = self.norm(x, at + "LayerNorm")
            x = add("Add", chosen(x), self._attention(chosen(normal), normal, bias, at))
            forward = self._feed_forward(self.norm(x, at + "LayerNorm_1"), at)
            return add("Add", x, forward)
        queries = chosen(x)
        attention = self._attention(queries, x, bias, at)
        x = self.norm(add("Add", queries, attention), at + "LayerNorm")
        return self.norm(add("Add", x, self._feed_forward(x, at)), at + "LayerNorm_1")

    def _attention(self, queries: str, context: str, bias: str, at: str) -> str:
        add, config = self.add, self._config
        q, k, v = self._heads(context, at)
        if queries != context:  # With the same kernel, which is stored once.
            q = self._heads(queries, at)[0]
        scores = add("MatMul", q, add("Transpose", k, perm=[0, 1, 3, 2]))
        scores = add("Mul", scores, add.floats(1.0 / math.sqrt(config.head_size)))
        weights = add("Softmax", add("Add", scores, bias), axis=-1)
        heads = add("Transpose", add("MatMul", weights, v), perm=[0, 2, 1, 3])
        rows = add("Reshape", heads, add.integers([0, 0, config.hidden_size]))
        return self.dense(rows, at + "attention_1/output/dense")

    def _heads(self, x: str, at: str) -> list[str]:
        """`[B, L, D] -> [B, N, L, H]` for query, key and value, in one product."""
        add, config = self.add, self._config
        names = [f"{at}attention_1/self/{part}" for part in ("query", "key", "value")]
        joined = f"{at}attention_1/self/joined"
        kernel = np.concatenate([self._weights[f"{name}/kernel"] for name in names], axis=1)
        bias = np.concatenate([self._weights[f"{name}/bias"] for name in names])
        x = add("MatMul", x, add.constant(f"{joined}/kernel", kernel))
        x = add("Add", x, add.constant(f"{joined}/bias", bias))
        split = [0, 0, len(names), config.num_attention_heads, config.head_size]
        x = add("Transpose", add("Reshape", x, add.integers(split)), perm=[2, 0, 3, 1, 4])
        return [add("Gather", x, add.integers(part), axis=0) for part in range(len(names))]

    def _feed_forward(self, x: str, at: str) -> str:
        x = self.activate(self._wide(x, at + "ffn_1/intermediate/dense"))
        return self._wide(x, at + "ffn_1/intermediate/output/dense")

    def _wide(self, x: str, name: str) -> str:
        kernel = self._weights[f"{name}/kernel"]
        if kernel.ndim == 2:
            return self.dense(x, name)
        add = self.add
        inputs, outputs, groups = kernel.shape  # See `layers.GroupedDense`.
        rows = add("Reshape", x, add.integers([0, 0, inputs, groups]))
        y = add("Einsum", rows, self.weight(f"{name}/kernel"), equation="blig,iog->blgo")
        y = add("Reshape", y, add.integers([0, 0, groups * outputs]))
        return add("Add", y, self.weight(f"{name}/bias"))
