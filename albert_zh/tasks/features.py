"""Examples become token ids, kept as flat arrays; a batch is padded only to its own length."""

import dataclasses
from collections.abc import Mapping

import numpy as np

NO_LABEL = -1  # label id of an example, or of a token, whose label is not known
NO_CHARACTER = -1  # place in a text that special tokens and tokens of other texts have


@dataclasses.dataclass(frozen=True)
class Features:
    """Token ids and targets of N rows, one after the other.

    ```
    token_ids      [CLS] 我 爱 你 [SEP] 你 好 [SEP] | [CLS] 好 [SEP]
    offsets        0                                8               11
    first_lengths  5                                  3
    ```
    """

    token_ids: np.ndarray  # [sum of lengths] int32
    offsets: np.ndarray  # [N + 1] int64, start of each row; the last is the end
    first_lengths: np.ndarray  # [N] int32, tokens of the first segment, [CLS] and [SEP] included
    targets: Mapping[str, np.ndarray]  # name -> [N / rows_per_unit, ...] int32 or float32
    example_ids: np.ndarray  # [N] int64, place of the example that a row belongs to
    num_truncated: int  # examples that lost tokens; of reading, questions that did
    # Name -> a target of each token, flat like the token ids.
    token_targets: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    # [sum of lengths, 2] int32: the characters that a token stands for, of the text that the kind
    # of task maps predictions back to; NO_CHARACTER for other tokens.
    spans: np.ndarray | None = None
    # Consecutive rows that go together, such as the choices of a question. A batch consists of
    # such units.
    rows_per_unit: int = 1

    def __len__(self) -> int:
        """Units."""
        return len(self.first_lengths) // self.rows_per_unit

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of the longest row of each unit, int64."""
        return np.diff(self.offsets).reshape(-1, self.rows_per_unit).max(axis=1, initial=0)

    def row(self, number: int) -> slice:
        """Place of a row in the flat arrays."""
        return slice(self.offsets[number], self.offsets[number + 1])


def collate(
    features: Features, indices: np.ndarray, *, padded_length: int
) -> dict[str, np.ndarray]:
    """The model's inputs and targets for some units, padded with zeros.

    ```
    input_ids    [CLS] 我 [SEP] 你 好 [SEP]  0  0
    input_mask     1   1    1   1  1    1   0  0
    segment_ids    0   0    0   1  1    1   0  0
    ```

    Args:
        features: All rows.
        indices: [B] places of the chosen units.
        padded_length: L, tokens of every row; no chosen row may be longer.

    Returns:
        `input_ids`, `input_mask`, `segment_ids` `[B, L] int32`, or `[B, R, L]` for units of R > 1
        rows; targets `[B, ...]`; targets of tokens as the inputs, `NO_LABEL` at padding.
    """
    size = features.rows_per_unit
    rows = indices if size == 1 else (indices[:, None] * size + np.arange(size)).reshape(-1)
    lengths = np.diff(features.offsets)[rows]
    assert lengths.max(initial=0) <= padded_length, "an example is longer than its batch"
    positions = np.arange(padded_length)
    mask = positions < lengths[:, None]  # [BR, L]
    places = (features.offsets[rows][:, None] + positions)[mask]
    second = mask & (positions >= features.first_lengths[rows][:, None])
    shape = mask.shape if size == 1 else (len(indices), size, padded_length)

    def spread(values: np.ndarray, filling: int) -> np.ndarray:
        padded = np.full(mask.shape, filling, np.int32)
        padded[mask] = values[places]
        return padded.reshape(shape)

    return {
        "input_ids": spread(features.token_ids, 0),
        "input_mask": mask.astype(np.int32).reshape(shape),
        "segment_ids": second.astype(np.int32).reshape(shape),
        **{name: values[indices] for name, values in features.targets.items()},
        **{name: spread(values, NO_LABEL) for name, values in features.token_targets.items()},
    }
