"""Groups of neighbouring tokens in batches `[B, L]`, such as words and units."""

from collections.abc import Callable

import tensorflow as tf


class Groups:
    """Neighbouring tokens that belong together, given by the starts of the groups `[B, L] bool`.

    Groups are numbered through the batch, those of row b from b * L. A value per group stands at
    the group's number in a `[B, L]` tensor; a value per token stands at the token.
    """

    def __init__(self, starts: tf.Tensor):
        # The first token of a row starts a group.
        self.numbers = tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1 + row_starts(starts)

    def spread(self, per_group: tf.Tensor) -> tf.Tensor:
        """Each token's value of its group."""
        return tf.gather(tf.reshape(per_group, [-1]), self.numbers)

    def sums(self, values: tf.Tensor) -> tf.Tensor:
        """The sum per group of values per token."""
        return per_number(tf.math.unsorted_segment_sum, values, self.numbers)

    def sizes(self, counted: tf.Tensor) -> tf.Tensor:
        """Per token, the number of counted tokens in its group."""
        return self.spread(self.sums(tf.cast(counted, tf.int32)))

    def any(self, marked: tf.Tensor) -> tf.Tensor:
        """Per token, whether a token of its group is marked."""
        return self.sizes(marked) > 0

    def minima(self, values: tf.Tensor) -> tf.Tensor:
        """Per token, the least value in its group."""
        return self.spread(per_number(tf.math.unsorted_segment_min, values, self.numbers))

    def maxima(self, values: tf.Tensor) -> tf.Tensor:
        """Per token, the greatest value in its group."""
        return self.spread(per_number(tf.math.unsorted_segment_max, values, self.numbers))


def places(like: tf.Tensor) -> tf.Tensor:
    """0, 1, 2, ... in every row `[B, L]`."""
    return tf.broadcast_to(tf.range(tf.shape(like)[1]), tf.shape(like))


def row_starts(like: tf.Tensor) -> tf.Tensor:
    """Number of the first group of each row `[B, 1]`."""
    return (tf.range(tf.shape(like)[0]) * tf.shape(like)[1])[:, tf.newaxis]


def per_number(reduce: Callable, values: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """The values `[B, L]` of equal number, reduced to one; those numbered -1 are left out."""
    return tf.reshape(reduce(values, numbers, tf.size(numbers)), tf.shape(numbers))
