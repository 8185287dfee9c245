"""Masks a batch in TensorFlow as `corpus.masking` masks an instance, so that every epoch differs.

B examples, L tokens, P masks. Words, and the units that are masked together, are groups of
neighbouring tokens. A group has a number: those of row b count from b * L. [CLS], [SEP] and each
padding are groups of their own.
```
input_ids       [CLS] 我 爱 北 京 [SEP] 他 也 是 [SEP] [PAD]
starts of words   1   1  1  1  0   1    1  1  1   1     1        [B, L] bool
their numbers     0   1  2  3  3   4    5  6  7   8     9        [B, L] int32
starts of units   1   1  0  1  0   1    1  0  1   1     1        here of 1 or 2 words
chosen            0   0  0  1  1   0    0  0  1   0     0
masked_lm_positions  3 4 8                                       [B, P] int32
```
The result is a function of the batch and a seed. There are no loops over tokens or words: what
`corpus.masking` does in turn is done for all groups at once, and gives the same distribution.
"""

from collections.abc import Iterable, Mapping
from itertools import accumulate

import numpy as np
import tensorflow as tf

from albert_zh.masking.instances import (
    KEPT_SHARE,
    LONGEST_MARKED,
    MASKED_SHARE,
    MaskingRecipe,
    ReplacePer,
)

Ids = tuple[int, ...]


class DynamicMasking:
    """A recipe, ready to mask batches."""

    def __init__(self, recipe: MaskingRecipe):
        if recipe.permute:
            raise ValueError(
                "tokens are permuted while records are written, not while they are read; create "
                "masked records for that"
            )
        self._recipe = recipe
        self._similar = _SimilarWords(recipe.similar) if recipe.similar else None

    def __call__(self, batch: Mapping[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the model sees of the texts and has to guess.

        Args:
            batch: `input_ids`, `input_mask`, `token_boundary` `[B, L] int32`; the last is 1 where
                a word starts, and after a special token one does.
            seed: `[2]` integers, of all random choices.

        Returns:
            `input_ids` `[B, L] int32`; `masked_lm_positions`, `masked_lm_ids` `[B, P] int32`;
            `masked_lm_weights` `[B, P] float32`.
        """
        recipe, token_ids = self._recipe, batch["input_ids"]
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 5))
        text = (batch["input_mask"] > 0) & ~_among(token_ids, recipe.special_ids)
        starts = (batch["token_boundary"] > 0) | ~text
        words = starts if recipe.by_words else tf.ones_like(starts)
        units = _units(words, text, recipe, seeds[0])
        words |= units  # Units that are too long fall apart, perhaps within words.
        budget = _budget(tf.reduce_sum(batch["input_mask"], axis=1), token_ids.shape[1], recipe)
        chosen = _chosen(units, words, text, budget, seeds[1])
        replaced = self._replacements(token_ids, words, units, seeds[2:])
        return {
            "input_ids": tf.where(chosen, replaced, token_ids),
            **_predictions(chosen, _labels(token_ids, starts, recipe), recipe),
        }

    def _replacements(self, token_ids, words, units, seeds) -> tf.Tensor:
        """What the model sees at each position `[B, L]` if it is chosen."""
        recipe, shape = self._recipe, tf.shape(token_ids)
        draws = tf.random.stateless_uniform(shape, seeds[0], 0, len(recipe.random_ids), tf.int32)
        random_ids = tf.gather(tf.constant(recipe.random_ids, tf.int32), draws)
        hidden = tf.fill(shape, recipe.mask_id)
        if self._similar:
            hidden = self._similar.in_place(token_ids, words, otherwise=random_ids, seed=seeds[1])
        lots = tf.random.stateless_uniform(shape, seeds[2])
        if recipe.replace_per is not ReplacePer.TOKEN:
            groups = words if recipe.replace_per is ReplacePer.WORD else units
            lots = _spread(lots, _numbers(groups))
        kept = tf.where(lots < MASKED_SHARE + KEPT_SHARE, token_ids, random_ids)
        return tf.where(lots < MASKED_SHARE, hidden, kept)


class _SimilarWords:
    """A table of words, searched for all words of a batch at once.

    Words are found by a key made of their tokens, digits to a base beyond all ids. Keys of five
    or more tokens wrap around, so what is found is compared with the word.
    """

    def __init__(self, similar: Mapping[Ids, tuple[Ids, ...]]):
        self._base = 1 + max(max(word) for word in similar)
        longest = max(map(len, similar))
        self._powers = np.cumprod([1, *[self._base] * (longest - 1)], dtype=np.int64)
        tokens = np.zeros((len(similar), longest), np.int64)
        for row, word in enumerate(similar):
            tokens[row, : len(word)] = word
        keys = tokens @ self._powers
        order = np.argsort(keys, kind="stable")
        others = list(similar.values())
        sizes = np.array([len(word) * len(each) for word, each in similar.items()])
        self._keys, self._tokens = keys[order], tokens[order].astype(np.int32)
        self._lengths = np.array([len(word) for word in similar], np.int32)[order]
        self._counts = np.array([len(each) for each in others], np.int32)[order]
        self._offsets = (np.cumsum(sizes) - sizes).astype(np.int32)[order]
        self._others = np.array([i for each in others for word in each for i in word], np.int32)

    def in_place(self, token_ids, words, *, otherwise, seed) -> tf.Tensor:
        """A similar word in place of each word `[B, L]`, `otherwise` where none is known."""
        numbers, place = _numbers(words), _places(token_ids)
        place -= _spread(_minima(place, numbers), numbers)  # within the word
        row, known = self._find(token_ids, numbers, place)
        lots = _spread(tf.random.stateless_uniform(tf.shape(token_ids), seed), numbers)
        count, length = tf.gather(self._counts, row), tf.gather(self._lengths, row)
        other = tf.cast(lots * tf.cast(count, tf.float32), tf.int32)
        stored = tf.gather(self._offsets, row) + other * length + tf.minimum(place, length - 1)
        return tf.where(known, tf.gather(self._others, stored), otherwise)

    def _find(self, token_ids, numbers, place) -> tuple[tf.Tensor, tf.Tensor]:
        """Row of each word in the table, and whether it truly stands there. `[B, L]` both."""
        place = tf.minimum(place, len(self._powers) - 1)
        digits = tf.cast(token_ids, tf.int64) * tf.gather(self._powers, place)
        keys = _spread(_sums(digits, numbers), numbers)
        row = tf.searchsorted(self._keys, tf.reshape(keys, [-1]))
        row = tf.reshape(tf.minimum(row, len(self._keys) - 1), tf.shape(token_ids))
        same = tf.gather_nd(self._tokens, tf.stack([row, place], axis=-1)) == token_ids
        same &= tf.gather(self._lengths, row) == _sizes(numbers, tf.ones_like(same))
        return row, _spread(_minima(tf.cast(same, tf.int32), numbers), numbers) > 0


def _budget(num_tokens: tf.Tensor, longest: int, recipe: MaskingRecipe) -> tf.Tensor:
    """Most tokens to choose of texts of `num_tokens` `[B]`, [CLS] and [SEP] counted."""
    budgets = [round(number * recipe.masked_lm_prob) for number in range(longest + 1)]
    budgets = np.clip(budgets, 1, recipe.max_predictions_per_seq)
    return tf.gather(tf.constant(budgets, tf.int32), num_tokens)


def _units(words, text, recipe: MaskingRecipe, seed) -> tf.Tensor:
    """Where units start, those taken apart that have more than `max_predictions_per_seq` tokens.

    They fall apart into their words, and such words into their tokens.
    """
    units = words
    if len(recipe.unit_lengths) > 1:
        units = _joined(words, text, recipe.unit_lengths, seed)
    for parts in (words, tf.ones_like(words)):
        numbers = _numbers(units)
        units |= parts & (_sizes(numbers, text) > recipe.max_predictions_per_seq)
    return units


def _joined(words, text, unit_lengths, seed) -> tf.Tensor:
    """Joins neighbouring words into units whose numbers of words are drawn.

    A run of words between special tokens is cut from left to right. The k-th draw of a run is made
    at its k-th word; the sum of the draws before is then the place, in words, where the k-th unit
    starts, if the run goes that far.
    ```
    words of the run   0 1 2 3 4 5 6
    draws              2 1 3 1 2 2 1
    sums before        0 2 3 6 7 ...
    units              0 . 2 3 . . 6
    ```
    """
    draws = tf.random.stateless_uniform(tf.shape(words), seed)
    limits = tf.constant([*accumulate(unit_lengths[:-1]), 1.0], tf.float32)
    lengths = 1 + tf.searchsorted(limits, tf.reshape(draws, [-1]), side="right")
    lengths = tf.where(words, tf.reshape(lengths, tf.shape(words)), 0)

    runs = _numbers(~text | ~tf.roll(text, 1, axis=1))
    word = _numbers(words)
    before = tf.cumsum(lengths, axis=1, exclusive=True)
    # Neither falls along a row, so that their least value in a run is that at its start.
    first, last = (_spread(find(word, runs), runs) for find in (_minima, _maxima))
    target = first + before - _spread(_minima(before, runs), runs)
    hits = _sums(tf.cast(words, tf.int32), tf.where(words & (target <= last), target, -1))
    return words & (_spread(hits, word) > 0)


def _chosen(units, words, text, budget, seed) -> tf.Tensor:
    """Tokens `[B, L]` of random units up to `budget` `[B]`; of the shortest word if none fits."""
    numbers = _numbers(units)
    sizes = _sums(tf.cast(text, tf.int32), numbers)  # of the units of each row
    order = tf.argsort(tf.random.stateless_uniform(tf.shape(sizes), seed))
    taken = _first_that_fit(tf.gather(sizes, order, batch_dims=1), budget)
    taken = _sums(tf.cast(taken, tf.int32), order + _row_starts(order))
    chosen = text & (_spread(taken, numbers) > 0)

    numbers = _numbers(words)
    sizes = tf.where(text, _sizes(numbers, text), text.shape[1] + 1)
    shortest = tf.argmin(sizes, axis=1, output_type=tf.int32)[:, tf.newaxis]
    shortest = numbers == tf.gather(numbers, shortest, batch_dims=1)
    return chosen | (text & shortest & ~tf.reduce_any(chosen, axis=1, keepdims=True))


def _first_that_fit(sizes: tf.Tensor, budget: tf.Tensor) -> tf.Tensor:
    """Which of `sizes` `[B, N]`, taken in turn, fit in what is left of `budget` `[B]`.

    A round takes all up to the first that does not fit, and drops those that no longer will.
    """

    def take(taken, waiting, left):
        total = tf.cumsum(tf.where(waiting, sizes, 0), axis=1)
        now = waiting & (total <= left)
        left -= tf.reduce_sum(tf.where(now, sizes, 0), axis=1, keepdims=True)
        return taken | now, waiting & ~now & (sizes <= left), left

    left = budget[:, tf.newaxis]
    waiting = (sizes > 0) & (sizes <= left)
    taken, _, _ = tf.while_loop(
        lambda taken, waiting, left: tf.reduce_any(waiting),
        take,
        (tf.zeros_like(waiting), waiting, left),
    )
    return taken


def _labels(token_ids, starts, recipe: MaskingRecipe) -> tf.Tensor:
    """What is to be guessed at each position `[B, L]` if it is chosen."""
    if recipe.continuation_ids is None:
        return token_ids
    size = 1 + max(recipe.continuation_ids)
    twins = np.arange(size, dtype=np.int32)
    twins[list(recipe.continuation_ids)] = list(recipe.continuation_ids.values())
    known = tf.minimum(token_ids, size - 1)
    twin = tf.where(token_ids < size, tf.gather(tf.constant(twins), known), token_ids)

    numbers = _numbers(starts)
    begins_so = _spread(_sums(tf.cast(starts & (twin != token_ids), tf.int32), numbers), numbers)
    short = _sizes(numbers, tf.ones_like(starts)) <= LONGEST_MARKED
    return tf.where(~starts & short & (begins_so > 0), twin, token_ids)


def _predictions(chosen, labels, recipe: MaskingRecipe) -> dict[str, tf.Tensor]:
    """The chosen positions in ascending order, their labels, and which of P are used."""
    most, count = recipe.max_predictions_per_seq, tf.cast(chosen, tf.int32)
    rank = tf.cumsum(count, axis=1, exclusive=True)
    rows = tf.range(tf.shape(chosen)[0])[:, tf.newaxis]
    slots = tf.where(chosen, rows * most + rank, -1)

    def put(values):
        sums = tf.math.unsorted_segment_sum(values, slots, tf.shape(chosen)[0] * most)
        return tf.ensure_shape(tf.reshape(sums, [-1, most]), [chosen.shape[0], most])

    return {
        "masked_lm_positions": put(_places(chosen)),
        "masked_lm_ids": put(labels),
        "masked_lm_weights": tf.cast(put(count), tf.float32),
    }


def _among(token_ids: tf.Tensor, ids: Iterable[int]) -> tf.Tensor:
    return tf.reduce_any(token_ids[..., tf.newaxis] == tf.constant(sorted(ids), tf.int32), axis=-1)


def _places(like: tf.Tensor) -> tf.Tensor:
    """0, 1, 2, ... in every row `[B, L]`."""
    return tf.broadcast_to(tf.range(tf.shape(like)[1]), tf.shape(like))


def _row_starts(like: tf.Tensor) -> tf.Tensor:
    """Number of the first group of each row `[B, 1]`."""
    return (tf.range(tf.shape(like)[0]) * tf.shape(like)[1])[:, tf.newaxis]


def _numbers(starts: tf.Tensor) -> tf.Tensor:
    """Number of each token's group `[B, L]`; the first token of a row starts one."""
    return tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1 + _row_starts(starts)


def _sums(values: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Sum of the values of each group, at the group's number. Values numbered -1 are left out."""
    return _per_group(tf.math.unsorted_segment_sum, values, numbers)


def _minima(values: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    return _per_group(tf.math.unsorted_segment_min, values, numbers)


def _maxima(values: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    return _per_group(tf.math.unsorted_segment_max, values, numbers)


def _per_group(reduce, values: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    return tf.reshape(reduce(values, numbers, tf.size(numbers)), tf.shape(numbers))


def _spread(per_group: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Gives each token the value of its group. `[B, L]` all."""
    return tf.gather(tf.reshape(per_group, [-1]), numbers)


def _sizes(numbers: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """How many tokens of its group are counted, for each token."""
    return _spread(_sums(tf.cast(counted, tf.int32), numbers), numbers)
