"""A model of any lineage as one of google's, which transformers can hold. Pure functions.

brightmart   word [V, E] @ word_embeddings_2 [E, D] + type + position -> LayerNorm(D)
google       word' [V, D]                           + type + position -> LayerNorm(D) -> @ I + 0

with word' = word @ word_embeddings_2: the same sums, normalised at the same place. The masked-LM
head of brightmart goes back through both tables, so it equals one that is tied to word'.

google_fast  feed-forward kernels in G groups -> the same kernels, dense, with zeros between groups
"""

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from albert_zh.checkpoint.names import WORD_TABLE
from albert_zh.config import ModelConfig, NormOrder

GOOGLE = "google"
MAPPING = "bert/encoder/embedding_hidden_mapping_in/"
_GROUPED = re.compile(r"/ffn_1/intermediate/(output/)?dense/kernel$")

Arrays = dict[str, np.ndarray]  # name -> array, as in a checkpoint


def to_google_form(arrays: Mapping[str, np.ndarray], config: ModelConfig) -> Arrays:
    """The weights of an equal model of google's lineage, whose configuration is `google_config`.

    Args:
        arrays: Weights by the names of the checkpoint.
        config: Configuration of the model.

    Raises:
        ValueError: There is none: the model is pre-LN.
    """
    google = google_config(config)
    arrays = {config.variant.canonical_name(name): array for name, array in arrays.items()}
    if config.variant.project_words_first:
        projection = arrays.pop(MAPPING + "kernel").astype(np.float64)
        arrays[WORD_TABLE] = (arrays[WORD_TABLE] @ projection).astype(np.float32)
    if config.variant.feed_forward_groups > 1:
        arrays = {
            name: dense_kernel(array) if _GROUPED.search(name) else array
            for name, array in arrays.items()
        }
    if not google.has_embedding_mapping:  # transformers always has one
        arrays[MAPPING + "kernel"] = np.eye(google.hidden_size, dtype=np.float32)
        arrays[MAPPING + "bias"] = np.zeros(google.hidden_size, np.float32)
    return arrays


def google_config(config: ModelConfig) -> ModelConfig:
    """The configuration of the same model in google's form.

    Raises:
        ValueError: There is none: the model is pre-LN.
    """
    if config.norm_order is NormOrder.PRE:
        raise ValueError(
            "the model is pre-LN: it normalises the input of each sublayer, and ALBERT of "
            "transformers the sum after it, so no weights make the two equal"
        )
    width = config.hidden_size if config.variant.project_words_first else config.embedding_size
    return dataclasses.replace(config, lineage=GOOGLE, embedding_size=width)


def without_identity(arrays: Mapping[str, np.ndarray], config: ModelConfig) -> tuple:
    """The weights and the configuration without an embedding mapping that changes nothing.

    Args:
        arrays: Weights in google's form, with a mapping.
        config: Their configuration.

    Returns:
        Both as they were where the mapping is none that may be left out.
    """
    kernel, bias = arrays[MAPPING + "kernel"], arrays[MAPPING + "bias"]
    if config.embedding_size != config.hidden_size:
        return dict(arrays), config
    if bias.any() or not np.array_equal(kernel, np.eye(config.hidden_size)):
        return dict(arrays), dataclasses.replace(config, maps_embeddings=True)
    kept = {name: array for name, array in arrays.items() if not name.startswith(MAPPING)}
    return kept, dataclasses.replace(config, maps_embeddings=False)


def dense_kernel(kernel: np.ndarray) -> np.ndarray:
    """The dense kernel `[I, O]` of a grouped one, `[I/G, O/G, G]`; see `layers.GroupedDense`.

    >>> dense_kernel(np.array([[[1, 2]], [[3, 4]]]))
    array([[1, 0],
           [0, 2],
           [3, 0],
           [0, 4]])
    """
    inputs, outputs, groups = kernel.shape
    dense = np.zeros((inputs * groups, outputs * groups), kernel.dtype)
    for group in range(groups):
        dense[group::groups, group * outputs : (group + 1) * outputs] = kernel[:, :, group]
    return dense
