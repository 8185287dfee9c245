"""Names and layouts of the arrays of one model, here and in transformers.

```
bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel          [D, I]
encoder.albert_layer_groups.0.albert_layers.0.ffn.weight                                [I, D]
```
Models with a head have `albert.` before the names of the encoder. The masked-LM head's `decoder`
is the word table, and is not stored.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from albert_zh.checkpoint.names import POSITIONS, WORD_TABLE
from albert_zh.config import ModelConfig

PREFIX = "albert."  # of the encoder, in models with a head
POOLER = "bert/pooler/"
MASKED_LM, SENTENCE_ORDER = "cls/predictions/", "cls/seq_relationship/"
HEAD = "output_"  # of a fine-tuned model


class Pair(NamedTuple):
    """One array under its two names."""

    ours: str
    theirs: str
    is_transposed: bool = False


# Modules of a layer, here and in transformers.
_LAYER_DENSE = {
    "attention_1/self/query": "attention.query",
    "attention_1/self/key": "attention.key",
    "attention_1/self/value": "attention.value",
    "attention_1/output/dense": "attention.dense",
    "ffn_1/intermediate/dense": "ffn",
    "ffn_1/intermediate/output/dense": "ffn_output",
}
_LAYER_NORMS = {"LayerNorm": "attention.LayerNorm", "LayerNorm_1": "full_layer_layer_norm"}


def encoder_pairs(config: ModelConfig) -> list[Pair]:
    """Names of the encoder's arrays, in google's form; the pooler's too.

    Raises:
        ValueError: transformers would apply the layer groups in another order.
    """
    _check_groups(config)
    pairs = [
        Pair(WORD_TABLE, "embeddings.word_embeddings.weight"),
        Pair(POSITIONS, "embeddings.position_embeddings.weight"),
        Pair("bert/embeddings/token_type_embeddings", "embeddings.token_type_embeddings.weight"),
        *_norm("bert/embeddings/LayerNorm", "embeddings.LayerNorm"),
        *_dense("bert/encoder/embedding_hidden_mapping_in", "encoder.embedding_hidden_mapping_in"),
    ]
    for group in range(config.num_hidden_groups):
        for inner in range(config.inner_group_num):
            ours = f"bert/encoder/transformer/group_{group}/inner_group_{inner}/"
            theirs = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}."
            for name, their_name in _LAYER_DENSE.items():
                pairs += _dense(ours + name, theirs + their_name)
            for name, their_name in _LAYER_NORMS.items():
                pairs += _norm(ours + name, theirs + their_name)
    return [*pairs, *_dense("bert/pooler/dense", "pooler")]


def pretraining_pairs() -> list[Pair]:
    """Names of the arrays of the masked-LM and the sentence-order head."""
    return [
        *_dense(MASKED_LM + "transform/dense", "predictions.dense"),
        *_norm(MASKED_LM + "transform/LayerNorm", "predictions.LayerNorm"),
        Pair(MASKED_LM + "output_bias", "predictions.bias"),
        *_head(SENTENCE_ORDER + HEAD, "sop_classifier.classifier"),
    ]


def task_pairs(module: str) -> list[Pair]:
    """Names of the arrays of a fine-tuned model's head, which is a module of that name there."""
    return _head(HEAD, module)


def with_prefix(pairs: list[Pair]) -> list[Pair]:
    """The pairs of an encoder that has a head."""
    return [pair._replace(theirs=PREFIX + pair.theirs) for pair in pairs]


def to_theirs(arrays: Mapping[str, np.ndarray], pairs: list[Pair]) -> dict[str, np.ndarray]:
    """The arrays under transformers' names and in its layout."""
    return {pair.theirs: np.ascontiguousarray(_turned(arrays[pair.ours], pair)) for pair in pairs}


def to_ours(arrays: Mapping[str, np.ndarray], pairs: list[Pair]) -> dict[str, np.ndarray]:
    """The arrays under our names and in our layout."""
    return {pair.ours: np.ascontiguousarray(_turned(arrays[pair.theirs], pair)) for pair in pairs}


def _turned(array: np.ndarray, pair: Pair) -> np.ndarray:
    return array.T if pair.is_transposed else array


def _dense(ours: str, theirs: str) -> list[Pair]:
    return [
        Pair(f"{ours}/kernel", f"{theirs}.weight", is_transposed=True),
        Pair(f"{ours}/bias", f"{theirs}.bias"),
    ]


def _norm(ours: str, theirs: str) -> list[Pair]:
    return [Pair(f"{ours}/gamma", f"{theirs}.weight"), Pair(f"{ours}/beta", f"{theirs}.bias")]


def _head(ours: str, theirs: str) -> list[Pair]:
    """A layer that both sides store as `[classes, D]`."""
    return [Pair(f"{ours}weights", f"{theirs}.weight"), Pair(f"{ours}bias", f"{theirs}.bias")]


def _check_groups(config: ModelConfig) -> None:
    layers, groups = config.num_hidden_layers, config.num_hidden_groups
    if groups > layers:
        raise ValueError(
            f"num_hidden_groups {groups} exceeds num_hidden_layers {layers}: groups that no layer "
            "uses are not stored here, and transformers needs all of them"
        )
    for layer in range(layers):
        # Both round down, but divide in another order: floats make them differ for some sizes.
        ours, theirs = int(layer / layers * groups), int(layer / (layers / groups))
        if ours != theirs:
            raise ValueError(
                f"with num_hidden_layers {layers} and num_hidden_groups {groups}, layer {layer} "
                f"is of group {ours} in google's code and of group {theirs} in transformers, so "
                "no weights make the two equal"
            )
