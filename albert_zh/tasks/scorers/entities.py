"""Scores of marked parts of texts.

CLUENER: per label, F1 over the pairs of row and marked text, whatever their place; the mean over
all labels. (https://github.com/CLUEbenchmark/CLUENER2020) A label that is never right has 0.
"""

from collections.abc import Sequence

from albert_zh.tasks.examples import Entity, TaggingExample


def cluener_f1(
    examples: Sequence[TaggingExample],
    predicted: Sequence[Sequence[Entity]],
    labels: Sequence[str],
) -> dict[str, float]:
    """`f1`, the mean, and `f1_LABEL` of each label.

    Args:
        examples: Texts with their entities.
        predicted: Entities found in each text.
        labels: Types of entities.
    """
    right = _marked(examples, [example.entities or () for example in examples])
    found = _marked(examples, predicted)
    f1 = {label: _f1(found.get(label, set()), right.get(label, set())) for label in labels}
    return {
        "f1": sum(f1.values()) / len(labels),
        **{f"f1_{label}": value for label, value in f1.items()},
    }


def span_f1(
    examples: Sequence[TaggingExample], predicted: Sequence[Sequence[Entity]]
) -> dict[str, float]:
    """`precision`, `recall` and `f1` over all entities, right in text, place and type.

    That is seqeval's micro average for tags that open every entity with B.
    """
    right = {(n, each) for n, row in enumerate(examples) for each in row.entities or ()}
    found = {(n, each) for n, row in enumerate(predicted) for each in row}
    hits = len(right & found)
    precision = hits / len(found) if found else 0.0
    recall = hits / len(right) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": _f1(found, right)}


def _marked(
    examples: Sequence[TaggingExample], entities: Sequence[Sequence[Entity]]
) -> dict[str, set[tuple[int, str]]]:
    """Label -> pairs of row and marked text."""
    marked: dict[str, set[tuple[int, str]]] = {}
    for number, (example, row) in enumerate(zip(examples, entities, strict=True)):
        for each in row:
            pair = number, example.text[each.start : each.end]
            marked.setdefault(each.type, set()).add(pair)
    return marked


def _f1(found: set, right: set) -> float:
    hits = len(found & right)
    return 2 * hits / (len(found) + len(right)) if hits else 0.0
