"""Arrays computed by the published code under TensorFlow 1.15, one folder a model case."""

import dataclasses
import functools
import json
import os

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.config import Lineage, ModelConfig
from albert_zh.model.heads import Classifier, Pooling, PretrainingModel
from albert_zh.model.scope import named_variables

ROOT = os.path.join(os.path.dirname(__file__), "goldens")
MODELS = os.path.join(ROOT, "models")
CASES = sorted(os.listdir(MODELS))

# Rounding noise alone: a softmax does not see what the keys' bias adds.
NOISE = "/key/bias"


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """How far a correct float32 implementation with another order of summation may be off."""

    forward: float = 2e-5  # outputs, losses, gradients, absolute
    lamb_norm: float = 1e-4  # gradient norms over three LAMB steps, relative
    adamw_loss: float = 1e-4  # relative
    adamw_norm: float = 5e-4  # relative
    adamw_weights: float = 5e-5  # absolute
    adamw_slots: float = 1e-3  # relative to the largest element


PRE_LN = Tolerances(
    forward=1e-4,
    lamb_norm=5e-3,
    adamw_loss=5e-4,
    adamw_norm=1e-2,
    adamw_weights=5e-4,
    adamw_slots=1e-2,
)


class GoldenCase:
    """One folder of expected arrays, and our models with its start weights."""

    def __init__(self, name: str):
        self.directory = os.path.join(MODELS, name)
        with open(self.path("case.json")) as file:
            self.facts = json.load(file)
        self.config = ModelConfig.from_json_file(
            self.path("config.json"), lineage=Lineage(self.facts["family"])
        )
        self.tolerances = PRE_LN if name == "brightmart_preln" else Tolerances()

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    @functools.cache  # noqa: B019 - a handful of cases, alive for the whole test run
    def arrays(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.path(name)) as arrays:
            return dict(arrays)

    def checkpoint(self, name: str) -> dict[str, np.ndarray]:
        return read_arrays(self.path(name), read_shapes(self.path(name)))

    def has(self, name: str) -> bool:
        return os.path.exists(self.path(name))

    def batch(self) -> dict[str, tf.Tensor]:
        inputs = {name: tf.constant(value) for name, value in self.arrays("inputs.npz").items()}
        inputs["sentence_order"] = inputs.pop("next_sentence_labels")[:, 0]
        return inputs

    def classifier_batch(self, name: str) -> dict[str, tf.Tensor]:
        names = ("input_ids", "input_mask", "segment_ids")
        batch = {key: value for key, value in self.batch().items() if key in names}
        return {**batch, "label_ids": tf.constant(self.arrays(name)["label_ids"])}

    def pretraining_model(self) -> PretrainingModel:
        model = PretrainingModel(self.config)
        assign(model, self.checkpoint("model.ckpt-0"))
        return model

    def classifier(self, name: str) -> Classifier:
        pooling = Pooling.MEAN if "mean" in name else Pooling.POOLED
        model = Classifier(self.config, 3, pooling=pooling)
        head = {
            key.removeprefix("head/"): value
            for key, value in self.arrays(name).items()
            if key.startswith("head/")
        }
        assign(model, {**self.checkpoint("model.ckpt-0"), **head})
        return model


def assign(model: tf.Module, arrays: dict[str, np.ndarray]) -> None:
    """Fills every variable of a model."""
    for name, variable in named_variables(model).items():
        variable.assign(arrays[name])
