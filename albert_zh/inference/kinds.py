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
from albert_zh.inference.outputs import class_outputs
from albert_zh.model.heads.sequence import Classifier
from albert_zh.objectives.classification import classification_objective
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


def _classifier(config: ModelConfig, task: TaskMeta, **settings) -> Classifier:
    return Classifier(config, len(task.labels), pooling=task.pooling, **settings)


KIND_MODELS: dict[str, KindModel] = {
    "classification": KindModel(
        build=_classifier,
        objective=classification_objective,
        outputs=class_outputs,
        output_names=("logits", "probabilities"),
    ),
}
