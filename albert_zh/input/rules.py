"""The rules of a good record, stated once.

```
RecordRules.length_checks -> decoding: one record, numpy, says what is wrong      inspection, damage
            .value_checks -> reading:  a batch of records, TensorFlow, fails      training
```
A check is a comparison of a record's values, written with operators that numpy arrays `[N]` and
tensors `[B, N]` share. So both readers have the same idea of a bad record: an inspection names the
records that stop a training, and no others. (Bytes that are no valid Example at all, which only a
faulty writer makes, are refused by protobuf more often than by TensorFlow.)
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from albert_zh.records import features
from albert_zh.records.features import Layout

_TOKEN_FEATURES = (
    features.INPUT_IDS,
    features.INPUT_MASK,
    features.SEGMENT_IDS,
    features.WORD_STARTS,
)
_MASK_FEATURES = (features.MASKED_POSITIONS, features.MASKED_IDS, features.MASKED_WEIGHTS)
_INT32_LIMIT = 1 << 31  # models read 32 bits


class OnCorrupt(enum.Enum):
    """Treatment of records that break the rules."""

    ERROR = "error"
    SKIP = "skip"


class Check(NamedTuple):
    """A comparison that holds everywhere in a good record."""

    problem: str  # description of one record for which it does not hold
    holds: Any  # numpy array, tensor or bool


@dataclass(frozen=True)
class RecordRules:
    """Expectations of all records of a file; what is None may be anything."""

    masked: bool | None = None  # False: for dynamic masking
    padded: bool | None = None  # False: compact
    max_seq_length: int | None = None
    max_predictions_per_seq: int | None = None  # as stored, with room for permuted tokens
    vocab_size: int | None = None

    @classmethod
    def of(cls, layout: Layout, *, vocab_size: int | None) -> "RecordRules":
        """The rules for records of that layout."""
        return cls(
            masked=layout.masked,
            padded=layout.padded,
            max_seq_length=layout.max_seq_length,
            max_predictions_per_seq=layout.max_predictions_per_seq if layout.masked else None,
            vocab_size=vocab_size,
        )

    def length_checks(self, lengths: Mapping[str, Any], *, padded: bool) -> Iterator[Check]:
        """Checks of the numbers of values.

        A padded record has exactly the lengths of the rules, a compact record at most. Both have
        a token. A compact masked record has a mask, too: TensorFlow reads a missing feature and an
        empty one alike.

        Args:
            lengths: Number of values of each feature, an int or `[B]`; unknown features are left
                out.
            padded: The records have padding.
        """
        for group in (_TOKEN_FEATURES, _MASK_FEATURES):
            first, *others = [name for name in group if name in lengths] or [None]
            for name in others:
                yield Check(
                    f"{name} has {lengths[name]} values, but {first} has {lengths[first]}",
                    lengths[name] == lengths[first],
                )
        yield Check(f"{features.INPUT_IDS} has no token", lengths[features.INPUT_IDS] > 0)
        if not padded and features.MASKED_IDS in lengths:
            yield Check(f"{features.MASKED_IDS} has no token", lengths[features.MASKED_IDS] > 0)
        for name, wanted in (
            (features.INPUT_IDS, self.max_seq_length),
            (features.MASKED_IDS, self.max_predictions_per_seq),
        ):
            if name in lengths and wanted is not None:
                length = lengths[name]
                yield Check(
                    f"{name} has {length} values, not {'' if padded else 'at most '}{wanted}",
                    length == wanted if padded else length <= wanted,
                )
        if features.SENTENCE_ORDER in lengths:
            length = lengths[features.SENTENCE_ORDER]
            yield Check(f"{features.SENTENCE_ORDER} has {length} values, not 1", length == 1)

    def value_checks(self, values: Mapping[str, Any], *, num_tokens: Any) -> Iterator[Check]:
        """Checks of the values, and of the padding, since models read it.

        Args:
            values: Feature -> `[..., N]`, of lengths that passed. `input_mask` is always there,
                and `masked_lm_weights` in masked records.
            num_tokens: `[..., 1]` tokens without padding.
        """
        mask, segments = values[features.INPUT_MASK], values[features.SEGMENT_IDS]
        yield from _ones_before_zeros(features.INPUT_MASK, mask)
        yield Check(f"{features.INPUT_IDS} has no token", num_tokens > 0)
        yield self._ids(features.INPUT_IDS, values)
        problem = f"{features.SEGMENT_IDS} is not zeros followed by ones"
        yield Check(problem, (segments == 0) | (segments == 1))
        yield Check(problem, (segments[..., 1:] >= segments[..., :-1]) | (mask[..., 1:] == 0))
        order = values[features.SENTENCE_ORDER]
        yield Check(
            f"{features.SENTENCE_ORDER} is {order}, not [0] or [1]", (order == 0) | (order == 1)
        )
        if features.WORD_STARTS in values:
            starts = values[features.WORD_STARTS]
            yield Check(
                f"{features.WORD_STARTS} has other values than 0 and 1",
                (starts == 0) | (starts == 1),
            )
        if features.MASKED_POSITIONS in values:
            weights = values[features.MASKED_WEIGHTS]
            positions = values[features.MASKED_POSITIONS]
            yield from _ones_before_zeros(features.MASKED_WEIGHTS, weights)
            problem = f"{features.MASKED_POSITIONS} points outside the tokens"
            yield Check(problem, (positions >= 0) & (positions < mask.shape[-1]))
            yield Check(problem, (positions < num_tokens) | (weights == 0))
            yield self._ids(features.MASKED_IDS, values)

    def _ids(self, name: str, values: Mapping[str, Any]) -> Check:
        problem = f"{name} has ids below 0 or of more than 31 bits"
        if self.vocab_size is not None:
            problem = f"{name} goes beyond the {self.vocab_size:,} entries of the vocabulary"
        limit = _INT32_LIMIT if self.vocab_size is None else self.vocab_size
        return Check(problem, (values[name] >= 0) & (values[name] < limit))


ANY_RECORD = RecordRules()  # Nothing is known: a record only has to agree with itself.


def _ones_before_zeros(name: str, values: Any) -> Iterator[Check]:
    problem = f"{name} is not ones followed by zeros"
    yield Check(problem, (values == 0) | (values == 1))
    yield Check(problem, values[..., 1:] <= values[..., :-1])
