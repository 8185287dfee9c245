"""Tagging: marked parts of a text, such as names.

```
text         小明在北京工作
entities     (0, 2, 人名) (3, 5, 地名)
labels       人名 地名 ...
tags         O B-人名 I-人名 O B-地名 I-地名 O O            a tag of a token is a number:
             0 1      2      0 3      4      0 0            1 + 2 * label, + 1 inside
outputs      tag_logits [N, L, 1 + 2 * labels]
predictions  TagPrediction((Entity(0, 2, "人名"), ...))
```
A text that is too long becomes several rows, cut between tokens.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import Entity, TaggingExample
from albert_zh.tasks.features import NO_CHARACTER, NO_LABEL, Features
from albert_zh.tasks.row_writer import RowWriter, Segments, encode_texts, room_for_text
from albert_zh.tasks.scorers import classes
from albert_zh.tasks.submissions import entity_lines
from albert_zh.tasks.task import Kind, LabelPair, Outputs
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

OUTSIDE = 0


@dataclasses.dataclass(frozen=True)
class TagPrediction:
    """The marked parts of a text, in order."""

    entities: tuple[Entity, ...]


def num_tags(labels: Sequence[str]) -> int:
    """Tags of a token: outside, and begin and inside of each label."""
    return 1 + 2 * len(labels)


def featurize(
    examples: Sequence[TaggingExample],
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Token ids of the texts, and the tag of every token.

    Args:
        examples: Texts; those without known entities have `NO_LABEL` for all tags.
        labels: Types of entities.
        tokenizer: Turns texts into token ids and spans.
        max_seq_length: Longest row in tokens, special tokens included.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for text.
    """
    limit = room_for_text(max_seq_length, 1)
    rows = RowWriter(tokenizer.vocab)
    tags: list[int] = []
    texts = [example.texts for example in examples]
    for start, (encoded,) in encode_texts(texts, tokenizer, with_spans=(True,)):
        parts: list[tuple[int, int, int]] = []  # text, begin and end of the row
        for number, length in enumerate(np.diff(encoded.offsets).tolist()):
            spans = encoded.spans[encoded.text(number)].tolist()
            tags += tags_of(examples[start + number].entities, spans, labels)
            parts += [
                (number, begin, min(begin + limit, length))
                for begin in range(0, max(length, 1), limit)
            ]
        numbers, begins, ends = np.array(parts).T
        rows.add(
            [Segments(encoded, encoded.offsets[numbers] + begins, ends - begins)],
            examples=start + numbers,
        )
        if progress is not None:
            progress.advance(len(encoded.offsets) - 1)
    features = rows.features({}, num_truncated=0)
    targets = np.full(len(features.token_ids), NO_LABEL, np.int32)
    targets[features.spans[:, 0] != NO_CHARACTER] = tags
    return dataclasses.replace(features, token_targets={"tags": targets})


def tags_of(
    entities: Sequence[Entity] | None, spans: Sequence[tuple[int, int]], labels: Sequence[str]
) -> list[int]:
    """The tag of every token; a token that an entity holds a part of belongs to it.

    Where entities overlap, the one that begins first counts, and of those the longest.
    """
    if entities is None:
        return [NO_LABEL] * len(spans)
    tags, numbers = [OUTSIDE] * len(spans), {label: 1 + 2 * n for n, label in enumerate(labels)}
    for entity in sorted(entities, key=lambda each: (each.start, -each.end)):
        places = [
            place
            for place, (start, end) in enumerate(spans)
            if start < entity.end and end > entity.start
        ]
        if places and all(tags[place] == OUTSIDE for place in places):
            tags[places[0]] = numbers[entity.type]
            for place in places[1:]:
                tags[place] = numbers[entity.type] + 1
    return tags


def entities_of(
    tags: Sequence[int], spans: Sequence[tuple[int, int]], labels: Sequence[str]
) -> list[Entity]:
    """The entities that tags mark.

    A tag "inside" that follows none of its label begins an entity, as in seqeval and most toolkits.
    """
    found: list[Entity] = []
    current: list[int] | None = None  # start, end, label
    for tag, (start, end) in zip(tags, spans, strict=True):
        label, is_inside = divmod(tag - 1, 2) if tag > OUTSIDE else (None, 0)
        if current is not None and is_inside and label == current[2]:
            current[1] = int(end)
            continue
        if current is not None:
            found.append(Entity(current[0], current[1], labels[current[2]]))
        current = None if label is None else [int(start), int(end), int(label)]
    if current is not None:
        found.append(Entity(current[0], current[1], labels[current[2]]))
    return found


def decode(
    outputs: Outputs,
    features: Features,
    examples: Sequence[TaggingExample],
    labels: Sequence[str],
) -> list[TagPrediction]:
    """The entities of every example, over all its rows."""
    tags: list[list[int]] = [[] for _ in examples]
    spans: list[list[tuple[int, int]]] = [[] for _ in examples]
    for row, example in enumerate(features.example_ids):
        of_row = features.spans[features.row(row)]
        inside = of_row[:, 0] != NO_CHARACTER
        best = outputs["tag_logits"][row, : len(of_row)].argmax(axis=-1)
        tags[example] += best[inside].tolist()
        spans[example] += of_row[inside].tolist()
    return [
        TagPrediction(tuple(entities_of(own, places, labels)))
        for own, places in zip(tags, spans, strict=True)
    ]


def score(outputs: Outputs, features: Features, labels: Sequence[str]) -> dict[str, float]:
    """`tag_accuracy`, the share of the tokens with the right tag; mean cross-entropy as `loss`."""
    tags = features.token_targets["tags"]
    is_token = np.arange(outputs["tag_logits"].shape[1]) < features.lengths[:, None]
    logits = outputs["tag_logits"][is_token]  # of all tokens, one after the other, as the tags are
    logits, tags = logits[tags != NO_LABEL], tags[tags != NO_LABEL]
    return {
        "tag_accuracy": classes.accuracy(logits.argmax(axis=1), tags),
        "loss": classes.cross_entropy(logits, tags),
    }


def submission(
    examples: Sequence[TaggingExample], predictions: Sequence[TagPrediction], labels: Sequence[str]
) -> dict[str, str]:
    """A line of JSON for each text."""
    return {"predictions_entities.json": entity_lines(examples, predictions, labels)}


def row(
    example: TaggingExample, prediction: TagPrediction, labels: Sequence[str]
) -> dict[str, Any]:
    """The text, and the parts that are marked and that the model marks."""
    known = None if example.entities is None else _marked(example, example.entities)
    marked = _marked(example, prediction.entities)
    return {**example.named_texts, "label": known, "prediction": marked}


def mistake(
    example: TaggingExample, prediction: TagPrediction
) -> tuple[float, dict[str, Any]] | None:
    """Parts that are missing or too many, the worse the more there are."""
    right, found = set(example.entities), set(prediction.entities)
    if right == found:
        return None
    wrong = {"missing": right - found, "too_many": found - right}
    cells = {name: _marked(example, sorted(parts)) for name, parts in wrong.items()}
    return float(len(right ^ found)), cells


def label_pairs(
    examples: Sequence[TaggingExample], predictions: Sequence[TagPrediction]
) -> list[LabelPair]:
    """A pair for each part that is marked on either side; its place has to be the same."""
    pairs: list[LabelPair] = []
    for example, prediction in zip(examples, predictions, strict=True):
        right, found = (
            {(each.start, each.end): each.type for each in entities}
            for entities in (example.entities, prediction.entities)
        )
        pairs += [(right.get(place), found.get(place)) for place in {**right, **found}]
    return pairs


def _marked(example: TaggingExample, entities: Sequence[Entity]) -> list[dict[str, Any]]:
    return [
        {"text": example.text[each.start : each.end], **dataclasses.asdict(each)}
        for each in entities
    ]


def _example(texts: tuple[str, ...]) -> TaggingExample:
    if len(texts) != 1:
        raise ValueError(f"{texts!r} is not one text")
    return TaggingExample(*texts)


TAGGING = Kind(
    name="tagging",
    featurize=featurize,
    targets={"tags": (None,)},
    decode=decode,
    score=score,
    submission=submission,
    example=_example,
    row=row,
    mistake=mistake,
    label_pairs=label_pairs,
    num_texts=lambda task: 1,
)
