"""Documents become the segments of instances: pairs, or single segments.

```
document   s1 s2 s3 | s4 s5 | s6         chunks, see `corpus.chunks`
chunk      s1 s2 s3
split         s1 | s2 s3                 at a random sentence
pair       (s1, s2 s3) or
sentence order    (s2 s3, s1)            swapped, half the time
next sentence     (s1, r7 r8)            r7 r8 from another document, half the time;
                                         s2 s3 open the next chunk
single     s1 s2 s3 | s4 s5 s6           no pair: as many whole sentences as fit
```
The rules follow the published ones where those are sound:

- `target` is the capacity of an instance, or with `short_seq_prob` a random shorter length.
- A pair that is too long loses words at random ends of its longer segment. This affects both ends
  and both segments alike, so a cut-off sentence does not reveal the order.

They differ where a pair revealed its label: a random next segment is about as long as the one it
replaces, even if the document ends before the instance is full.
"""

import random
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from albert_zh.corpus.chunks import (
    chunks,
    join_sentences,
    longest_piece,
    split_chunk,
    split_long,
    take_chunk,
)
from albert_zh.corpus.documents import Document, Sentence


@dataclass(frozen=True, slots=True)
class SegmentPair:
    """The segments in the order of the instance."""

    first: Sentence
    second: Sentence | None  # None: a single segment
    swapped: bool  # the second precedes the first in the text, or is from another document

    @property
    def num_tokens(self) -> int:
        """Tokens of both segments, without [CLS] and [SEP]."""
        return len(self.first) + (len(self.second) if self.second else 0)


def draw_target(capacity: int, *, short_seq_prob: float, rng: random.Random) -> int:
    """Tokens that a chunk should reach: `capacity`, or sometimes any shorter length from 2 on.

    Short targets prepare the model for the short inputs of fine-tuning.
    """
    return rng.randint(2, capacity) if rng.random() < short_seq_prob else capacity


def sentence_order_pairs(
    sentences: Sequence[Sentence],
    *,
    target: int,
    capacity: int,
    rng: random.Random,
    counts: Counter[str],
) -> Iterator[SegmentPair]:
    """Pairs of neighbouring segments, half of them swapped.

    Args:
        sentences: A document.
        target: Tokens of a chunk, see `draw_target`.
        capacity: Most tokens of a pair.
        rng: Decides where to split, what to swap, and what to cut.
        counts: Gains `tokens_cut` and `tokens_left_over`: the tokens in no pair.
    """
    for chunk in chunks(sentences, target=target, capacity=capacity):
        available = sum(map(len, chunk))
        pair = make_pair(chunk, capacity=capacity, rng=rng)
        if pair is None:
            counts["tokens_left_over"] += available
            continue
        counts["tokens_cut"] += available - pair.num_tokens
        yield pair


def next_sentence_pairs(
    sentences: Sequence[Sentence],
    others: Sequence[Document],
    *,
    target: int,
    capacity: int,
    rng: random.Random,
    counts: Counter[str],
) -> Iterator[SegmentPair]:
    """Pairs whose second segment, half the time, is from another document.

    Args:
        sentences: A document.
        others: Documents to take random segments from. Without any, all pairs are neighbours.
        target: Tokens of a chunk, see `draw_target`.
        capacity: Most tokens of a pair.
        rng: Decides where to split, what to take, and what to cut.
        counts: Gains `tokens_cut` and `tokens_left_over`: the tokens in no pair; `tokens_borrowed`:
            those from other documents, before cutting; `without_other_document`: pairs that are
            neighbours for lack of other documents.
    """
    sentences_left = deque(split_long(sentences, longest=longest_piece(capacity)))
    while sentences_left:
        chunk = take_chunk(sentences_left, target=target, capacity=capacity)
        halves = split_chunk(chunk, rng)
        if halves is None:
            counts["tokens_left_over"] += len(chunk[0])
            continue
        first, second = join_sentences(halves[0]), join_sentences(halves[1])
        is_random = rng.random() < 0.5
        if is_random and not others:
            counts["without_other_document"] += 1
            is_random = False
        if is_random:
            sentences_left.extendleft(reversed(halves[1]))
            size = min(len(second), target - len(first))
            second = _random_segment(others, size=size, capacity=capacity, rng=rng)
            counts["tokens_borrowed"] += len(second)
        pair = SegmentPair(*_truncate(first, second, capacity, rng), is_random)
        counts["tokens_cut"] += len(first) + len(second) - pair.num_tokens
        yield pair


def single_segments(
    sentences: Sequence[Sentence], *, target: int, capacity: int
) -> Iterator[SegmentPair]:
    """Segments of whole sentences up to `target` tokens; no token is lost.

    A sentence that does not fit opens the next segment; one of more than `capacity` tokens is cut
    at word starts. `swapped` is True, as in the published script that makes such instances.
    """
    group: list[Sentence] = []
    length = 0
    for sentence in split_long(sentences, longest=capacity):
        if group and (length >= target or length + len(sentence) > capacity):
            yield SegmentPair(join_sentences(group), None, True)
            group, length = [], 0
        group.append(sentence)
        length += len(sentence)
    if group:
        yield SegmentPair(join_sentences(group), None, True)


def make_pair(
    chunk: Sequence[Sentence], *, capacity: int, rng: random.Random
) -> SegmentPair | None:
    """Split the chunk in two, swap the halves half the time and cut them to `capacity`.

    Returns:
        The pair, or None if the chunk is a single word, which cannot be split.
    """
    halves = split_chunk(chunk, rng)
    if halves is None:
        return None
    swapped = rng.random() < 0.5
    first, second = map(join_sentences, reversed(halves) if swapped else halves)
    return SegmentPair(*_truncate(first, second, capacity, rng), swapped)


def _random_segment(
    others: Sequence[Document], *, size: int, capacity: int, rng: random.Random
) -> Sentence:
    """Consecutive sentences from a random one on, up to `size` tokens or the document's end."""
    sentences = rng.choice(others).sentences
    rest = islice(sentences, rng.randrange(len(sentences)), None)
    group: list[Sentence] = []
    length = 0
    for piece in split_long(rest, longest=longest_piece(capacity)):
        group.append(piece)
        length += len(piece)
        if length >= size:
            break
    return join_sentences(group)


def _truncate(
    first: Sentence, second: Sentence, capacity: int, rng: random.Random
) -> tuple[Sentence, Sentence]:
    """Remove words from random ends of the longer segment until both together fit."""
    kept_first, kept_second = range(len(first)), range(len(second))
    while len(kept_first) + len(kept_second) > capacity:
        from_front = rng.random() < 0.5
        if len(kept_first) > len(kept_second):
            kept_first = _without_word(first, kept_first, from_front)
        else:
            kept_second = _without_word(second, kept_second, from_front)
    return (
        first[kept_first.start : kept_first.stop],
        second[kept_second.start : kept_second.stop],
    )


def _without_word(segment: Sentence, kept: range, from_front: bool) -> range:
    """`kept` without its first or last word; a single word loses its last token."""
    inner = kept[1:] if from_front else reversed(kept[1:])
    cut = next((index for index in inner if segment.starts[index]), None)
    if cut is None:
        return kept[:-1]
    return range(cut, kept.stop) if from_front else range(kept.start, cut)
