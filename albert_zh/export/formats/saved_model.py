"""SavedModel: a folder with weights, computation and assets, for serving and for further work.

```
saved_model/1/                           a version, as TensorFlow Serving wants it
    saved_model.pb  fingerprint.pb  variables/
    assets/vocab.txt  albert_config.json  task.json  labels.txt

serving_default(input_ids, input_mask, segment_ids) -> logits, probabilities
encode(input_ids, input_mask, segment_ids) -> pooled_output, sequence_output, mean_output
```
A signature for each function of the model; see `inference.functions`.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.export.material import Material
from albert_zh.export.source import Source
from albert_zh.inference.functions import SERVING, ModelFunction
from albert_zh.inference.predictor import Arrays, Runner
from albert_zh.util.plain_paths import plain_path
from albert_zh.util.tensorflow_start import python_log_from

_VERSION = "1"


class Served(tf.Module):
    """Content of a folder."""

    def __init__(self, source: Source, assets: Sequence[str]):
        super().__init__()
        self.model = source.model
        self.assets = [tf.saved_model.Asset(path) for path in assets]


def signature_of(function: ModelFunction):
    """The function as TensorFlow's, with named arguments."""

    @tf.function(autograph=False)
    def compute(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return function.compute(inputs)

    return compute.get_concrete_function(**function.specs())


def write(source: Source, path: str, material: Material) -> None:
    """Write the SavedModel of a model.

    Args:
        source: The model.
        path: Folder to make.
        material: Its assets are put into the folder.
    """
    signatures = {each.name: signature_of(each) for each in source.functions(source.model)}
    save(Served(source, material.assets), path, signatures)


def save(served: Served, path: str, signatures: Mapping[str, Any]) -> None:
    """Write the folder."""
    os.mkdir(path)
    with python_log_from(logging.WARNING), plain_path(path) as plain:
        tf.saved_model.save(served, os.path.join(plain, _VERSION), signatures=signatures)


def interface(source: Source) -> dict[str, Any]:
    """Names of the signatures, their inputs and outputs."""
    return {
        "signatures": {
            each.name: {"inputs": list(each.inputs), "outputs": list(each.outputs)}
            for each in source.functions(source.model)
        }
    }


def load(path: str) -> Runner:
    """Read a SavedModel; the runner computes the outputs of all signatures."""
    return _runner(path)


def load_first(path: str) -> Runner:
    """The same for the signature that the model is for."""
    return _runner(path, SERVING)


def _runner(path: str, *names: str) -> Runner:
    version = os.path.join(path, _VERSION)  # which earlier exports lack
    try:
        with plain_path(version if os.path.isdir(version) else path) as plain:
            loaded = tf.saved_model.load(plain)
    except (OSError, tf.errors.OpError) as error:
        raise ValueError(f"{path} is damaged: {error}; export again") from None

    signatures = [loaded.signatures[name] for name in names or loaded.signatures]

    def run(batch: Arrays) -> Arrays:
        outputs: Arrays = {}
        for signature in signatures:
            names = signature.structured_input_signature[1]
            if not set(names) <= set(batch):
                continue  # It takes texts.
            found = signature(**{name: tf.constant(batch[name]) for name in names})
            outputs |= {name: value.numpy() for name, value in found.items()}
        return outputs

    return run
