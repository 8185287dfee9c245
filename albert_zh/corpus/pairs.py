"""Documents become the segments of instances: pairs, or single segments.

```
document   s1 s2 s3 | s4 s5 | s6         chunks, see `corpus.chunks`
chunk      s1 s2 s3
split         s1 | s2 s3                 between two random sentences
pair       (s1, s2 s3) or
sentence order    (s2 s3, s1)            swapped, half the time
next sentence     (s1, r7 r8)            r7 r8 from another document, half the time;
                                         s2 s3 open the next chunk
single     s1 s2 s3 | s4 s5 s6           no pair: as many whole sentences as fit
```
Rules that follow the published ones:

- `target` is the capacity of an instance, or, with probability `short_seq_prob`, a shorter one.
- A pair that is too long loses words at random ends of its longer segment. This affects both ends
  and both segments alike, so a cut-off sentence does not reveal the order.

They differ where a pair revealed its label:

- For sentence order, a single sentence is a single segment: of its halves, the one with the full
  stop would be the second.
- A random next segment is as long as the one it replaces, up to a few tokens, wherever the other
  documents end.
"""

import random
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from albert_zh.corpus.chunks import (
    chunks,
    join_sentences,
    longest_piece,
    split_chunk,
    split_long,
    take_chunk,
)
from albert_zh.corpus.documents import Document, Sentence

# Random segments, of which the one is taken whose length is nearest to that of the true one.
_RANDOM_SEGMENTS = 16


@dataclass(frozen=True, slots=True)
class SegmentPair:
    """The segments in the order of the instance."""

    first: Sentence
    second: Sentence | None  # None: a single segment
    swapped: bool  # second precedes first or is from another document; or a single segment

    @property
    def num_tokens(self) -> int:
        """Tokens of both segments, without [CLS] and [SEP]."""
        return len(self.first) + (len(self.second) if self.second else 0)


def draw_target(capacity: int, *, short_seq_prob: float, rng: random.Random) -> int:
    """Tokens that a chunk should reach: `capacity`, or sometimes random from 2 to `capacity`.

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
    """Pairs of neighbouring segments, half of them swapped, and single sentences.

    A document of one sentence gives single segments, and so may the last sentence of any document.

    Args:
        sentences: A document.
        target: Tokens of a chunk, see `draw_target`.
        capacity: Most tokens of a pair.
        rng: Decides where to split, what to swap, and what to cut.
        counts: Receives `tokens_cut` and `tokens_left_over`, those in no pair;
            `single_segments`: those that are no pairs.
    """
    for chunk in chunks(sentences, target=target, capacity=capacity):
        available = sum(map(len, chunk))
        if len(sentences) == 1:
            chunk = [join_sentences(chunk)]
        pair = make_pair(chunk, capacity=capacity, rng=rng)
        if pair is None:
            counts["tokens_left_over"] += available
            continue
        counts["tokens_cut"] += available - pair.num_tokens
        counts["single_segments"] += pair.second is None
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
        others: Documents to take random segments from. Without them, all pairs are neighbours.
        target: Tokens of a chunk, see `draw_target`.
        capacity: Most tokens of a pair.
        rng: Decides where to split, what to take, and what to cut.
        counts: Gains `tokens_cut` and `tokens_left_over`: the tokens in no pair; `tokens_borrowed`:
            those from other documents, before cutting; `without_other_document`: pairs of
            neighbours because there were no others.
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
            second = _random_segment(others, size=len(second), capacity=capacity, rng=rng)
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
    """Split the chunk, swap the halves half the time, truncate to `capacity`.

    Returns:
        The pair; the single segment if the chunk is one sentence; None if that is a single word.
    """
    halves = split_chunk(chunk, rng)
    if halves is None:
        return None
    if len(chunk) == 1:
        return SegmentPair(_truncate(chunk[0], chunk[0][:0], capacity, rng)[0], None, False)
    swapped = rng.random() < 0.5
    first, second = map(join_sentences, reversed(halves) if swapped else halves)
    return SegmentPair(*_truncate(first, second, capacity, rng), swapped)


def _random_segment(
    others: Sequence[Document], *, size: int, capacity: int, rng: random.Random
) -> Sentence:
    """Consecutive sentences of about `size` tokens: of some random ones those that come nearest."""
    nearest: Sequence[Sentence] = ()
    least = size
    for _ in range(_RANDOM_SEGMENTS):
        segment = _segment_of(rng.choice(others), size=size, capacity=capacity, rng=rng)
        distance = abs(sum(map(len, segment)) - size)
        if not nearest or distance < least:
            nearest, least = segment, distance
        if not distance:
            break
    return join_sentences(nearest)


def _segment_of(
    document: Document, *, size: int, capacity: int, rng: random.Random
) -> Sequence[Sentence]:
    """Sentences of about `size` tokens from a random one on, after which there are as many left."""
    pieces = list(split_long(document.sentences, longest=longest_piece(capacity)))
    ends = list(accumulate(map(len, pieces)))
    last = bisect_right(ends, ends[-1] - size) if size < ends[-1] else 0
    begin = rng.randint(0, last)
    wanted = size + (ends[begin - 1] if begin else 0)
    end = min(bisect_left(ends, wanted), len(pieces) - 1)
    if end > begin and ends[end] - wanted > wanted - ends[end - 1]:
        end -= 1
    return pieces[begin : end + 1]


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
