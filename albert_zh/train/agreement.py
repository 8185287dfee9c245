"""What the workers of a training decide together; one worker alone decides for itself."""

import tensorflow as tf

from albert_zh.train.strategy import is_chief, is_multi_worker


def agree(strategy: tf.distribute.Strategy, wanted: bool) -> bool:
    """Whether any worker wants it. All workers call this at the same point of their work.

    Some milliseconds on one machine; call it between calls to the device.
    """
    return _sum_over_workers(strategy, int(wanted)) > 0


def of_chief(strategy: tf.distribute.Strategy, number: int) -> int:
    """The chief's number, for what each worker would measure differently, such as its pace."""
    return _sum_over_workers(strategy, number if is_chief(strategy) else 0)


def _sum_over_workers(strategy: tf.distribute.Strategy, number: int) -> int:
    if not is_multi_worker(strategy):
        return number
    # A plain tensor counts once a worker, however many devices it has.
    total = strategy.reduce(tf.distribute.ReduceOp.SUM, tf.constant(number, tf.int64), axis=None)
    return int(total)
