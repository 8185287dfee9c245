"""Masking of whole batches in TensorFlow, anew in every epoch.

It masks as `masking.instances` does, but for all rows at once, without loops over tokens or words.
The result is a function of the batch and a seed. B examples, L tokens, P masks:
```
input_ids            [CLS] 我 爱 北 京 [SEP] 他 也 是 [SEP] [PAD]
starts of words        1   1  1  1  0   1    1  1  1   1     1        [B, L] bool
numbers of words       0   1  2  3  3   4    5  6  7   8     9        [B, L] int32
starts of units        1   1  0  1  0   1    1  0  1   1     1        here of 1 or 2 words
chosen                 0   0  0  1  1   0    0  0  1   0     0
masked_lm_positions    3 4 8                                          [B, P] int32
```
Words and units are both groups of neighbouring tokens. [CLS], [SEP] and each padding token are
groups of their own.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from albert_zh.masking.batch_units import choose_units, unit_starts
from albert_zh.masking.groups import Groups, places
from albert_zh.masking.recipe import (
    KEPT_SHARE,
    LONGEST_HASHED_WORD,
    MASKED_SHARE,
    MaskingRecipe,
    ReplacePer,
)
from albert_zh.masking.similar_words import SimilarWordTable


class BatchMasking:
    """A recipe, ready to mask batches."""

    def __init__(self, recipe: MaskingRecipe):
        if recipe.permute:
            raise ValueError(
                "tokens are permuted while records are written, not while they are read; create "
                "masked records for that"
            )
        self._recipe = recipe
        self._similar = SimilarWordTable.of(recipe.similar) if recipe.similar else None

    def __call__(self, batch: Mapping[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Mask a batch of unmasked texts.

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
        special = tf.constant(sorted(recipe.special_ids), tf.int32)
        text = tf.reduce_all(token_ids[..., tf.newaxis] != special, axis=-1)
        text &= batch["input_mask"] > 0
        starts = (batch["token_boundary"] > 0) | ~text
        words = starts if recipe.by_words else tf.ones_like(starts)
        budgets = tf.constant([recipe.budget(n) for n in range(token_ids.shape[1] + 1)], tf.int32)
        budget = tf.gather(budgets, tf.reduce_sum(batch["input_mask"], axis=1))  # [B]
        units = unit_starts(words, text, budget, recipe, seeds[0])
        words |= units  # Words that are too long fall apart.
        chosen = choose_units(
            Groups(units), text, budget, seeds[1], most=recipe.max_predictions_per_seq
        )
        replaced = self._replacements(token_ids, words, units, seeds[2:])
        return {
            "input_ids": tf.where(chosen, replaced, token_ids),
            **_predictions(chosen, _labels(token_ids, starts, recipe), recipe),
        }

    def _replacements(self, token_ids, words, units, seeds) -> tf.Tensor:
        """The token that the model reads at each position `[B, L]` if it is chosen."""
        recipe, shape = self._recipe, tf.shape(token_ids)
        draws = tf.random.stateless_uniform(shape, seeds[0], 0, len(recipe.random_ids), tf.int32)
        random_ids = tf.gather(tf.constant(recipe.random_ids, tf.int32), draws)
        hidden = tf.fill(shape, recipe.mask_id)
        if self._similar:
            hidden = _similar(
                token_ids, Groups(words), self._similar, otherwise=random_ids, seed=seeds[1]
            )
        shares = tf.random.stateless_uniform(shape, seeds[2])
        if recipe.replace_per is not ReplacePer.TOKEN:
            groups = Groups(words if recipe.replace_per is ReplacePer.WORD else units)
            shares = groups.spread(shares)
        kept = tf.where(shares < MASKED_SHARE + KEPT_SHARE, token_ids, random_ids)
        return tf.where(shares < MASKED_SHARE, hidden, kept)


def _similar(token_ids, words: Groups, table: SimilarWordTable, *, otherwise, seed) -> tf.Tensor:
    """A similar word in place of each word `[B, L]`, `otherwise` where none is known."""
    place = places(token_ids)
    place -= words.minima(place)  # within the word
    row, is_known = _find(token_ids, words, place, table)
    draws = words.spread(tf.random.stateless_uniform(tf.shape(token_ids), seed))
    count, length = tf.gather(table.counts, row), tf.gather(table.lengths, row)
    other = tf.cast(draws * tf.cast(count, tf.float32), tf.int32)
    stored = tf.gather(table.offsets, row) + other * length + tf.minimum(place, length - 1)
    return tf.where(is_known, tf.gather(table.others, stored), otherwise)


def _find(token_ids, words: Groups, place, table: SimilarWordTable) -> tuple[tf.Tensor, tf.Tensor]:
    """Row of each word in the table, and whether the word stands there. `[B, L]` both.

    Keys of long words wrap around, so a row with an equal key is compared with the word.
    """
    place = tf.minimum(place, len(table.powers) - 1)
    keys = words.spread(words.sums(tf.cast(token_ids, tf.int64) * tf.gather(table.powers, place)))
    row = tf.searchsorted(table.keys, tf.reshape(keys, [-1]))
    row = tf.reshape(tf.minimum(row, len(table.keys) - 1), tf.shape(token_ids))
    same = tf.gather_nd(table.tokens, tf.stack([row, place], axis=-1)) == token_ids
    same &= tf.gather(table.lengths, row) == words.sizes(tf.ones_like(same))
    return row, ~words.any(~same)


def _labels(token_ids, starts, recipe: MaskingRecipe) -> tf.Tensor:
    """The label of each position `[B, L]` if it is chosen."""
    if recipe.continuation_ids is None:
        return token_ids
    size = 1 + max(recipe.continuation_ids)
    pieces = np.arange(size, dtype=np.int32)
    pieces[list(recipe.continuation_ids)] = list(recipe.continuation_ids.values())
    piece = tf.gather(tf.constant(pieces), tf.minimum(token_ids, size - 1))
    piece = tf.where(token_ids < size, piece, token_ids)

    words = Groups(starts)
    is_hashed = words.any(starts & (piece != token_ids))
    is_hashed &= words.sizes(tf.ones_like(starts)) <= LONGEST_HASHED_WORD
    return tf.where(~starts & is_hashed, piece, token_ids)


def _predictions(chosen, labels, recipe: MaskingRecipe) -> dict[str, tf.Tensor]:
    """The chosen positions in ascending order, their labels, and weights of 1 where P is used."""
    most, count = recipe.max_predictions_per_seq, tf.cast(chosen, tf.int32)
    rank = tf.cumsum(count, axis=1, exclusive=True)
    rows = tf.range(tf.shape(chosen)[0])[:, tf.newaxis]
    slots = tf.where(chosen, rows * most + rank, -1)

    def put(values):
        sums = tf.math.unsorted_segment_sum(values, slots, tf.shape(chosen)[0] * most)
        return tf.ensure_shape(tf.reshape(sums, [-1, most]), [chosen.shape[0], most])

    return {
        "masked_lm_positions": put(places(chosen)),
        "masked_lm_ids": put(labels),
        "masked_lm_weights": tf.cast(put(count), tf.float32),
    }
