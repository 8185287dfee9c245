"""Records that can be read, but do not say what they should: found by an inspection alone.

```
tokens       [CLS] 今 [MASK] 很 [SEP] 冷 [SEP]
segment_ids  0     0  0      0  0     0  0          two [SEP], but one segment
positions    2 2 4                                  a position twice; a mask on [SEP]
```
Training reads such records, so `input.rules` lets them pass.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from albert_zh.input.decoding import StoredInstance
from albert_zh.records import features
from albert_zh.text.vocab import Vocab


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the special entries; a record may hold those of `in_text` wherever it likes."""

    cls: int
    sep: int
    mask: int
    pad: int
    in_text: frozenset[int] = frozenset()

    @classmethod
    def of(cls, vocab: Vocab, *, in_text: Collection[str] = ()) -> "SpecialIds":
        """The ids of a vocabulary; `in_text` are the entries that the text holds by name."""
        return cls(
            vocab.cls_id,
            vocab.sep_id,
            vocab.mask_id,
            vocab.pad_id,
            frozenset(vocab.ids[entry] for entry in in_text if entry in vocab.ids),
        )


def content_problems(instance: StoredInstance, ids: SpecialIds | None) -> Iterator[str]:
    """All that is wrong with the content of a record; without `ids`, what can be told so."""
    positions = instance.masked_positions
    if len(np.unique(positions)) < len(positions):
        yield f"{features.MASKED_POSITIONS} has a position twice"
    places = np.arange(len(instance.token_ids))
    ends = np.append(np.flatnonzero(np.diff(instance.segment_ids)), places[-1])  # of segments
    if np.isin(positions, [0, *ends]).any():
        yield f"{features.MASKED_POSITIONS} has a special token: [CLS] or the end of a segment"
    if ids is None:
        return
    labels = instance.masked_labels
    if np.isin(labels, [ids.cls, ids.sep, ids.mask, ids.pad]).any():
        yield f"{features.MASKED_IDS} has a special token: [CLS], [SEP], [MASK] or [PAD]"
    text = np.delete(places, positions)  # what the model reads as it stands in the text
    read = instance.token_ids[text]
    if ids.mask not in ids.in_text and (read == ids.mask).any():
        yield f"{features.INPUT_IDS} has a [MASK] that is no prediction target"
    if instance.token_ids[0] != ids.cls:
        yield f"{features.INPUT_IDS} does not begin with [CLS]"
    if (instance.token_ids[ends] != ids.sep).any():
        yield f"{features.SEGMENT_IDS} has a segment that does not end with [SEP]"
    elif ids.sep not in ids.in_text and (instance.token_ids == ids.sep).sum() != len(ends):
        yield f"{features.SEGMENT_IDS} has fewer segments than {features.INPUT_IDS} has [SEP]"
