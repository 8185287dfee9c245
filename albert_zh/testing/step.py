"""A pretraining step and a made-up batch for it, to be compiled or timed."""

from typing import NamedTuple

import tensorflow as tf

from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.runs.spec import optimizer_options
from albert_zh.testing.synthetic_batch import made_up_batch
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.optimizers import Optimizer
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import LAMB, Rule
from albert_zh.train.schedules import ScheduleOptions, polynomial_decay_with_warmup
from albert_zh.train.step import Trainer


class Trial(NamedTuple):
    """`trainer.one_step(batch)` is the step; `trainer.run` takes iterators over such batches."""

    trainer: Trainer
    batch: dict[str, tf.Tensor]


def pretraining_trial(
    config: ModelConfig,
    *,
    batch_size: int,
    max_seq_length: int,
    max_predictions_per_seq: int,
    micro_batch: int | None = None,
    rule: Rule = LAMB,
    precision: Precision = Precision.FLOAT32,
    recompute: bool = False,
    xla: bool = False,
) -> Trial:
    """Masked LM and sentence order on one device, from random weights.

    Args:
        config: Of the model.
        batch_size: Examples of one optimizer step.
        max_seq_length: Tokens of an example.
        max_predictions_per_seq: Masks of an example.
        micro_batch: Examples at once, where that is fewer.
        rule: Of the optimizer.
        precision: In which the layers compute.
        recompute: Whether the backward pass computes the layers' values again.
        xla: Whether the step is compiled for the device at hand.

    Raises:
        ValueError: The lengths do not fit each other or the model, or the batch its parts.
    """
    config.check_length(max_seq_length, source="the configuration")
    batch = made_up_batch(
        batch_size=batch_size,
        max_seq_length=max_seq_length,
        max_predictions_per_seq=max_predictions_per_seq,
        vocab_size=config.vocab_size,
    )
    model = PretrainingModel(config, dtype=tf.as_dtype(precision.value), recompute=recompute)
    trainer = Trainer(
        objective=lambda batch, seed: pretraining_objective(model, batch, seed),
        optimizer=Optimizer(model.trainable_variables, optimizer_options(rule, config)),
        schedule=polynomial_decay_with_warmup(
            ScheduleOptions(learning_rate=1e-3, num_train_steps=1000, num_warmup_steps=100)
        ),
        seed=0,
        plan=BatchPlan.make(batch_size, num_replicas=1, micro_batch=micro_batch),
        precision=precision,
        xla=xla,
    )
    return Trial(trainer, {name: tf.constant(values) for name, values in batch.items()})
