"""Token ids of texts, computed by TensorFlow itself with the operations of TensorFlow Text.

```
text_a, text_b [B] strings -> characters, words, pieces -> input_ids, input_mask, segment_ids
```
B texts, T tokens, L tokens of the longest row.
"""

import numpy as np
import tensorflow as tf

from albert_zh.inference.predictor import INPUTS
from albert_zh.tasks.row_writer import featurize_texts, room_for_text
from albert_zh.text.wordpiece import MAX_WORD_LENGTH, WordPieceTokenizer, character_rules
from albert_zh.util.optional_packages import load_extra
from albert_zh.util.tensorflow_start import muted_standard_error

_UNCHANGED = "\n"  # no result of a rule, and in no vocabulary
_CHECKED = 64  # rows of the comparison


class TextInputs(tf.Module):
    """The work of a WordPiece tokenizer, and the rows that it makes for a model."""

    def __init__(self, tokenizer: WordPieceTokenizer, *, max_seq_length: int):
        """
        Args:
            tokenizer: The tokenizer that the model was trained with.
            max_seq_length: Longest row in tokens, special tokens included.

        Raises:
            ValueError: The package tensorflow-text is not installed, or cannot take the vocabulary.
        """
        super().__init__()
        text = load_extra("tensorflow_text", purpose="a SavedModel that takes texts")
        self._tokenizer, self._max_seq_length = tokenizer, max_seq_length
        vocab = tokenizer.vocab
        rules = character_rules(do_lower_case=tokenizer.do_lower_case)
        self._rules = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                np.array([ord(character) for character in rules], np.int32),
                np.array(list(rules.values()), object),
                key_dtype=tf.int32,
                value_dtype=tf.string,
            ),
            default_value=_UNCHANGED,
        )
        try:
            self._pieces = text.FastWordpieceTokenizer(
                list(vocab.tokens),
                unknown_token=vocab.tokens[vocab.unk_id],
                max_bytes_per_word=4 * MAX_WORD_LENGTH,  # of UTF-8
                token_out_type=tf.int32,
                no_pretokenization=True,
            )
        except RuntimeError as error:
            raise ValueError(f"tensorflow-text cannot take the vocabulary: {error}") from None

    def __call__(self, *texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Inputs of a model, `[B, L] int32`.

        Args:
            *texts: The texts, or the first and the second texts, `[B] string` each.
        """
        vocab = self._tokenizer.vocab
        tokens = self._shortened([self._tokens(each) for each in texts])
        count = tf.size(texts[0])

        def column(number: int) -> tf.Tensor:
            return tf.fill([count, 1], number)

        first, *rest = [tf.concat([each, column(vocab.sep_id)], axis=1) for each in tokens]
        first = tf.concat([column(vocab.cls_id), first], axis=1)
        ids = tf.concat([first, *rest], axis=1)
        segments = tf.concat([tf.zeros_like(first), *map(tf.ones_like, rest)], axis=1)
        mask = tf.sequence_mask(ids.row_lengths(), dtype=tf.int32)
        return dict(zip(INPUTS, (ids.to_tensor(), mask, segments.to_tensor()), strict=True))

    def _tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """`[B] string -> [B, T] int32`."""
        codes = tf.strings.unicode_decode(texts, "UTF-8")
        results = self._rules.lookup(codes.values)
        own = tf.strings.unicode_encode(codes.values[:, None], "UTF-8")
        characters = codes.with_values(tf.where(results == _UNCHANGED, own, results))
        words = tf.strings.split(tf.strings.reduce_join(characters, axis=-1))
        is_long = tf.strings.length(words.values, unit="UTF8_CHAR") > MAX_WORD_LENGTH
        known = tf.where(is_long, _UNCHANGED, words.values)
        return words.with_values(self._pieces.tokenize(known)).merge_dims(1, 2)

    def _shortened(self, tokens: list[tf.RaggedTensor]) -> list[tf.RaggedTensor]:
        """Rows that fit, as of `row_writer.truncated_lengths`."""
        limit = tf.cast(room_for_text(self._max_seq_length, len(tokens)), tf.int64)
        lengths = [each.row_lengths() for each in tokens]
        if len(lengths) == 1:
            kept = [tf.minimum(lengths[0], limit)]
        else:
            first, second = lengths
            fits = first + second <= limit
            of_second = tf.minimum(second, tf.maximum(limit // 2, limit - first))
            kept = [tf.where(fits, first, limit - of_second), tf.where(fits, second, of_second)]
        return [
            tf.RaggedTensor.from_tensor(each.to_tensor(), lengths=length)
            for each, length in zip(tokens, kept, strict=True)
        ]

    def check(self, num_texts: int) -> None:
        """Compare with the tokenizer, on texts of all kinds of characters.

        Raises:
            ValueError: The token ids differ.
        """
        random = np.random.default_rng(0)
        rules = character_rules(do_lower_case=self._tokenizer.do_lower_case)
        parts = [*self._tokenizer.vocab.tokens, *sorted(rules), *"abcxyz0123456789 "]
        # Once an array: `choice` would make one of a list at every call.
        entries = np.array([each for each in parts if "Σ" not in each], object)

        def make_text() -> str:
            return "".join(random.choice(entries, random.integers(0, self._max_seq_length)))

        rows = [tuple(make_text() for _ in range(num_texts)) for _ in range(_CHECKED)]
        expected = featurize_texts(
            rows, targets={}, tokenizer=self._tokenizer, max_seq_length=self._max_seq_length
        )
        with muted_standard_error():  # oneDNN complains of int64, for which it is not needed.
            actual = self(*(tf.constant(column) for column in zip(*rows, strict=True)))
        ids, mask = actual["input_ids"].numpy(), actual["input_mask"].numpy() == 1
        if not np.array_equal(ids[mask], expected.token_ids):
            raise ValueError(
                "the installed tensorflow-text splits texts in another way than the tokenizer of "
                "the model; nothing was exported. Try another version of it, or saved_model"
            )
