"""Units of whole batches in TensorFlow, cut and chosen as in `masking.units`, all rows at once.

A value per word or unit stands at its number in a `[B, L]` tensor; further places are not used.
"""

import tensorflow as tf

from albert_zh.masking.groups import Groups, per_number, places, row_starts
from albert_zh.masking.recipe import TRIES, MaskingRecipe
from albert_zh.masking.unit_lengths import LONGEST_RUN


def unit_starts(words, text, budget, recipe: MaskingRecipe, seed) -> tf.Tensor:
    """Starts of the units `[B, L] bool`.

    A word of more than `max_predictions_per_seq` tokens falls apart into them.

    Args:
        words: `[B, L] bool`, starts of the words; each token that is no text is one of them.
        text: `[B, L] bool`, True for the tokens that can be masked.
        budget: `[B] int32`; units of several words have no more tokens.
        recipe: How long units are.
        seed: `[2]` integers.
    """
    units = words
    if len(recipe.unit_lengths) > 1:
        units = _joined(words, text, budget, recipe, seed)
    return units | (Groups(units).sizes(text) > recipe.max_predictions_per_seq)


def choose_units(units: Groups, text, budget, seed, *, most: int) -> tf.Tensor:
    """Tokens `[B, L] bool` of random units that use up `budget` `[B]`, or as much as is found.

    Of the shortest unit where none fits. No budget is larger than `most`.
    """
    sizes = units.sums(tf.cast(text, tf.int32))
    fitting = tf.where(sizes <= budget[:, tf.newaxis], sizes, 0)
    taken = _drawn(fitting, budget, seed, most=min(most, text.shape[1]))
    chosen = text & units.spread(taken)

    sizes = tf.where(text, units.sizes(text), text.shape[1] + 1)
    shortest = tf.argmin(sizes, axis=1, output_type=tf.int32)[:, tf.newaxis]
    shortest = units.numbers == tf.gather(units.numbers, shortest, batch_dims=1)
    return chosen | (text & shortest & ~tf.reduce_any(chosen, axis=1, keepdims=True))


def _joined(words, text, budget, recipe: MaskingRecipe, seed) -> tf.Tensor:
    """Starts of units of random numbers of neighbouring words.

    Each word draws the length of a unit that starts there, and so has the start of the next one.
    Starts of units are those that lead from the first word of a run to its end.
    ```
    words of the run   0 1 2 3 4 5 6
    lengths            2 1 3 1 2 2 1
    next starts        2 2 5 4 6 7 7
    units              0 . 2 . . 5 .
    ```
    """
    length, word = words.shape[1], Groups(words)
    is_text = word.sums(tf.cast(text, tf.int32)) > 0  # per word
    run_starts = ~is_text | ~tf.roll(is_text, 1, axis=1)
    runs, place = Groups(run_starts), places(words)
    words_left = runs.maxima(place) + 1 - place
    lengths = _draw_lengths(words_left, run_starts, recipe, seed)
    begins = tf.minimum(per_number(tf.math.unsorted_segment_min, place, word.numbers), length)
    lengths = tf.minimum(lengths, _most_words(begins, budget, len(recipe.unit_lengths)))
    reached = _reached(run_starts, place + tf.where(is_text, lengths, 1))
    return words & word.spread(reached)


def _draw_lengths(words_left, is_first, recipe: MaskingRecipe, seed) -> tf.Tensor:
    """Words `[B, L]` of a unit that starts at each word; a run has `words_left` from there on."""
    tables = recipe.length_tables
    rows = tf.constant([*tables.first, *tables.later], tf.float32)
    row = tf.minimum(words_left, LONGEST_RUN) + tf.where(is_first, 0, LONGEST_RUN + 1)
    draws = tf.random.stateless_uniform([*tf.unstack(tf.shape(row)), 1], seed)
    return 1 + tf.reduce_sum(tf.cast(draws >= tf.gather(rows, row), tf.int32), axis=-1)


def _most_words(begins, budget, longest: int) -> tf.Tensor:
    """Words `[B, L]` from each on, 1 to `longest`, that have at most `budget` `[B]` tokens."""
    length = begins.shape[1]
    ends = tf.pad(begins, [[0, 0], [0, longest]], constant_values=length)
    fits = [
        ends[:, count : count + length] - begins <= budget[:, tf.newaxis]
        for count in range(2, longest + 1)
    ]
    return 1 + tf.add_n([tf.cast(each, tf.int32) for each in fits])


def _reached(starts, targets) -> tf.Tensor:
    """The places `[B, L] bool` to which jumps lead from the `starts`, those included.

    In each round jumps are twice as long as before.
    """
    length = starts.shape[1]
    reached = tf.pad(starts, [[0, 0], [0, 1]])  # the end of the row is a place as well
    targets = tf.pad(targets, [[0, 0], [0, 1]], constant_values=length)
    for _ in range(length.bit_length()):
        numbers = targets + row_starts(targets)
        landed = per_number(tf.math.unsorted_segment_sum, tf.cast(reached, tf.int32), numbers)
        reached |= landed > 0
        targets = tf.gather(targets, targets, batch_dims=1)
    return reached[:, :length]


def _drawn(sizes, budget, seed, *, most: int) -> tf.Tensor:
    """The chosen ones `[B, L] bool` of the units that have a size; at most `most` in a row.

    Rows that have used up their budget, or all of their units, keep their choice; the others
    choose anew, and the best of their choices remains.
    """
    wanted = tf.minimum(budget, tf.reduce_sum(sizes, axis=1))

    def choose(number, chosen, used):
        seeds = tf.random.experimental.stateless_fold_in(seed, number)
        new = _first_in_random_order(sizes, budget, seeds, most=most)
        taken = tf.gather(sizes, tf.maximum(new, 0), batch_dims=1)
        new_used = tf.reduce_sum(tf.where(new >= 0, taken, 0), axis=1)
        is_better = new_used > used
        chosen = tf.where(is_better[:, tf.newaxis], new, chosen)
        return number + 1, chosen, tf.maximum(used, new_used)

    nothing = tf.fill([tf.shape(sizes)[0], most], -1)
    _, chosen, _ = tf.while_loop(
        lambda number, chosen, used: (number < TRIES) & tf.reduce_any(used < wanted),
        choose,
        (tf.constant(0), nothing, tf.zeros_like(budget)),
    )
    numbers = tf.where(chosen >= 0, chosen + row_starts(sizes), -1)
    hits = tf.math.unsorted_segment_sum(tf.ones_like(numbers), numbers, tf.size(sizes))
    return tf.reshape(hits, tf.shape(sizes)) > 0


def _first_in_random_order(sizes, budget, seed, *, most: int) -> tf.Tensor:
    """The first units `[B, most]` of a random order, before one exceeds the budget; then -1.

    The first of all is drawn in proportion to its size + 1, the others are equally likely.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    draws = tf.random.stateless_uniform(tf.shape(sizes), seeds[0])
    # The greatest of n draws is distributed as the n-th root of one.
    first = tf.where(sizes > 0, draws ** (1 / tf.cast(sizes + 1, tf.float32)), -1.0)
    is_first = places(sizes) == tf.argmax(first, axis=1, output_type=tf.int32)[:, tf.newaxis]
    draws = tf.random.stateless_uniform(tf.shape(sizes), seeds[1])
    keys = tf.where(is_first, 2.0, tf.where(sizes > 0, draws, -1.0))
    order = tf.math.top_k(keys, most).indices
    sizes = tf.gather(sizes, order, batch_dims=1)
    fits = (sizes > 0) & (tf.cumsum(sizes, axis=1) <= budget[:, tf.newaxis])
    return tf.where(fits, order, -1)
