"""A small pretraining that runs under any strategy, plan and precision, so that they compare."""

import dataclasses

import numpy as np
import tensorflow as tf
from goldens import golden_case

from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import LAMB
from albert_zh.train.step import Trainer
from albert_zh.train.strategy import distribute_batches


def small_config(**changes) -> ModelConfig:
    return dataclasses.replace(golden_case("google").config, num_hidden_layers=1, **changes)


def random_batches(count: int, size: int = 4, length: int = 12, masks: int = 3) -> tf.data.Dataset:
    """Random rows, of which some have more padding and fewer masks than others."""
    random = np.random.default_rng(11)
    kind = np.arange(size) * 4 // size
    mask = np.arange(length) < (length - kind)[:, None]
    weights = np.float32(np.arange(masks) <= (masks - kind)[:, None])

    def integers(limit, *shape):
        return random.integers(0, limit, [count, size, *shape], np.int32)

    return tf.data.Dataset.from_tensor_slices(
        {
            "input_ids": integers(100, length) * mask,
            "input_mask": np.broadcast_to(np.int32(mask), [count, size, length]),
            "segment_ids": integers(2, length) * mask,
            "masked_lm_positions": integers(length - 4, masks),
            "masked_lm_ids": integers(100, masks),
            "masked_lm_weights": np.broadcast_to(weights, [count, size, masks]),
            "sentence_order": integers(2),
        }
    )


class Setup:
    """A trainer with its model; the whole state, so that runs can be compared."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        strategy: tf.distribute.Strategy | None = None,
        schedule=None,
        seed: int = 0,
        precision: Precision = Precision.FLOAT32,
        **trainer,
    ):
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope():
            self.model = PretrainingModel(config, seed=5, dtype=tf.as_dtype(precision.value))
            self.optimizer = Optimizer(self.model.trainable_variables, OptimizerOptions(LAMB))
        self.trainer = Trainer(
            objective=lambda batch, seed: pretraining_objective(self.model, batch, seed),
            optimizer=self.optimizer,
            schedule=schedule or (lambda step: 0.01 / (1.0 + tf.cast(step, tf.float32))),
            seed=seed,
            strategy=strategy,
            precision=precision,
            **trainer,
        )

    def variables(self) -> dict[str, tf.Variable]:
        state = {**named_variables(self.model), **named_variables(self.optimizer)}
        return {**state, **self.trainer.state}

    def state(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self.variables().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self.variables().items():
            variable.assign(state[name])


def run_steps(
    strategy: tf.distribute.Strategy, plan: BatchPlan, steps: int = 20, **trainer
) -> list[float]:
    """The losses of steps on as many different batches."""
    setup = Setup(small_config(), strategy=strategy, plan=plan, **trainer)
    batches = iter(distribute_batches(strategy, random_batches(steps, plan.global_batch)))
    return [float(setup.trainer.run(batches, 1).loss) for _ in range(steps)]
