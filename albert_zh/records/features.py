"""What a pretraining record holds: the published feature names, their lengths, their bytes.

L is max_seq_length, P is max_predictions_per_seq. Here L = 10, P = 3:
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

Records are written as protocol-buffer bytes right here: the fields always stand in the same
order, so equal instances give equal bytes, which `tf.train.Example` does not promise. It is also
several times faster and needs no TensorFlow.
"""

import functools
from collections.abc import Iterable

from albert_zh.corpus.instances import Instance

INPUT_IDS = "input_ids"
INPUT_MASK = "input_mask"
SEGMENT_IDS = "segment_ids"
MASKED_POSITIONS = "masked_lm_positions"
MASKED_IDS = "masked_lm_ids"
MASKED_WEIGHTS = "masked_lm_weights"
SENTENCE_ORDER = "next_sentence_labels"

_FLOAT_LIST, _INT64_LIST = 2, 3  # field numbers in the message tf.train.Feature
_FLOAT_ONE, _FLOAT_ZERO = b"\x00\x00\x80\x3f", b"\x00\x00\x00\x00"


def feature_lengths(*, max_seq_length: int, max_predictions_per_seq: int) -> dict[str, int]:
    """Number of values of each feature.

    >>> feature_lengths(max_seq_length=128, max_predictions_per_seq=20)["masked_lm_ids"]
    20
    """
    return {
        INPUT_IDS: max_seq_length,
        INPUT_MASK: max_seq_length,
        SEGMENT_IDS: max_seq_length,
        MASKED_POSITIONS: max_predictions_per_seq,
        MASKED_IDS: max_predictions_per_seq,
        MASKED_WEIGHTS: max_predictions_per_seq,
        SENTENCE_ORDER: 1,
    }


def serialize(instance: Instance, *, max_seq_length: int, max_predictions_per_seq: int) -> bytes:
    """The instance as the bytes of a tf.Example, every feature padded with 0 to its length."""
    length, predictions = len(instance.token_ids), len(instance.masked_positions)
    token_padding = bytes(max_seq_length - length)
    mask_padding = bytes(max_predictions_per_seq - predictions)
    features = (
        _feature(INPUT_IDS, _INT64_LIST, _varints(instance.token_ids) + token_padding),
        _feature(INPUT_MASK, _INT64_LIST, b"\x01" * length + token_padding),
        _feature(MASKED_IDS, _INT64_LIST, _varints(instance.masked_labels) + mask_padding),
        _feature(MASKED_POSITIONS, _INT64_LIST, _varints(instance.masked_positions) + mask_padding),
        _feature(
            MASKED_WEIGHTS,
            _FLOAT_LIST,
            _FLOAT_ONE * predictions + _FLOAT_ZERO * len(mask_padding),
        ),
        _feature(SENTENCE_ORDER, _INT64_LIST, _varint(int(instance.swapped))),
        _feature(SEGMENT_IDS, _INT64_LIST, bytes(instance.segment_ids) + token_padding),
    )
    return _field(1, b"".join(features))


def _feature(name: str, kind: int, packed_values: bytes) -> bytes:
    """One entry of the map name -> Feature."""
    feature = _field(kind, _field(1, packed_values))
    return _field(1, _field(1, name.encode()) + _field(2, feature))


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field: tag, length, payload."""
    return b"".join((_varint(number << 3 | 2), _varint(len(payload)), payload))


def _varints(values: Iterable[int]) -> bytes:
    return b"".join(map(_varint, values))


@functools.cache
def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first, the high bit says that more follow.

    >>> _varint(21127).hex()
    '87a501'
    """
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
