"""The features of a pretraining record: their names, lengths and bytes.

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
`next_sentence_labels` is the name on disk; in the code it is the sentence order. It has no meaning
in a record of one segment, [CLS] 我 爱 [SEP] with 0 for all segment_ids.

A record for dynamic masking has the text itself and the starts of its words instead of masks:
```
input_ids             [CLS] 我 爱 [SEP] 北 京 [SEP] 0 0 0              int64 [L]
token_boundary        1     1  1  1     1  0  1     0 0 0              int64 [L]
input_mask, segment_ids, next_sentence_labels as above
```
Compact records of both kinds have no padding, and so need no input_mask and masked_lm_weights.
```
                        padded                  compact
masked          the seven published ones    5 features of [l], [p], [1]     l <= L tokens,
for dynamic             5 of [L], [1]       4 features of [l], [1]          p <= P masks
```
The bytes of the protocol buffer are written here: the order of the fields is fixed, so equal
instances give equal bytes in all versions, which protobuf does not promise. It also takes half the
time of the protobuf runtime for published records (benchmarks/records.py), and no dependency.
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

_TOKEN_FEATURES = (INPUT_IDS, INPUT_MASK, SEGMENT_IDS)
_MASK_FEATURES = (MASKED_POSITIONS, MASKED_IDS, MASKED_WEIGHTS)
_PADDED_ONLY = (INPUT_MASK, MASKED_WEIGHTS)

_FLOAT_LIST, _INT64_LIST = 2, 3  # field numbers in the message tf.train.Feature
_FLOAT_ONE, _FLOAT_ZERO = b"\x00\x00\x80\x3f", b"\x00\x00\x00\x00"


@dataclass(frozen=True)
class Layout:
    """The features of all records of a file, and their lengths."""

    max_seq_length: int  # L
    max_predictions_per_seq: int  # P; without masks it has no meaning
    masked: bool = True  # False: for dynamic masking
    padded: bool = True  # False: compact, for our own reader

    def lengths(self) -> dict[str, int]:
        """Names of the features, and how many values each has; the most it has, if compact.

        >>> Layout(128, 20, masked=False, padded=False).lengths()
        {'input_ids': 128, 'segment_ids': 128, 'token_boundary': 128, 'next_sentence_labels': 1}
        """
        lengths = dict.fromkeys(_TOKEN_FEATURES, self.max_seq_length)
        if self.masked:
            lengths |= dict.fromkeys(_MASK_FEATURES, self.max_predictions_per_seq)
        else:
            lengths[WORD_STARTS] = self.max_seq_length
        lengths[SENTENCE_ORDER] = 1
        if not self.padded:
            lengths = {name: lengths[name] for name in lengths if name not in _PADDED_ONLY}
        return lengths


def serialize(instance: Instance, layout: Layout) -> bytes:
    """Encode an instance as a tf.train.Example; padding is 0 everywhere.

    Args:
        instance: At most as long as the layout allows; unmasked for dynamic masking.
        layout: The layout of the file.
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
    return _field_header(1, len(payload)) + payload


def _masks(instance: Instance, layout: Layout) -> Iterable[bytes]:
    count = len(instance.masked_positions)
    padding = bytes(layout.max_predictions_per_seq - count if layout.padded else 0)
    yield _integers(MASKED_IDS, _varints(instance.masked_labels) + padding)
    yield _integers(MASKED_POSITIONS, _varints(instance.masked_positions) + padding)
    if layout.padded:
        weights = _FLOAT_ONE * count + _FLOAT_ZERO * len(padding)
        yield _feature_header(MASKED_WEIGHTS, _FLOAT_LIST, len(weights)) + weights


def _integers(name: str, packed_values: bytes) -> bytes:
    """One entry of the map name -> Feature."""
    return _feature_header(name, _INT64_LIST, len(packed_values)) + packed_values


@functools.cache
def _feature_header(name: str, kind: int, size: int) -> bytes:
    """The bytes of an entry before its `size` bytes of packed values, which end every message.

    map entry (1) { name (1), feature (2) { list of the kind { packed values (1) } } }
    """
    header = _field_header(1, size)
    for number in (kind, 2):
        header = _field_header(number, len(header) + size) + header
    key = _field_header(1, len(name)) + name.encode()
    return _field_header(1, len(key) + len(header) + size) + key + header


def _field_header(number: int, size: int) -> bytes:
    """Tag and length of a length-delimited field."""
    return _VARINTS[number << 3 | 2] + _VARINTS[size]


def _varints(values: Iterable[int]) -> bytes:
    return b"".join(map(_VARINTS.__getitem__, values))


class _Varints(dict[int, bytes]):
    """Number -> varint: seven bits a byte, lowest first; the high bit is set if more bytes follow.

    A dictionary that fills itself takes half the time of a cached function.

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
