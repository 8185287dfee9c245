"""Rows of tokens out of the tokens of texts, a thousand texts at a time.

N rows, T tokens of a chunk of texts.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from albert_zh.tasks.features import NO_CHARACTER, Features
from albert_zh.text.encoding import FlatEncodings
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.progress import Progress

# Rows of texts tokenized at a time: bounds the memory of what is computed for each character.
_CHUNK = 1024


@dataclasses.dataclass(frozen=True)
class Segments:
    """The first or the second segment of N rows: parts of the tokens of texts."""

    texts: FlatEncodings
    begins: np.ndarray  # [N] int64, places in the tokens of all texts
    lengths: np.ndarray  # [N] int64, tokens

    @property
    def places(self) -> np.ndarray:
        """Places of the tokens of all segments, one after the other."""
        return ranges(self.begins, self.lengths)


@dataclasses.dataclass
class RowWriter:
    """Collects rows for `Features`."""

    vocab: Vocab
    token_ids: list[np.ndarray] = dataclasses.field(default_factory=list)
    lengths: list[np.ndarray] = dataclasses.field(default_factory=list)
    first_lengths: list[np.ndarray] = dataclasses.field(default_factory=list)
    example_ids: list[np.ndarray] = dataclasses.field(default_factory=list)
    spans: list[np.ndarray] = dataclasses.field(default_factory=list)

    def add(self, segments: Sequence[Segments], *, examples: np.ndarray) -> None:
        """Add `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`, for every row.

        Args:
            segments: The one or two segments. Spans of a text become those of the row's tokens.
            examples: [N] places of the examples that the rows belong to.
        """
        lengths = 1 + sum(each.lengths + 1 for each in segments)
        begins = np.cumsum(lengths) - lengths
        token_ids = np.full(lengths.sum(), self.vocab.sep_id, np.int32)
        token_ids[begins] = self.vocab.cls_id
        begins = begins + 1
        for segment in segments:
            places = ranges(begins, segment.lengths)
            token_ids[places] = segment.texts.ids[segment.places]
            if segment.texts.spans is not None:
                spans = np.full([len(token_ids), 2], NO_CHARACTER, np.int32)
                spans[places] = segment.texts.spans[segment.places]
                self.spans.append(spans)
            begins = begins + segment.lengths + 1
        self.token_ids.append(token_ids)
        self.lengths.append(lengths)
        self.first_lengths.append(np.int32(segments[0].lengths + 2))
        self.example_ids.append(examples)

    def features(
        self, targets: Mapping[str, np.ndarray], *, num_truncated: int, rows_per_unit: int = 1
    ) -> Features:
        """The rows, and their targets."""
        return Features(
            token_ids=_joined(self.token_ids, np.int32),
            offsets=np.append(0, np.cumsum(_joined(self.lengths, np.int64))),
            first_lengths=_joined(self.first_lengths, np.int32),
            targets=targets,
            example_ids=_joined(self.example_ids, np.int64),
            num_truncated=num_truncated,
            spans=_joined(self.spans, np.int32) if self.spans else None,
            rows_per_unit=rows_per_unit,
        )


def encode_texts(
    texts: Sequence[tuple[str, ...]],
    tokenizer: Tokenizer,
    *,
    with_spans: Sequence[bool] = (False, False),
    multiple: int = 1,
) -> Iterator[tuple[int, list[FlatEncodings]]]:
    """Number of the first row of each chunk, and its first texts and its second texts.

    Args:
        texts: The one or two texts of each row; all rows have as many.
        tokenizer: Turns texts into token ids.
        with_spans: Whether the spans of the first and of the second texts are needed.
        multiple: Rows that stay in one chunk.
    """
    size = -(-_CHUNK // multiple) * multiple
    for start in range(0, len(texts), size):
        columns = zip(*texts[start : start + size], strict=True)
        yield (
            start,
            [
                tokenizer.encode_flat(column, with_spans=has_spans)
                for column, has_spans in zip(columns, with_spans, strict=False)
            ],
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
    limit = room_for_text(max_seq_length, len(texts[0]) if texts else 2)
    rows, num_truncated = RowWriter(tokenizer.vocab), 0
    for start, encoded in encode_texts(texts, tokenizer, multiple=rows_per_unit):
        lengths = [np.diff(each.offsets) for each in encoded]
        kept = truncated_lengths(lengths, limit)
        is_truncated = sum(lengths) > limit
        num_truncated += int(is_truncated.reshape(-1, rows_per_unit).any(axis=1).sum())
        rows.add(
            [
                Segments(each, each.offsets[:-1], length)
                for each, length in zip(encoded, kept, strict=True)
            ],
            examples=np.arange(start, start + len(is_truncated)) // rows_per_unit,
        )
        if progress is not None:
            progress.advance(len(is_truncated) // rows_per_unit)
    return rows.features(targets, num_truncated=num_truncated, rows_per_unit=rows_per_unit)


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


def truncated_lengths(lengths: Sequence[np.ndarray], limit: int) -> list[np.ndarray]:
    """Tokens of each segment that are kept of rows with at most `limit` tokens in all.

    Of two segments the longer loses its last token until both fit; of equals, the second.

    >>> [kept.tolist() for kept in truncated_lengths([np.array([5, 3]), np.array([2, 3])], 5)]
    [[3, 3], [2, 2]]

    Args:
        lengths: [N] tokens of the first segments; and of the second ones, if there are any.
        limit: Tokens of a row at most, without special tokens.
    """
    if len(lengths) == 1:
        return [np.minimum(lengths[0], limit)]
    first, second = lengths
    fits = first + second <= limit
    # What is left when tokens go one by one: the shorter segment whole, or an even share each.
    kept = np.minimum(second, np.maximum(limit // 2, limit - first))
    return [np.where(fits, first, limit - kept), np.where(fits, second, kept)]


def ranges(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Numbers of several ranges, one after the other.

    >>> ranges(np.array([5, 20]), np.array([3, 2])).tolist()
    [5, 6, 7, 20, 21]
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins - before, lengths) + np.arange(lengths.sum())


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    """The parts one after the other; they are taken out of the list, so that memory is freed."""
    joined = np.concatenate([np.zeros([0, *parts[0].shape[1:]] if parts else 0, dtype), *parts])
    parts.clear()
    return joined
