"""Functions of a model: named inputs, named outputs. Exports hold them, and runners compute them.

```
serving_default   the purpose of the model: its head
encode            vectors of texts and tokens, of any model with [B, L] inputs
```
B batch, L length, R rows of an example, P masked positions, D hidden, V vocabulary.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from albert_zh.inference.kinds import KindModel
from albert_zh.inference.outputs import (
    ENCODER_OUTPUTS,
    MASKED_LM_OUTPUTS,
    encoder_outputs,
    masked_lm_outputs,
)
from albert_zh.inference.predictor import INPUTS, POSITIONS, Arrays
from albert_zh.inference.sentence_encoder import FIRST_LAST, LAYER, MEAN, POOLED, VECTORS
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import masked_mean
from albert_zh.model.layers import shape_of

SERVING, ENCODE = "serving_default", "encode"

Tensors = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ModelFunction:
    """A function of a model, by names."""

    name: str
    inputs: Mapping[str, int]  # name -> number of axes, all of any size; int32
    outputs: tuple[str, ...]
    compute: Callable[[Tensors], dict[str, tf.Tensor]]
    shape: tuple[int, int] | None = None  # [B, L]; None: any

    def specs(self) -> dict[str, tf.TensorSpec]:
        """Shapes and types of the inputs."""
        return {
            name: tf.TensorSpec(self.shape or [None] * axes, tf.int32, name=name)
            for name, axes in self.inputs.items()
        }


def task_functions(kind_model: KindModel, model: tf.Module) -> tuple[ModelFunction, ...]:
    """Functions of a fine-tuned model."""
    axes = 3 if kind_model.rows_per_example else 2
    predict = ModelFunction(
        SERVING,
        dict.fromkeys(INPUTS, axes),
        kind_model.output_names,
        lambda inputs: kind_model.outputs(model(**inputs)),
    )
    return (predict,) if kind_model.rows_per_example else (predict, encoder_function(model))


def encoder_function(model: tf.Module, name: str = ENCODE) -> ModelFunction:
    """The vectors that the encoder of a model gives."""
    return ModelFunction(
        name,
        dict.fromkeys(INPUTS, 2),
        ENCODER_OUTPUTS,
        lambda inputs: encoder_outputs(model.albert(**inputs), inputs["input_mask"]),
    )


def vector_function(model: tf.Module, pooling: str, layer: int | None = None) -> ModelFunction:
    """Vectors `[B, D]` of texts, as `SentenceEncoder` describes them.

    Raises:
        ValueError: The model has no such layer.
    """
    count = model.albert.config.num_hidden_layers
    if layer is not None and not 1 <= layer <= count:
        raise ValueError(f"there is no layer {layer}; the model has layers 1 to {count}")

    def compute(inputs: Tensors) -> dict[str, tf.Tensor]:
        encoded = model.albert(**inputs)
        mask = inputs["input_mask"]
        if pooling == POOLED:
            return {VECTORS: tf.cast(encoded.pooled, tf.float32)}
        chosen = {
            MEAN: encoded.layers[-1:],
            FIRST_LAST: [encoded.layers[0], encoded.layers[-1]],
            LAYER: [encoded.layers[(layer or 1) - 1]],
        }[pooling]
        means = [masked_mean(each, mask) for each in chosen]
        return {VECTORS: tf.add_n(means) / len(means)}

    return ModelFunction(VECTORS, dict.fromkeys(INPUTS, 2), (VECTORS,), compute)


def masked_lm_function(model: PretrainingModel) -> ModelFunction:
    """Scores of all entries of the vocabulary at some positions of each text."""

    def compute(inputs: Tensors) -> dict[str, tf.Tensor]:
        positions = inputs[POSITIONS]
        texts = {name: inputs[name] for name in INPUTS}
        logits = model.masked_lm(model.albert(**texts, positions=positions).sequence)
        return masked_lm_outputs(tf.reshape(logits, [*shape_of(positions), logits.shape[-1]]))

    return ModelFunction(
        SERVING, {**dict.fromkeys(INPUTS, 2), POSITIONS: 2}, MASKED_LM_OUTPUTS, compute
    )


def pretrained_functions(model: tf.Module) -> tuple[ModelFunction, ...]:
    """Functions of a model without a task: with its masked-LM head, or the encoder alone."""
    if isinstance(model, PretrainingModel):
        return masked_lm_function(model), encoder_function(model)
    return (encoder_function(model, SERVING),)


def run_functions(functions: Sequence[ModelFunction], batch: Arrays) -> dict[str, np.ndarray]:
    """The outputs of all functions for one batch; each takes the inputs that it knows."""
    tensors = {name: tf.constant(value) for name, value in batch.items()}
    outputs: dict[str, tf.Tensor] = {}
    for function in functions:
        outputs |= function.compute({name: tensors[name] for name in function.inputs})
    return {name: value.numpy() for name, value in outputs.items()}
