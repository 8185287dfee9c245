"""Chunks of sentences: the text of one instance, before it is split into segments.

```
document   s1 s2 s3 | s4 s5 | s6         chunks of about `target` tokens
```
- A sentence joins a full chunk only if at least half of it fits; otherwise it opens the next one.
- A sentence longer than half an instance is cut into pieces at word starts.
- A chunk of a single sentence (a document of one sentence, or its last one) is split at a word.
  Only a chunk of a single word gives no pair.

These rules differ from the published ones, which silently lost text.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from albert_zh.corpus.documents import Sentence


def chunks(
    sentences: Sequence[Sentence], *, target: int, capacity: int
) -> Iterator[list[Sentence]]:
    """Groups consecutive sentences until `target` tokens are reached, at least two per chunk.

    Every token of the document is in exactly one chunk. Only the last chunk may be shorter or have
    one sentence. A chunk may exceed `capacity` by up to half its last sentence, see `make_pair`.
    """
    sentences_left = deque(split_long(sentences, longest=longest_piece(capacity)))
    while sentences_left:
        yield take_chunk(sentences_left, target=target, capacity=capacity)


def take_chunk(sentences_left: deque[Sentence], *, target: int, capacity: int) -> list[Sentence]:
    """Take the next chunk from the front."""
    chunk: list[Sentence] = []
    length = 0
    while sentences_left:
        size = len(sentences_left[0])
        overflow = length + size - capacity
        if len(chunk) >= 2 and (length >= target or 2 * overflow > size):
            break
        chunk.append(sentences_left.popleft())
        length += size
    return chunk


def split_long(sentences: Iterable[Sentence], *, longest: int) -> Iterator[Sentence]:
    """The sentences, those of more than `longest` tokens cut before a word."""
    for sentence in sentences:
        begin = 0
        while len(sentence) - begin > longest:
            end = begin + longest
            while end > begin and not sentence.starts[end]:
                end -= 1
            # A word is cut only if it fills the whole piece.
            end = end if end > begin else begin + longest
            yield sentence[begin:end]
            begin = end
        yield sentence[begin:]


def longest_piece(capacity: int) -> int:
    """Most tokens of a piece, such that two pieces always fit into a pair."""
    return max(1, capacity // 2)


def split_chunk(
    chunk: Sequence[Sentence], rng: random.Random
) -> tuple[Sequence[Sentence], Sequence[Sentence]] | None:
    """The sentences of both halves; a single sentence is split before a word."""
    if len(chunk) >= 2:
        at = rng.randint(1, len(chunk) - 1)
        return chunk[:at], chunk[at:]
    (sentence,) = chunk
    word_begins = [index for index in range(1, len(sentence)) if sentence.starts[index]]
    if not word_begins:
        return None
    at = rng.choice(word_begins)
    return [sentence[:at]], [sentence[at:]]


def join_sentences(sentences: Sequence[Sentence]) -> Sentence:
    """One sentence of the tokens of all."""
    return Sentence(
        tuple(chain.from_iterable(sentence.token_ids for sentence in sentences)),
        tuple(chain.from_iterable(sentence.starts for sentence in sentences)),
    )
