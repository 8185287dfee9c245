"""What a pretraining record holds: the feature names, their lengths, their bytes.

L is max_seq_length, P is max_predictions_per_seq. The published record, here of L = 10, P = 3:
```
text                  [CLS] 我 爱 [SEP] 北 京 [SEP]         ("北京" masked)
input_ids             [CLS] 我 爱 [SEP] [MASK] [MASK] [SEP] 0 0 0      int64 [L]
input_mask            1     1  1  1     1      1      1     0 0 0      int64 [L]
segment_ids           0     0  0  0     1      1      1     0 0 0      int64 [L]
masked_lm_positions   4 5 0                                            int64 [P]
masked_lm_ids         北 京 0                                          int64 [P]
masked_lm_weights     1 1 0                                            float [P]
next_sentence_labels  0 in the order of the text, 1 swapped            int64 [1]
```
`next_sentence_labels` is the name on disk; in the code it is the sentence order.

A record for dynamic masking has the text itself and, instead of masks, where its words start:
```
input_ids             [CLS] 我 爱 [SEP] 北 京 [SEP] 0 0 0              int64 [L]
token_boundary        1     1  1  1     1  0  1     0 0 0              int64 [L]
input_mask, segment_ids, next_sentence_labels as above
```
Compact records of both kinds leave out the padding, and what the lengths then tell: input_mask
and masked_lm_weights.
```
                        padded                  compact
masked          the seven published ones    5 features of [l], [p], [1]     l <= L tokens,
for dynamic             5 of [L], [1]       4 features of [l], [1]          p <= P masks
```
Records are written as protocol-buffer bytes right here: the fields always stand in the same
order, so equal instances give equal bytes, which `tf.train.Example` does not promise. It is also
several times faster and needs no TensorFlow.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from albert_zh.corpus.instances import Instance

INPUT_IDS = "input_ids"
INPUT_MASK = "input_mask"
SEGMENT_IDS = "segment_ids"
MASKED_POSITIONS = "masked_lm_positions"
MASKED_IDS = "masked_lm_ids"
MASKED_WEIGHTS = "masked_lm_weights"
SENTENCE_ORDER = "next_sentence_labels"
WORD_STARTS = "token_boundary"  # google's name

_OF_TOKENS = (INPUT_IDS, INPUT_MASK, SEGMENT_IDS)
_OF_MASKS = (MASKED_POSITIONS, MASKED_IDS, MASKED_WEIGHTS)
_TOLD_BY_LENGTHS = (INPUT_MASK, MASKED_WEIGHTS)

_FLOAT_LIST, _INT64_LIST = 2, 3  # field numbers in the message tf.train.Feature
_FLOAT_ONE, _FLOAT_ZERO = b"\x00\x00\x80\x3f", b"\x00\x00\x00\x00"


@dataclass(frozen=True)
class Layout:
    """Which features a record has, and how long they are."""

    max_seq_length: int  # L
    max_predictions_per_seq: int  # P; of no meaning without masks
    masked: bool = True  # False: for dynamic masking
    padded: bool = True  # False: compact, for our own reader

    def lengths(self) -> dict[str, int]:
        """Names of the features, and how many values each has; at most, if not padded.

        >>> Layout(128, 20, masked=False, padded=False).lengths()
        {'input_ids': 128, 'segment_ids': 128, 'token_boundary': 128, 'next_sentence_labels': 1}
        """
        lengths = dict.fromkeys(_OF_TOKENS, self.max_seq_length)
        if self.masked:
            lengths |= dict.fromkeys(_OF_MASKS, self.max_predictions_per_seq)
        else:
            lengths[WORD_STARTS] = self.max_seq_length
        lengths[SENTENCE_ORDER] = 1
        if not self.padded:
            lengths = {name: lengths[name] for name in lengths if name not in _TOLD_BY_LENGTHS}
        return lengths


def serialize(instance: Instance, layout: Layout) -> bytes:
    """The instance as the bytes of a tf.Example in that layout.

    Padding is 0 everywhere.

    Args:
        instance: At most as long as the layout allows; unmasked for dynamic masking.
        layout: Of all records of a file.
    """
    room = layout.max_seq_length - len(instance.token_ids)
    padding = bytes(room if layout.padded else 0)
    parts = [_integers(INPUT_IDS, _varints(instance.token_ids) + padding)]
    if layout.padded:
        parts.append(_integers(INPUT_MASK, b"\x01" * len(instance.token_ids) + padding))
    if layout.masked:
        parts += _masks(instance, layout)
    parts.append(_integers(SENTENCE_ORDER, b"\x01" if instance.swapped else b"\x00"))
    parts.append(_integers(SEGMENT_IDS, bytes(instance.segment_ids) + padding))
    if not layout.masked:
        parts.append(_integers(WORD_STARTS, bytes(instance.starts) + padding))
    payload = b"".join(parts)
    return _opening(1, len(payload)) + payload


def _masks(instance: Instance, layout: Layout) -> Iterable[bytes]:
    count = len(instance.masked_positions)
    padding = bytes(layout.max_predictions_per_seq - count if layout.padded else 0)
    yield _integers(MASKED_IDS, _varints(instance.masked_labels) + padding)
    yield _integers(MASKED_POSITIONS, _varints(instance.masked_positions) + padding)
    if layout.padded:
        weights = _FLOAT_ONE * count + _FLOAT_ZERO * len(padding)
        yield _feature_opening(MASKED_WEIGHTS, _FLOAT_LIST, len(weights)) + weights


def _integers(name: str, packed_values: bytes) -> bytes:
    """One entry of the map name -> Feature."""
    return _feature_opening(name, _INT64_LIST, len(packed_values)) + packed_values


@functools.cache
def _feature_opening(name: str, kind: int, size: int) -> bytes:
    """All that stands before the `size` bytes of packed values, with which every message ends.

    map entry (1) { name (1), feature (2) { list of the kind { packed values (1) } } }
    """
    opening = _opening(1, size)
    for number in (kind, 2):
        opening = _opening(number, len(opening) + size) + opening
    key = _opening(1, len(name)) + name.encode()
    return _opening(1, len(key) + len(opening) + size) + key + opening


def _opening(number: int, size: int) -> bytes:
    """Tag and length of a length-delimited field."""
    return _VARINTS[number << 3 | 2] + _VARINTS[size]


def _varints(values: Iterable[int]) -> bytes:
    return b"".join(map(_VARINTS.__getitem__, values))


class _Varints(dict[int, bytes]):
    """Number -> its bytes: seven bits a byte, lowest first, the high bit says that more follow.

    A dictionary that fills itself is read in half the time of a cached function.

    >>> _Varints()[21127].hex()
    '87a501'
    """

    def __missing__(self, value: int) -> bytes:
        groups, rest = bytearray(), value
        while rest > 0x7F:
            groups.append(rest & 0x7F | 0x80)
            rest >>= 7
        groups.append(rest)
        self[value] = bytes(groups)
        return self[value]


_VARINTS = _Varints()
