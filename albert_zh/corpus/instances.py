"""Documents become instances: what the model reads, where it has to guess, and the answers.

```
document -> chunks -> pair + draw -> masks
                      [CLS] first [SEP] second [SEP]
```
Every pass over a document has a random stream of its own, made of the seed, the number of the
document and the number of the pass. So an instance depends on nothing else: not on the other
documents, nor on which process makes it.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from albert_zh.corpus.documents import Document
from albert_zh.corpus.masking import MaskingRecipe, mask_words
from albert_zh.corpus.pairs import SegmentPair, chunks, draw_target, make_pair

_NUM_SPECIAL = 3  # [CLS] first [SEP] second [SEP]
_SHORTEST = 8  # tokens; below it there is no sentence to speak of


@dataclass(frozen=True, slots=True)
class Instance:
    """One training example, without padding.

    ```
    token_ids         [CLS] 我 爱 [MASK] [MASK] [SEP] 他 也 是 [SEP]
    segment_ids       0     0  0  0      0      0     1  1  1  1
    masked_positions  3 4
    masked_labels     北 京
    swapped           False: 我爱北京 comes first in the text
    ```
    """

    token_ids: tuple[int, ...]
    segment_ids: tuple[int, ...]
    masked_positions: tuple[int, ...]
    masked_labels: tuple[int, ...]
    swapped: bool


@dataclass(frozen=True)
class InstanceRecipe:
    """How documents become instances."""

    max_seq_length: int  # tokens of an instance, [CLS] and [SEP] counted
    short_seq_prob: float  # share of passes over a document with shorter instances
    dupe_factor: int  # passes over each document, each with other pairs and masks
    random_seed: int
    cls_id: int
    sep_id: int
    masking: MaskingRecipe

    def __post_init__(self):
        if self.max_seq_length < _SHORTEST:
            raise ValueError(
                f"max_seq_length must be at least {_SHORTEST}, got {self.max_seq_length}"
            )
        if not 0 <= self.short_seq_prob <= 1:
            raise ValueError(f"short_seq_prob must be 0 to 1, got {self.short_seq_prob}")
        if self.dupe_factor < 1:
            raise ValueError(f"dupe_factor must be at least 1, got {self.dupe_factor}")


@dataclass(frozen=True)
class Harvest:
    """What a document gave in all passes together.

    `counts`: `instances`, of them `swapped`; and in tokens `masked_tokens`, `tokens_cut` (from
    pairs that were too long) and `tokens_left_over` (single words, of which no pair can be made).
    """

    instances: list[Instance]
    counts: Counter[str]


def harvest(document: Document, *, number: int, recipe: InstanceRecipe) -> Harvest:
    """Makes the instances of all passes over the document, the `number`-th of its corpus."""
    instances: list[Instance] = []
    counts = Counter(tokens_cut=0, tokens_left_over=0)
    for turn in range(recipe.dupe_factor):
        rng = random.Random(f"{recipe.random_seed}:{number}:{turn}")
        instances.extend(_one_pass(document, recipe, rng, counts))
    counts["instances"] += len(instances)
    counts["swapped"] += sum(instance.swapped for instance in instances)
    counts["masked_tokens"] += sum(len(instance.masked_labels) for instance in instances)
    return Harvest(instances, counts)


def make_instance(pair: SegmentPair, *, recipe: InstanceRecipe, rng: random.Random) -> Instance:
    """Puts the pair between its special tokens and masks it."""
    first, second = pair.first, pair.second
    token_ids = (recipe.cls_id, *first.token_ids, recipe.sep_id, *second.token_ids, recipe.sep_id)
    # The first token of a segment begins a word in any case, so that no word crosses a [SEP].
    starts = (True, True, *first.starts[1:], True, True, *second.starts[1:], True)
    masked = mask_words(token_ids, starts, recipe.masking, rng)
    return Instance(
        token_ids=masked.token_ids,
        segment_ids=(0,) * (len(first) + 2) + (1,) * (len(second) + 1),
        masked_positions=masked.positions,
        masked_labels=masked.labels,
        swapped=pair.swapped,
    )


def _one_pass(
    document: Document, recipe: InstanceRecipe, rng: random.Random, counts: Counter[str]
) -> Iterator[Instance]:
    capacity = recipe.max_seq_length - _NUM_SPECIAL
    target = draw_target(capacity, short_seq_prob=recipe.short_seq_prob, rng=rng)
    for chunk in chunks(document.sentences, target=target, capacity=capacity):
        available = sum(map(len, chunk))
        pair = make_pair(chunk, capacity=capacity, rng=rng)
        if pair is None:
            counts["tokens_left_over"] += available
            continue
        counts["tokens_cut"] += available - pair.num_tokens
        yield make_instance(pair, recipe=recipe, rng=rng)
