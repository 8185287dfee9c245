"""The only place where the training aids meet: from the objective of a task to that of a training.

```
labels -> smoothing -> class weights -> teacher -> both passes of R-Drop -> both passes of FGM
```
Each aid is a function from objective to objective; those further right repeat what is left of them.
The teachers see a batch once. Learning rates and averages are settings of the optimizer.
"""

from collections.abc import Sequence

import tensorflow as tf

from albert_zh.aids.class_weights import weighted
from albert_zh.aids.distillation import Teacher, distilled, taught
from albert_zh.aids.fgm import adversarial
from albert_zh.aids.label_smoothing import smoothed
from albert_zh.aids.options import AidOptions
from albert_zh.aids.r_drop import r_drop
from albert_zh.train.metrics import Objective


def aided(
    objective: Objective,
    model: tf.Module,
    options: AidOptions,
    *,
    class_weights: Sequence[float] | None = None,
    teachers: Sequence[Teacher] = (),
) -> Objective:
    """The objective with the aids that the flags ask for.

    Args:
        objective: Of the task, computed by the model.
        model: Encoder with a head.
        options: The flags.
        class_weights: `[C]`, of --class_weights.
        teachers: Of --teacher_model.
    """
    if options.label_smoothing:
        objective = smoothed(objective, options.label_smoothing)
    if class_weights:
        objective = weighted(objective, class_weights)
    if teachers:
        objective = distilled(
            objective,
            model.albert,
            share=options.soft_share,
            temperature=options.temperature,
            hidden_weight=options.hidden_weight,
        )
    if options.r_drop_alpha:
        objective = r_drop(objective, options.r_drop_alpha)
    if options.fgm_epsilon:
        objective = adversarial(objective, model.albert.embeddings, options.fgm_epsilon)
    return taught(objective, teachers, options.temperature) if teachers else objective
