"""Examples become token ids, kept as flat arrays; a batch is padded only to its own length."""

import array
import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from albert_zh.text.encoding import Encoding
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.progress import Progress

NO_LABEL = -1  # label id of an example, or of a token, whose label is not known
NO_CHARACTER = -1  # place in a text that special tokens and tokens of other texts have

# Texts tokenized at a time: bounds the memory of the tokenizer's own results.
_CHUNK = 4096


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
    num_truncated: int  # examples that lost tokens to max_seq_length
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


@dataclasses.dataclass
class RowWriter:
    """Collects rows for `Features`."""

    vocab: Vocab
    token_ids: array.array = dataclasses.field(default_factory=lambda: array.array("i"))
    lengths: array.array = dataclasses.field(default_factory=lambda: array.array("i"))
    first_lengths: array.array = dataclasses.field(default_factory=lambda: array.array("i"))
    example_ids: array.array = dataclasses.field(default_factory=lambda: array.array("q"))

    def add(self, segments: Sequence[Sequence[int]], *, example: int) -> None:
        """Add `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`.

        Args:
            segments: Token ids of the one or two segments.
            example: Place of the example that the row belongs to.
        """
        start = len(self.token_ids)
        self.token_ids.append(self.vocab.cls_id)
        for segment in segments:
            self.token_ids.extend(segment)
            self.token_ids.append(self.vocab.sep_id)
        self.lengths.append(len(self.token_ids) - start)
        self.first_lengths.append(len(segments[0]) + 2)
        self.example_ids.append(example)

    def features(
        self, targets: Mapping[str, np.ndarray], *, num_truncated: int, **settings
    ) -> Features:
        """The rows; `settings` are further fields of `Features`."""
        return Features(
            token_ids=np.array(self.token_ids, np.int32),
            offsets=np.cumsum([0, *self.lengths], dtype=np.int64),
            first_lengths=np.array(self.first_lengths, np.int32),
            targets=targets,
            example_ids=np.array(self.example_ids, np.int64),
            num_truncated=num_truncated,
            **settings,
        )


def featurize_texts(
    texts: Sequence[tuple[str, ...]],
    *,
    targets: Mapping[str, np.ndarray],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
    rows_per_unit: int = 1,
) -> Features:
    """Tokenize rows of one or two texts: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]` for pairs.

    Args:
        texts: The text or the two texts of each row; all have as many.
        targets: Name -> [N / rows_per_unit, ...].
        tokenizer: Turns texts into token ids.
        max_seq_length: Longest row in tokens, special tokens included. Of a longer pair, the
            longer text loses tokens from its end until it fits.
        progress: Told about every unit done.
        rows_per_unit: Consecutive rows of one example.

    Raises:
        ValueError: `max_seq_length` leaves no room for a token of each text.
    """
    num_segments = len(texts[0]) if texts else 2
    limit = room_for_text(max_seq_length, num_segments)
    rows, truncated = RowWriter(tokenizer.vocab), set()
    for number, encodings in enumerate(encode_texts(texts, tokenizer)):
        segments = [encoding.ids for encoding in encodings]
        kept = truncate(segments, limit)
        example = number // rows_per_unit
        if kept != segments:
            truncated.add(example)
        rows.add(kept, example=example)
        if progress is not None and (number + 1) % rows_per_unit == 0:
            progress.advance(1)
    return rows.features(targets, num_truncated=len(truncated), rows_per_unit=rows_per_unit)


def placed_spans(spans: Sequence[tuple[int, int]], *, before: int) -> np.ndarray:
    """Spans of the tokens of a row, `[L, 2] int32`.

    Args:
        spans: Characters of the tokens that predictions are mapped back to.
        before: Tokens of the row before them; one, [SEP], comes after.
    """
    placed = np.full([before + len(spans) + 1, 2], NO_CHARACTER, np.int32)
    placed[before : before + len(spans)] = np.array(spans, np.int32).reshape(-1, 2)
    return placed


def room_for_text(max_seq_length: int, num_segments: int) -> int:
    """Tokens of all texts of a row together, without special tokens.

    Raises:
        ValueError: There is no room for a token of each text.
    """
    limit = max_seq_length - num_segments - 1
    if limit < num_segments:
        raise ValueError(
            f"max_seq_length {max_seq_length} leaves no room for text; it must be at least "
            f"{2 * num_segments + 1}"
        )
    return limit


def truncate(segments: list[list[int]], limit: int) -> list[list[int]]:
    """Shorten one or two token lists from their ends to `limit` tokens in all.

    Of two lists the longer loses its last token until both fit; of equals, the second.

    >>> truncate([[1, 2, 3, 4, 5], [6, 7]], 5)
    [[1, 2, 3], [6, 7]]
    >>> truncate([[1, 2, 3], [4, 5, 6]], 5)
    [[1, 2, 3], [4, 5]]
    """
    if len(segments) == 1:
        return [segments[0][:limit]]
    first, second = segments
    if len(first) + len(second) <= limit:
        return segments
    # What is left when tokens go one by one: the shorter list whole, or an even share each.
    kept_second = min(len(second), max(limit // 2, limit - len(first)))
    return [first[: limit - kept_second], second[:kept_second]]


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


def encode_texts(
    texts: Sequence[tuple[str, ...]], tokenizer: Tokenizer
) -> Iterator[tuple[Encoding, ...]]:
    """Encodings of the texts of each row; all rows have as many."""
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        columns = [tokenizer.encode_batch(list(column)) for column in zip(*chunk, strict=True)]
        yield from zip(*columns, strict=True)
