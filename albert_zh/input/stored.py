"""Records read back one at a time, whichever toolkit wrote them, each with what is wrong with it.

```
file -> frames -> tf.Example -> StoredInstance       padding removed
        bad checksum | not an Example | lengths that contradict each other -> StoredRecord.problem
```
Read are all layouts of `records.features` and what the published toolkits write, with or without
google's `token_boundary` beside the masks. The input pipeline of training is `records.batches`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from albert_zh.records import features
from albert_zh.records.features import Layout
from albert_zh.records.tfrecord import scan_frames

_ALWAYS = (features.INPUT_IDS, features.SEGMENT_IDS, features.SENTENCE_ORDER)
_OF_TOKENS = (
    *(features.INPUT_IDS, features.SEGMENT_IDS),
    *(features.INPUT_MASK, features.WORD_STARTS),
)
_OF_MASKS = (features.MASKED_POSITIONS, features.MASKED_IDS, features.MASKED_WEIGHTS)
_KNOWN = (*_OF_TOKENS, *_OF_MASKS, features.SENTENCE_ORDER)


@dataclass(frozen=True, eq=False)
class StoredInstance:
    """An instance as a record holds it, without its padding: N tokens, of which M are masked."""

    token_ids: np.ndarray  # [N] what the model reads
    segment_ids: np.ndarray  # [N] zeros, then ones if there is a second segment
    starts: np.ndarray | None  # [N] bool, where words start; None if the record does not tell
    masked_positions: np.ndarray  # [M] of the tokens to guess; none before dynamic masking
    masked_labels: np.ndarray  # [M]
    swapped: bool
    layout: Layout  # of this record: the lengths count its padding

    @property
    def num_segments(self) -> int:
        return 1 + int(self.segment_ids[-1])


@dataclass(frozen=True)
class StoredRecord:
    """A record of a file: the instance in it, or else what is wrong with it."""

    number: int  # in the file, from 0
    offset: int  # byte where it begins, in the content of a compressed file
    instance: StoredInstance | None
    problem: str | None


@dataclass(frozen=True)
class Limits:
    """What all records of a file have to comply with; None is not checked."""

    max_seq_length: int | None = None
    max_predictions_per_seq: int | None = None  # as stored, with room for permuted tokens
    vocab_size: int | None = None

    def check(self, instance: StoredInstance) -> None:
        """Raises ValueError if the instance has another length, or ids of no entry.

        Padded records have exactly the lengths, compact ones at most.
        """
        layout, most = instance.layout, "" if instance.layout.padded else "at most "
        lengths = [(features.INPUT_IDS, layout.max_seq_length, self.max_seq_length)]
        if layout.masked:
            stored = layout.max_predictions_per_seq
            lengths.append((features.MASKED_IDS, stored, self.max_predictions_per_seq))
        for name, found, wanted in lengths:
            if wanted is not None and (found > wanted or (layout.padded and found < wanted)):
                raise ValueError(f"{name} has {found} values, not {most}{wanted}")
        if self.vocab_size is not None:
            _check_ids(features.INPUT_IDS, instance.token_ids, self.vocab_size)
            _check_ids(features.MASKED_IDS, instance.masked_labels, self.vocab_size)


def read_stored(path: str, limits: Limits) -> Iterator[StoredRecord]:
    """All records of a plain or gzip file, bad ones too.

    A record with a bad checksum does not hide those behind it, unless the length of the record
    itself is damaged: then nobody knows where the next one begins.
    """
    for number, offset, payload, problem in scan_frames(path):
        instance = None
        if not problem:
            try:
                instance = decode(payload)
                limits.check(instance)
            except ValueError as error:
                instance, problem = None, str(error)
        yield StoredRecord(number, offset, instance, problem)


def decode(record: bytes) -> StoredInstance:
    """The instance in the bytes of a tf.Example.

    Raises:
        ValueError: Features are missing or contradict each other; says which, but not where: the
            caller knows the file.
    """
    values = _values(record)
    places = _common_length(values, _OF_TOKENS)
    mask, weights = values.get(features.INPUT_MASK), values.get(features.MASKED_WEIGHTS)
    length = places if mask is None else _filled(features.INPUT_MASK, mask)
    if not length:
        raise ValueError(f"{features.INPUT_IDS} has no token")
    masked = features.MASKED_POSITIONS in values
    capacity = _common_length(values, _OF_MASKS) if masked else 0
    count = capacity if weights is None else _filled(features.MASKED_WEIGHTS, weights)
    none, starts = np.empty(0, np.int64), values.get(features.WORD_STARTS)
    instance = StoredInstance(
        token_ids=values[features.INPUT_IDS][:length],
        segment_ids=values[features.SEGMENT_IDS][:length],
        starts=None if starts is None else starts[:length] != 0,
        masked_positions=values.get(features.MASKED_POSITIONS, none)[:count],
        masked_labels=values.get(features.MASKED_IDS, none)[:count],
        swapped=_label(values[features.SENTENCE_ORDER]),
        layout=Layout(places, capacity, masked=masked, padded=mask is not None),
    )
    _check_places(instance)
    return instance


def _values(record: bytes) -> dict[str, np.ndarray]:
    """The features we know that the record has."""
    try:
        stored = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        raise ValueError("it is not a tf.Example") from None
    needed = [*_ALWAYS]
    if features.WORD_STARTS not in stored or features.MASKED_POSITIONS in stored:
        needed += [features.MASKED_POSITIONS, features.MASKED_IDS]
        needed += [features.MASKED_WEIGHTS] if features.INPUT_MASK in stored else []
    if missing := [name for name in needed if name not in stored]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    return {
        name: np.array(stored[name].float_list.value, np.float32)
        if name == features.MASKED_WEIGHTS
        else np.array(stored[name].int64_list.value, np.int64)
        for name in _KNOWN
        if name in stored
    }


def _common_length(values: Mapping[str, np.ndarray], names: tuple[str, ...]) -> int:
    """Number of values of the named features, as far as they are there."""
    first, *others = (name for name in names if name in values)
    length = len(values[first])
    for name in others:
        if len(values[name]) != length:
            raise ValueError(f"{name} has {len(values[name])} values, but {first} has {length}")
    return length


def _filled(name: str, values: np.ndarray) -> int:
    """How many ones stand before the zeros."""
    count = int(np.count_nonzero(values))
    if not (values[:count] == 1).all():
        raise ValueError(f"{name} is not ones followed by zeros")
    return count


def _label(values: np.ndarray) -> bool:
    if values.tolist() not in ([0], [1]):
        raise ValueError(f"{features.SENTENCE_ORDER} is {values.tolist()}, not [0] or [1]")
    return bool(values[0])


def _check_places(instance: StoredInstance) -> None:
    positions, segments = instance.masked_positions, instance.segment_ids
    if len(positions) and not 0 <= positions.min() <= positions.max() < len(segments):
        raise ValueError(f"{features.MASKED_POSITIONS} points outside the tokens")
    if not (segments[len(segments) - np.count_nonzero(segments) :] == 1).all():
        raise ValueError(f"{features.SEGMENT_IDS} is not zeros followed by ones")


def _check_ids(name: str, ids: np.ndarray, vocab_size: int) -> None:
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise ValueError(f"{name} goes beyond the {vocab_size:,} entries of the vocabulary")
