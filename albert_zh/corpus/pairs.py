"""Documents become pairs of segments: half of them in the order of the text, half swapped.

```
document   s1 s2 s3 | s4 s5 | s6         chunks of about `target` tokens
chunk      s1 s2 s3
split         s1 | s2 s3                 at a random sentence
pair       (s1, s2 s3) or, swapped, (s2 s3, s1)
```
The rules follow the published ones where those are sound:

- `target` is the capacity of an instance, or with `short_seq_prob` a random shorter length.
- A pair that is too long loses words at random ends of its longer segment. Both ends and both
  segments are hit alike, so a cut-off sentence does not give the order away.

They differ where the published rules lost text unseen:

- A sentence joins a full chunk only if at least half of it fits; otherwise it opens the next one.
- A sentence longer than half an instance is cut into pieces at word starts.
- A chunk of a single sentence (a document of one sentence, or its last one) is split at a word.
  Only a chunk of a single word has no pair in it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from albert_zh.corpus.documents import Sentence


@dataclass(frozen=True, slots=True)
class SegmentPair:
    """Two segments as they stand in the instance; `swapped`: the second comes first in the text."""

    first: Sentence
    second: Sentence
    swapped: bool

    @property
    def num_tokens(self) -> int:
        """Without [CLS] and [SEP]."""
        return len(self.first) + len(self.second)


def draw_target(capacity: int, *, short_seq_prob: float, rng: random.Random) -> int:
    """Tokens a chunk should reach: `capacity`, or sometimes any shorter length from 2 on.

    Short targets keep the model at home in short inputs, which fine-tuning is full of.
    """
    return rng.randint(2, capacity) if rng.random() < short_seq_prob else capacity


def chunks(
    sentences: Sequence[Sentence], *, target: int, capacity: int
) -> Iterator[list[Sentence]]:
    """Groups following sentences until `target` tokens are reached, at least two a group.

    Every token of the document is in exactly one chunk. Only the last chunk may be shorter or have
    one sentence; a chunk may exceed `capacity` by up to half its last sentence, see `make_pair`.
    """
    chunk: list[Sentence] = []
    length = 0
    for sentence in _pieces(sentences, longest=max(1, capacity // 2)):
        overflow = length + len(sentence) - capacity
        if len(chunk) >= 2 and 2 * overflow > len(sentence):
            yield chunk
            chunk, length = [], 0
        chunk.append(sentence)
        length += len(sentence)
        if len(chunk) >= 2 and length >= target:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def make_pair(
    chunk: Sequence[Sentence], *, capacity: int, rng: random.Random
) -> SegmentPair | None:
    """Splits the chunk in two, swaps the halves every other time and cuts them to `capacity`.

    Returns:
        The pair, or None if the chunk is a single word, which cannot be split.
    """
    halves = _split(chunk, rng)
    if halves is None:
        return None
    swapped = rng.random() < 0.5
    first, second = reversed(halves) if swapped else halves
    return SegmentPair(*_truncate(first, second, capacity, rng), swapped)


def _pieces(sentences: Sequence[Sentence], *, longest: int) -> Iterator[Sentence]:
    """The sentences, those of more than `longest` tokens cut before a word."""
    for sentence in sentences:
        begin = 0
        while len(sentence) - begin > longest:
            end = begin + longest
            while end > begin and not sentence.starts[end]:
                end -= 1
            # A single word fills the whole piece: only then is a word cut.
            end = end if end > begin else begin + longest
            yield sentence[begin:end]
            begin = end
        yield sentence[begin:]


def _split(chunk: Sequence[Sentence], rng: random.Random) -> tuple[Sentence, Sentence] | None:
    if len(chunk) >= 2:
        at = rng.randint(1, len(chunk) - 1)
        return _join(chunk[:at]), _join(chunk[at:])
    (sentence,) = chunk
    word_begins = [index for index in range(1, len(sentence)) if sentence.starts[index]]
    if not word_begins:
        return None
    at = rng.choice(word_begins)
    return sentence[:at], sentence[at:]


def _join(sentences: Sequence[Sentence]) -> Sentence:
    return Sentence(
        tuple(chain.from_iterable(sentence.token_ids for sentence in sentences)),
        tuple(chain.from_iterable(sentence.starts for sentence in sentences)),
    )


def _truncate(
    first: Sentence, second: Sentence, capacity: int, rng: random.Random
) -> tuple[Sentence, Sentence]:
    """Takes words from random ends of the longer segment until both together fit."""
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
