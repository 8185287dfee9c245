"""SavedModel that takes texts as well as token ids: for servers that shall need no tokenizer.

```
texts(text_a[, text_b]) -> logits, probabilities         strings, of models for texts or pairs
encode_texts(text_a) -> pooled_output, sequence_output, mean_output
```
beside the signatures of `formats.saved_model`. It holds operations of TensorFlow Text, without
which TensorFlow cannot load it; TensorFlow Serving has them. So it is a format of its own.
"""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from albert_zh.export.formats import saved_model
from albert_zh.export.material import Material
from albert_zh.export.source import Source
from albert_zh.export.text_inputs import TextInputs
from albert_zh.inference.functions import ENCODE, SERVING, ModelFunction
from albert_zh.inference.outputs import ENCODER_OUTPUTS
from albert_zh.inference.predictor import Runner
from albert_zh.text.wordpiece import WordPieceTokenizer
from albert_zh.util.optional_packages import load_extra

_KINDS = ("classification", "regression")
_NAMES = {SERVING: "texts", ENCODE: "encode_texts"}
_ARGUMENTS = ("text_a", "text_b")


def write(source: Source, path: str, material: Material) -> None:
    """Write the SavedModel of a model.

    Args:
        source: The model.
        path: Folder to make.
        material: Its assets are put into the folder.

    Raises:
        ValueError: The tokenizer is not WordPiece, or the package tensorflow-text is not installed
            or splits texts in another way.
    """
    tokenizer = source.tokenizer
    if not isinstance(tokenizer, WordPieceTokenizer):
        raise ValueError(
            "saved_model_text is for models with a WordPiece vocabulary, whose texts have no whole "
            "entries; leave it out of --formats"
        )
    task, config = source.task, source.config
    longest = (task and task.max_seq_length) or config.max_position_embeddings
    inputs = TextInputs(tokenizer, max_seq_length=longest)
    functions = source.functions(source.model)
    signatures = {each.name: saved_model.signature_of(each) for each in functions}
    for function, num_texts in _text_functions(source):
        inputs.check(num_texts)
        signatures[_NAMES[function.name]] = _signature_of(function, inputs, num_texts)
    served = saved_model.Served(source, material.assets)
    served.text_inputs = inputs  # keeps its table
    saved_model.save(served, path, signatures)


def _text_functions(source: Source) -> Iterator[tuple[ModelFunction, int]]:
    """Functions that texts alone are enough for, and the number of their texts."""
    task = source.task
    for function in source.functions(source.model):
        if function.outputs == ENCODER_OUTPUTS:
            yield function, 1
        elif task is not None and task.kind in _KINDS and task.num_texts:
            yield function, task.num_texts


def _signature_of(function: ModelFunction, inputs: TextInputs, num_texts: int):
    names = _ARGUMENTS[:num_texts]

    @tf.function(autograph=False)
    def compute(**texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return function.compute(inputs(*(texts[name] for name in names)))

    specs = {name: tf.TensorSpec([None], tf.string, name=name) for name in names}
    return compute.get_concrete_function(**specs)


def interface(source: Source) -> dict[str, Any]:
    """Names of the signatures, their inputs and outputs."""
    signatures = saved_model.interface(source)["signatures"]
    for function, num_texts in _text_functions(source):
        signatures[_NAMES[function.name]] = {
            "inputs": list(_ARGUMENTS[:num_texts]),
            "outputs": list(function.outputs),
        }
    return {"signatures": signatures}


def load(path: str) -> Runner:
    """Read a SavedModel; the runner computes the outputs of all signatures that take token ids."""
    load_extra("tensorflow_text", purpose=f"reading {path}")
    return saved_model.load(path)


def load_first(path: str) -> Runner:
    """The same for the signature that the model is for."""
    load_extra("tensorflow_text", purpose=f"reading {path}")
    return saved_model.load_first(path)
