"""Examples become token ids, kept as flat arrays; a batch is padded only to its own length."""

import array
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from albert_zh.tasks.examples import Example
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.progress import Progress

NO_LABEL = -1  # label id of an example whose label is not known

# Texts tokenized at a time: bounds the memory of the tokenizer's own results.
_CHUNK = 4096


@dataclasses.dataclass(frozen=True)
class Features:
    """Token ids of N examples, one after the other.

    ```
    token_ids      [CLS] 我 爱 你 [SEP] 你 好 [SEP] | [CLS] 好 [SEP]
    offsets        0                                8               11
    first_lengths  5                                  3
    ```
    """

    token_ids: np.ndarray  # [sum of lengths] int32
    offsets: np.ndarray  # [N + 1] int64, where each example starts; the last is the end
    first_lengths: np.ndarray  # [N] int32, tokens of the first segment, [CLS] and [SEP] included
    label_ids: np.ndarray  # [N] int32; NO_LABEL where none is known
    num_truncated: int  # examples that lost tokens to max_seq_length

    def __len__(self) -> int:
        return len(self.label_ids)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, [N] int64."""
        return np.diff(self.offsets)


def featurize(
    examples: Sequence[Example],
    *,
    tokenizer: Tokenizer,
    labels: Sequence[str],
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Tokenizes examples: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]` for pairs.

    Args:
        examples: All of one kind: single texts or pairs.
        tokenizer: Turns texts into token ids.
        labels: Labels of the task; a label's place in the list is its id.
        max_seq_length: Tokens an example may have, special tokens included. Of a pair that is
            longer, the longer text loses tokens from its end until it fits.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for a token of each text.
    """
    num_segments = 1 if examples and examples[0].text_b is None else 2
    limit = max_seq_length - num_segments - 1
    if limit < num_segments:
        raise ValueError(
            f"max_seq_length {max_seq_length} leaves no room for text; it must be at least "
            f"{2 * num_segments + 1}"
        )
    token_ids, lengths = array.array("i"), array.array("i")
    first_lengths = array.array("i")
    num_truncated = 0
    for segments in _encode(examples, tokenizer, progress):
        kept = truncate(segments, limit)
        num_truncated += kept != segments
        row = with_special_tokens(kept, tokenizer.vocab)
        token_ids.extend(row)
        lengths.append(len(row))
        first_lengths.append(len(kept[0]) + 2)
    label_ids = {None: NO_LABEL, **{label: index for index, label in enumerate(labels)}}
    return Features(
        token_ids=np.array(token_ids, np.int32),
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        first_lengths=np.array(first_lengths, np.int32),
        label_ids=np.array([label_ids[example.label] for example in examples], np.int32),
        num_truncated=num_truncated,
    )


def truncate(segments: list[list[int]], limit: int) -> list[list[int]]:
    """Shortens one or two token lists from their ends to `limit` tokens in all.

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
    """The model's inputs for some examples, padded with zeros.

    ```
    input_ids    [CLS] 我 [SEP] 你 好 [SEP]  0  0
    input_mask     1   1    1   1  1    1   0  0
    segment_ids    0   0    0   1  1    1   0  0
    ```

    Args:
        features: What to choose from.
        indices: [B] places of the examples in `features`.
        padded_length: L, tokens of every row; no chosen example may be longer.

    Returns:
        `input_ids`, `input_mask`, `segment_ids` [B, L] int32 and `label_ids` [B] int32.
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
        "label_ids": features.label_ids[indices],
    }


def _encode(
    examples: Sequence[Example], tokenizer: Tokenizer, progress: Progress | None
) -> Iterator[list[list[int]]]:
    """Token ids of the one or two texts of each example."""
    for start in range(0, len(examples), _CHUNK):
        chunk = examples[start : start + _CHUNK]
        columns = [[example.text_a for example in chunk]]
        if chunk[0].text_b is not None:
            columns.append([example.text_b for example in chunk])
        encoded = [tokenizer.encode_batch(texts) for texts in columns]
        for texts in zip(*encoded, strict=True):
            yield [text.ids for text in texts]
        if progress is not None:
            progress.advance(len(chunk))
