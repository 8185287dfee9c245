"""Learning-rate schedules: functions from step to rate."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

Schedule = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ScheduleOptions:
    """Polynomial decay with a linear warm-up."""

    learning_rate: float  # rate that the warm-up aims at
    num_train_steps: int  # step at which the rate is 0
    num_warmup_steps: int = 0
    power: float = 1.0  # exponent of the decay; 1 is a straight line
    start_warmup_step: int = 0  # step at which the warm-up starts


def polynomial_decay_with_warmup(options: ScheduleOptions) -> Schedule:
    """The schedule of BERT and ALBERT: from the number of steps done to the rate of the next one.

    After the warm-up, `rate = learning_rate * (1 - step / num_train_steps) ** power`. The decay
    counts from step 0, so the rate drops where the warm-up ends. Before start_warmup_step the rate
    is 0 (the published formula gave a negative rate there).

    >>> rate = polynomial_decay_with_warmup(ScheduleOptions(
    ...     learning_rate=1.0, num_train_steps=10, num_warmup_steps=4))
    >>> [round(float(rate(step)), 2) for step in (0, 2, 4, 5, 10, 11)]
    [0.0, 0.5, 0.6, 0.5, 0.0, 0.0]
    """
    if options.num_train_steps < 1:
        raise ValueError(f"num_train_steps is {options.num_train_steps}; it must be at least 1")
    if options.num_warmup_steps < 0:
        raise ValueError(f"num_warmup_steps is {options.num_warmup_steps}; it must be at least 0")

    def rate(step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        left = 1.0 - tf.minimum(step, options.num_train_steps) / options.num_train_steps
        decayed = options.learning_rate * left**options.power
        if not options.num_warmup_steps:
            return decayed
        done = (step - options.start_warmup_step) / options.num_warmup_steps
        warming = options.learning_rate * tf.maximum(done, 0.0)
        return tf.where(done < 1.0, warming, decayed)

    return rate
