"""Records decoded one at a time, whichever toolkit wrote them, each with what is wrong with it.

```
file -> frames -> tf.Example -> StoredInstance                     padding removed
        bad checksum | not an Example | breaks the rules -> StoredRecord.problem
```
All layouts of `records.features` can be decoded, and what the published toolkits write, with or
without google's `token_boundary` beside the masks. Training reads batches in `input.reading`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from albert_zh.input.rules import ANY_RECORD, RecordRules
from albert_zh.records import features
from albert_zh.records.features import Layout
from albert_zh.records.tfrecord import scan_frames

_KNOWN = {*Layout(0, 0).lengths(), *Layout(0, 0, masked=False).lengths()}


@dataclass(frozen=True, eq=False)
class StoredInstance:
    """An instance as a record holds it, without its padding: N tokens, of which M are masked."""

    token_ids: np.ndarray  # [N] the tokens that the model reads
    segment_ids: np.ndarray  # [N] zeros, then ones if there is a second segment
    starts: np.ndarray | None  # [N] bool, True where a word starts; None if the record has none
    masked_positions: np.ndarray  # [M] of the tokens to predict; none before dynamic masking
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

    def __str__(self) -> str:
        return f"record {self.number:,}, at byte {self.offset:,}: {self.problem}"


def read_stored(path: str, rules: RecordRules = ANY_RECORD) -> Iterator[StoredRecord]:
    """Decode all records of a plain or gzip file, bad ones too.

    A record with a bad checksum does not hide those behind it, unless the length of the record
    itself is damaged: then nobody knows where the next one begins.
    """
    for number, offset, payload, problem in scan_frames(path):
        instance = None
        if not problem:
            try:
                instance = decode(payload, rules)
            except ValueError as error:
                problem = str(error)
        yield StoredRecord(number, offset, instance, problem)


def first_layout(path: str) -> Layout | None:
    """The layout of the first good record of a file; None if there is no good one."""
    instances = (record.instance for record in read_stored(path))
    return next((instance.layout for instance in instances if instance), None)


def decode(record: bytes, rules: RecordRules = ANY_RECORD) -> StoredInstance:
    """Decode the bytes of a tf.Example.

    Raises:
        ValueError: The record breaks the rules; names the feature, but not the place: the caller
            knows the file.
    """
    stored = _stored_values(record)
    masked = rules.masked
    if masked is None:
        masked = features.MASKED_POSITIONS in stored or features.WORD_STARTS not in stored
    padded = features.INPUT_MASK in stored if rules.padded is None else rules.padded
    names = Layout(0, 0, masked=masked, padded=padded).lengths()
    if missing := [name for name in names if name not in stored]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    values = {name: _typed(name, stored[name]) for name in names}
    lengths = {name: len(each) for name, each in values.items()}
    for check in rules.length_checks(lengths, padded=padded):
        if not check.holds:
            raise ValueError(check.problem)

    places, capacity = lengths[features.INPUT_IDS], lengths.get(features.MASKED_IDS, 0)
    if not padded:
        values[features.INPUT_MASK] = np.ones(places, np.int64)
        values[features.MASKED_WEIGHTS] = np.ones(capacity, np.float32)
    length = np.count_nonzero(values[features.INPUT_MASK])
    for check in rules.value_checks(values, num_tokens=np.array([length])):
        if not check.holds.all():
            raise ValueError(check.problem)

    num_masks = np.count_nonzero(values[features.MASKED_WEIGHTS]) if masked else 0
    none, starts = np.empty(0, np.int64), _word_starts(stored, places)
    return StoredInstance(
        token_ids=values[features.INPUT_IDS][:length],
        segment_ids=values[features.SEGMENT_IDS][:length],
        starts=None if starts is None else starts[:length] == 1,
        masked_positions=values.get(features.MASKED_POSITIONS, none)[:num_masks],
        masked_labels=values.get(features.MASKED_IDS, none)[:num_masks],
        swapped=bool(values[features.SENTENCE_ORDER][0]),
        layout=Layout(places, capacity, masked=masked, padded=padded),
    )


def _stored_values(record: bytes) -> dict[str, tf.train.Feature]:
    """The known features of the record that are of any type."""
    try:
        stored = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        raise ValueError("it is not a tf.Example") from None
    return {
        name: stored[name] for name in _KNOWN if name in stored and stored[name].WhichOneof("kind")
    }


def _typed(name: str, feature: tf.train.Feature) -> np.ndarray:
    wanted = "float_list" if name == features.MASKED_WEIGHTS else "int64_list"
    if (kind := feature.WhichOneof("kind")) != wanted:
        raise ValueError(f"{name} is a {kind}, not {wanted}")
    dtype = np.float32 if wanted == "float_list" else np.int64
    return np.array(getattr(feature, wanted).value, dtype)


def _word_starts(stored: Mapping[str, tf.train.Feature], length: int) -> np.ndarray | None:
    """The word starts, also those beside masks, which training does not read."""
    starts = stored.get(features.WORD_STARTS)
    if starts is None or len(starts.int64_list.value) != length:
        return None
    return np.array(starts.int64_list.value, np.int64)
