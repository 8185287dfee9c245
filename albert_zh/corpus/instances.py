"""Documents become instances: the tokens for the model, the masked positions and their labels.

```
document -> segments -> layout -> masks
                        [CLS] first [SEP] second [SEP]
                        [CLS] first [SEP]                 without pairing, or of one sentence
```
Each pass over a document has its own random stream, seeded by the seed, document number and pass
number. So an instance depends neither on the process that makes it nor on other documents (except
the source of a random next sentence).
"""

import enum
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from albert_zh.corpus.documents import Document
from albert_zh.corpus.pairs import (
    SegmentPair,
    draw_target,
    next_sentence_pairs,
    sentence_order_pairs,
    single_segments,
)
from albert_zh.masking.instances import mask_words
from albert_zh.masking.recipe import MaskingRecipe

SHORTEST = 8  # tokens; fewer hardly hold a sentence


class Pairing(enum.Enum):
    """Relation of two segments that the model learns to predict; NONE: one segment."""

    SENTENCE_ORDER = "sentence_order"  # neighbours, half of them swapped: ALBERT
    NEXT_SENTENCE = "next_sentence"  # neighbours; half of them from two documents: BERT
    NONE = "none"  # one segment of whole sentences: RoBERTa


@dataclass(frozen=True, slots=True)
class Instance:
    """One training example, without padding.

    ```
    token_ids         [CLS] 我 爱 [MASK] [MASK] [SEP] 他 也 是 [SEP]
    segment_ids       0     0  0  0      0      0     1  1  1  1
    starts            T     T  T  T      F      T     T  T  T  T
    masked_positions  3 4
    masked_labels     北 京
    swapped           False: 我爱北京 comes first in the text
    ```
    `swapped` is the label of the pair: True also for a second segment from another document. It
    means nothing for a single segment: True without pairing, as published, and else False.
    """

    token_ids: tuple[int, ...]
    segment_ids: tuple[int, ...]
    starts: tuple[bool, ...]
    masked_positions: tuple[int, ...]
    masked_labels: tuple[int, ...]
    swapped: bool


@dataclass(frozen=True)
class InstanceRecipe:
    """The settings that turn documents into instances."""

    max_seq_length: int  # most tokens per instance, [CLS] and [SEP] included
    short_seq_prob: float  # share of passes over a document with shorter instances
    dupe_factor: int  # passes over each document, each with new pairs and masks
    random_seed: int
    cls_id: int
    sep_id: int
    masking: MaskingRecipe | None  # None: nothing is masked yet
    pairing: Pairing = Pairing.SENTENCE_ORDER

    def __post_init__(self):
        if self.max_seq_length < SHORTEST:
            raise ValueError(
                f"max_seq_length must be at least {SHORTEST}, got {self.max_seq_length}"
            )
        if not 0 <= self.short_seq_prob <= 1:
            raise ValueError(f"short_seq_prob must be 0 to 1, got {self.short_seq_prob}")
        if self.dupe_factor < 1:
            raise ValueError(f"dupe_factor must be at least 1, got {self.dupe_factor}")

    @property
    def capacity(self) -> int:
        """Most tokens of text per instance."""
        num_special = 2 if self.pairing is Pairing.NONE else 3
        return self.max_seq_length - num_special


@dataclass(frozen=True)
class DocumentInstances:
    """The instances of all passes over a document, and counts.

    Counts of instances:
        instances: All of them.
        swapped: Those with `Instance.swapped`.
        single_segments: Those of one sentence, which has no order; only of
            `Pairing.SENTENCE_ORDER`.
        without_other_document: Neighbours, because no other document was given.
    Counts of tokens:
        masked_tokens: Including permuted ones.
        tokens_cut: Removed from pairs that were too long.
        tokens_left_over: Single words, which make no pair.
        tokens_borrowed: Taken from other documents by random next sentences. Tokens used = tokens
        of all passes + borrowed - cut - left over.
    Counts of words:
        without_similar: Replaced by random tokens because no similar word is known.
    """

    instances: list[Instance]
    counts: Counter[str]


def make_instances(
    document: Document,
    *,
    number: int,
    recipe: InstanceRecipe,
    others: Sequence[Document] = (),
) -> DocumentInstances:
    """Make the instances of all passes over a document.

    Args:
        document: The source of the instances.
        number: The document's number in its corpus; part of the seed.
        recipe: How to make instances.
        others: Other documents, the sources of random next sentences; only
            `Pairing.NEXT_SENTENCE` uses them.
    """
    instances: list[Instance] = []
    counts = Counter(tokens_cut=0, tokens_left_over=0)
    others = [other for other in others if other.sentences]
    for pass_number in range(recipe.dupe_factor):
        rng = random.Random(f"{recipe.random_seed}:{number}:{pass_number}")
        for pair in _segments(document, others, recipe, rng, counts):
            instance = lay_out(pair, cls_id=recipe.cls_id, sep_id=recipe.sep_id)
            if recipe.masking is not None:
                instance = _mask(instance, recipe.masking, rng, counts)
            instances.append(instance)
    counts["instances"] += len(instances)
    counts["swapped"] += sum(instance.swapped for instance in instances)
    counts["masked_tokens"] += sum(len(instance.masked_labels) for instance in instances)
    return DocumentInstances(instances, counts)


def lay_out(pair: SegmentPair, *, cls_id: int, sep_id: int) -> Instance:
    """Add the special tokens to the segments; nothing is masked yet."""
    first, second = pair.first, pair.second
    token_ids = (cls_id, *first.token_ids, sep_id)
    segment_ids = (0,) * len(token_ids)
    # The first token of a segment always begins a word, so that no word crosses a [SEP].
    starts = (True, True, *first.starts[1:], True)
    if second is not None:
        token_ids += (*second.token_ids, sep_id)
        segment_ids += (1,) * (len(second) + 1)
        starts += (True, *second.starts[1:], True)
    return Instance(
        token_ids=token_ids,
        segment_ids=segment_ids,
        starts=starts,
        masked_positions=(),
        masked_labels=(),
        swapped=pair.swapped,
    )


def _segments(
    document: Document,
    others: Sequence[Document],
    recipe: InstanceRecipe,
    rng: random.Random,
    counts: Counter[str],
) -> Iterator[SegmentPair]:
    """The segments of one pass, in the order of the text."""
    capacity = recipe.capacity
    target = draw_target(capacity, short_seq_prob=recipe.short_seq_prob, rng=rng)
    if recipe.pairing is Pairing.NONE:
        return single_segments(document.sentences, target=target, capacity=capacity)
    size = {"target": target, "capacity": capacity}
    if recipe.pairing is Pairing.NEXT_SENTENCE:
        return next_sentence_pairs(document.sentences, others, **size, rng=rng, counts=counts)
    return sentence_order_pairs(document.sentences, **size, rng=rng, counts=counts)


def _mask(
    instance: Instance, masking: MaskingRecipe, rng: random.Random, counts: Counter[str]
) -> Instance:
    masked = mask_words(instance.token_ids, instance.starts, masking, rng)
    if masked.without_similar:
        counts["without_similar"] += masked.without_similar
    return replace(
        instance,
        token_ids=masked.token_ids,
        masked_positions=masked.positions,
        masked_labels=masked.labels,
    )
