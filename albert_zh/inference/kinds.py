"""KindModel: the model of a kind of task, as a row. The text side is `tasks.task.Kind`.

A model of a kind is called in two ways, both with `input_ids`, `input_mask`, `segment_ids`
`[B, L] int32`:

```
model(**inputs, seeds=None)                        -> logits, in the fastest way
model.logits_of(model.albert(**inputs), input_mask) -> the same of an encoded batch
```
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.config import ModelConfig
from albert_zh.inference.outputs import class_outputs, number_outputs, span_outputs, tag_outputs
from albert_zh.model.heads.choice import ChoiceClassifier
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.heads.tokens import TokenClassifier
from albert_zh.objectives.classification import classification_objective
from albert_zh.objectives.regression import regression_objective
from albert_zh.objectives.tokens import reading_objective, tagging_objective
from albert_zh.tasks.kinds.tagging import num_tags
from albert_zh.train.metrics import Outcome


@dataclasses.dataclass(frozen=True)
class KindModel:
    """The TensorFlow side of a kind of task."""

    # Makes the model: configuration, task, `seed=`, `dtype=`, `recompute=`.
    build: Callable[..., tf.Module]
    # Loss and metrics of a batch: model, batch, dropout seed.
    objective: Callable[..., Outcome]
    # Named outputs of the logits; `output_names` are their keys.
    outputs: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    output_names: tuple[str, ...]
    # Rows of the head's weights `output_weights`.
    classes: Callable[[TaskMeta], int] = lambda task: len(task.labels)
    rows_per_example: bool = False  # inputs are `[B, R, L]` instead


def _classifier(config: ModelConfig, task: TaskMeta, **settings) -> Classifier:
    return Classifier(config, len(task.labels), pooling=task.pooling, **settings)


def _chooser(config: ModelConfig, task: TaskMeta, **settings) -> ChoiceClassifier:
    return ChoiceClassifier(config, pooling=task.pooling, **settings)


def _regressor(config: ModelConfig, task: TaskMeta, **settings) -> Classifier:
    return Classifier(config, 1, pooling=task.pooling, **settings)


def _reader(config: ModelConfig, task: TaskMeta, **settings) -> TokenClassifier:
    return TokenClassifier(config, 2, **settings)


def _tagger(config: ModelConfig, task: TaskMeta, **settings) -> TokenClassifier:
    return TokenClassifier(config, num_tags(task.labels), **settings)


KIND_MODELS: dict[str, KindModel] = {
    "classification": KindModel(
        build=_classifier,
        objective=classification_objective,
        outputs=class_outputs,
        output_names=("logits", "probabilities"),
    ),
    "choice": KindModel(
        build=_chooser,
        objective=classification_objective,
        outputs=class_outputs,
        output_names=("logits", "probabilities"),
        classes=lambda task: 1,
        rows_per_example=True,
    ),
    "regression": KindModel(
        build=_regressor,
        objective=regression_objective,
        outputs=number_outputs,
        output_names=("values",),
        classes=lambda task: 1,
    ),
    "reading": KindModel(
        build=_reader,
        objective=reading_objective,
        outputs=span_outputs,
        output_names=("start_logits", "end_logits"),
        classes=lambda task: 2,
    ),
    "tagging": KindModel(
        build=_tagger,
        objective=tagging_objective,
        outputs=tag_outputs,
        output_names=("tag_logits",),
        classes=lambda task: num_tags(task.labels),
    ),
}
