"""Values that all workers of a training have to share; a single worker keeps its own."""

import tensorflow as tf

from albert_zh.train.strategy import is_chief, is_multi_worker


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """True if the flag of any worker is. All workers call this at the same point of their work.

    Takes some milliseconds on one machine; call it between calls to the device.
    """
    return _sum_over_workers(strategy, int(flag)) > 0


def broadcast_from_chief(strategy: tf.distribute.Strategy, number: int) -> int:
    """The chief's number, for what each worker would measure differently, such as its pace."""
    return _sum_over_workers(strategy, number if is_chief(strategy) else 0)


def _sum_over_workers(strategy: tf.distribute.Strategy, number: int) -> int:
    if not is_multi_worker(strategy):
        return number
    # A plain tensor is added once for each worker, however many devices the worker has.
    total = strategy.reduce(tf.distribute.ReduceOp.SUM, tf.constant(number, tf.int64), axis=None)
    return int(total)
