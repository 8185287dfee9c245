"""SavedModel: a folder with weights, computation and assets, for serving and for further work.

saved_model/
    saved_model.pb  fingerprint.pb  variables/
    assets/vocab.txt  albert_config.json  task.json  labels.txt

serving_default(input_ids, input_mask, segment_ids) -> logits, probabilities
encode(input_ids, input_mask, segment_ids) -> pooled_output, sequence_output
"""

from collections.abc import Sequence

import tensorflow as tf

from albert_zh.export.check import INPUTS, Arrays, Runner
from albert_zh.export.fine_tuned import FineTuned
from albert_zh.model.heads.sequence import Classifier

SIGNATURES = {
    "serving_default": ("logits", "probabilities"),
    "encode": ("pooled_output", "sequence_output"),
}
_SPECS = [tf.TensorSpec([None, None], tf.int32, name=name) for name in INPUTS]


class _Served(tf.Module):
    """What the folder holds."""

    def __init__(self, model: Classifier, assets: Sequence[str]):
        super().__init__()
        self.model = model
        self.assets = [tf.saved_model.Asset(path) for path in assets]

    @tf.function(input_signature=_SPECS, autograph=False)
    def classify(self, input_ids, input_mask, segment_ids) -> dict[str, tf.Tensor]:
        logits = self.model(input_ids, input_mask, segment_ids)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    @tf.function(input_signature=_SPECS, autograph=False)
    def encode(self, input_ids, input_mask, segment_ids) -> dict[str, tf.Tensor]:
        encoded = self.model.albert(input_ids, input_mask, segment_ids)
        return {"pooled_output": encoded.pooled, "sequence_output": encoded.sequence}


def write(source: FineTuned, path: str, assets: Sequence[str]) -> None:
    """Writes the SavedModel of a classifier.

    Args:
        source: The classifier.
        path: Folder to make.
        assets: Files to put into it.
    """
    served = _Served(source.model, assets)
    signatures = {"serving_default": served.classify, "encode": served.encode}
    tf.saved_model.save(served, path, signatures=signatures)


def load(path: str) -> Runner:
    """Reads a SavedModel; what comes back computes the outputs of both signatures."""
    loaded = tf.saved_model.load(path)

    def run(batch: Arrays) -> Arrays:
        inputs = {name: tf.constant(value) for name, value in batch.items()}
        outputs: Arrays = {}
        for signature in SIGNATURES:
            outputs |= {
                name: value.numpy()
                for name, value in loaded.signatures[signature](**inputs).items()
            }
        return outputs

    return run
