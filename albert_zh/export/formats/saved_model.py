"""SavedModel: a folder with weights, computation and assets, for serving and for further work.

saved_model/
    saved_model.pb  fingerprint.pb  variables/
    assets/vocab.txt  albert_config.json  task.json  labels.txt

serving_default(input_ids, input_mask, segment_ids) -> logits, probabilities
encode(input_ids, input_mask, segment_ids) -> pooled_output, sequence_output
"""

import os
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.inference.load import FineTunedModel
from albert_zh.inference.outputs import ENCODER_OUTPUTS, encoder_outputs
from albert_zh.inference.predictor import INPUTS, Arrays, Runner
from albert_zh.util.plain_paths import plain_path

_SPECS = [tf.TensorSpec([None, None], tf.int32, name=name) for name in INPUTS]
_SERVING, _ENCODE = "serving_default", "encode"


class _Served(tf.Module):
    """Content of the folder."""

    def __init__(self, source: FineTunedModel, assets: Sequence[str]):
        super().__init__()
        self.model = source.model
        self.assets = [tf.saved_model.Asset(path) for path in assets]
        self._outputs = source.kind_model.outputs

    @tf.function(input_signature=_SPECS, autograph=False)
    def predict(self, input_ids, input_mask, segment_ids) -> dict[str, tf.Tensor]:
        return self._outputs(self.model(input_ids, input_mask, segment_ids))

    @tf.function(input_signature=_SPECS, autograph=False)
    def encode(self, input_ids, input_mask, segment_ids) -> dict[str, tf.Tensor]:
        return encoder_outputs(self.model.albert(input_ids, input_mask, segment_ids))


def write(source: FineTunedModel, path: str, assets: Sequence[str]) -> None:
    """Write the SavedModel of a model.

    Args:
        source: The model.
        path: Folder to make.
        assets: Files to put into it.
    """
    served = _Served(source, assets)
    signatures = {_SERVING: served.predict, _ENCODE: served.encode}
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)  # TensorFlow informs its own developers here.
    folder, name = os.path.split(path)
    try:
        with plain_path(folder) as plain:
            tf.saved_model.save(served, os.path.join(plain, name), signatures=signatures)
    finally:
        logging.set_verbosity(verbosity)


def interface(source: FineTunedModel) -> dict[str, Any]:
    """Names of the signatures, their inputs and outputs."""
    outputs = {_SERVING: source.kind_model.output_names, _ENCODE: ENCODER_OUTPUTS}
    return {
        "signatures": {
            name: {"inputs": list(INPUTS), "outputs": list(outputs[name])} for name in outputs
        }
    }


def load(path: str) -> Runner:
    """Read a SavedModel; the runner computes the outputs of both signatures."""
    try:
        with plain_path(path) as plain:
            loaded = tf.saved_model.load(plain)
    except (OSError, tf.errors.OpError) as error:
        raise ValueError(f"{path} is damaged: {error}; export again") from None

    def run(batch: Arrays) -> Arrays:
        inputs = {name: tf.constant(value) for name, value in batch.items()}
        outputs: Arrays = {}
        for signature in (_SERVING, _ENCODE):
            outputs |= {
                name: value.numpy()
                for name, value in loaded.signatures[signature](**inputs).items()
            }
        return outputs

    return run
