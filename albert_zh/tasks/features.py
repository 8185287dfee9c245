"""Examples become token ids, kept as flat arrays; a batch is padded only to its own length."""

import array
import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.progress import Progress

NO_LABEL = -1  # label id of an example whose label is not known

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
    targets: Mapping[str, np.ndarray]  # name -> [N, ...] int32
    example_ids: np.ndarray  # [N] int64, place of the example that a row belongs to
    num_truncated: int  # examples that lost tokens to max_seq_length

    def __len__(self) -> int:
        return len(self.first_lengths)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, [N] int64."""
        return np.diff(self.offsets)


def featurize_texts(
    texts: Sequence[tuple[str, ...]],
    *,
    targets: Mapping[str, np.ndarray],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Tokenize examples of one row each: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]` for pairs.

    Args:
        texts: The text or the two texts of each example; all have as many.
        targets: Name -> [N, ...] int32.
        tokenizer: Turns texts into token ids.
        max_seq_length: Longest example in tokens, special tokens included. Of a longer pair, the
            longer text loses tokens from its end until it fits.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for a token of each text.
    """
    num_segments = len(texts[0]) if texts else 2
    limit = max_seq_length - num_segments - 1
    if limit < num_segments:
        raise ValueError(
            f"max_seq_length {max_seq_length} leaves no room for text; it must be at least "
            f"{2 * num_segments + 1}"
        )
    token_ids, lengths = array.array("i"), array.array("i")
    first_lengths = array.array("i")
    num_truncated = 0
    for segments in _encode(texts, tokenizer, progress):
        kept = truncate(segments, limit)
        num_truncated += kept != segments
        row = with_special_tokens(kept, tokenizer.vocab)
        token_ids.extend(row)
        lengths.append(len(row))
        first_lengths.append(len(kept[0]) + 2)
    return Features(
        token_ids=np.array(token_ids, np.int32),
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        first_lengths=np.array(first_lengths, np.int32),
        targets=targets,
        example_ids=np.arange(len(texts)),
        num_truncated=num_truncated,
    )


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


def with_special_tokens(segments: list[list[int]], vocab: Vocab) -> list[int]:
    """`[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` as ids."""
    row = [vocab.cls_id]
    for segment in segments:
        row += [*segment, vocab.sep_id]
    return row


def collate(
    features: Features, indices: np.ndarray, *, padded_length: int
) -> dict[str, np.ndarray]:
    """The model's inputs and targets for some rows, padded with zeros.

    ```
    input_ids    [CLS] 我 [SEP] 你 好 [SEP]  0  0
    input_mask     1   1    1   1  1    1   0  0
    segment_ids    0   0    0   1  1    1   0  0
    ```

    Args:
        features: All rows.
        indices: [B] places of the chosen rows.
        padded_length: L, tokens of every row; no chosen row may be longer.

    Returns:
        `input_ids`, `input_mask`, `segment_ids` [B, L] int32, and the targets, [B, ...] int32.
    """
    lengths = features.lengths[indices]
    assert lengths.max(initial=0) <= padded_length, "an example is longer than its batch"
    positions = np.arange(padded_length)
    mask = positions < lengths[:, None]  # [B, L]
    input_ids = np.zeros(mask.shape, np.int32)
    input_ids[mask] = features.token_ids[(features.offsets[indices][:, None] + positions)[mask]]
    second = mask & (positions >= features.first_lengths[indices][:, None])
    return {
        "input_ids": input_ids,
        "input_mask": mask.astype(np.int32),
        "segment_ids": second.astype(np.int32),
        **{name: values[indices] for name, values in features.targets.items()},
    }


def _encode(
    texts: Sequence[tuple[str, ...]], tokenizer: Tokenizer, progress: Progress | None
) -> Iterator[list[list[int]]]:
    """Token ids of the one or two texts of each example."""
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        columns = [tokenizer.encode_batch(list(column)) for column in zip(*chunk, strict=True)]
        for encodings in zip(*columns, strict=True):
            yield [encoding.ids for encoding in encodings]
        if progress is not None:
            progress.advance(len(chunk))
