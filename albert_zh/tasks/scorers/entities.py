"""Scores of marked parts of texts.

CLUENER: per label, F1 over the pairs of row and marked text, whatever their place; the mean over
all labels. (https://github.com/CLUEbenchmark/CLUENER2020) A label that is never right has 0.

Other datasets: F1 over places and types of all marked parts, as of CoNLL-2003 and seqeval.
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


def placed_f1(
    right: Sequence[Sequence[Entity]],
    found: Sequence[Sequence[Entity]],
    labels: Sequence[str],
) -> dict[str, float]:
    """`precision`, `recall` and `f1` over all entities, and `f1_LABEL` of each label.

    Args:
        right: Entities of each text.
        found: Entities found in each text.
        labels: Types of entities.
    """
    rows = {(number, each) for number, row in enumerate(right) for each in row}
    found_rows = {(number, each) for number, row in enumerate(found) for each in row}
    hits = len(rows & found_rows)

    def of_label(label: str) -> float:
        return _f1(*({row for row in each if row[1].type == label} for each in (found_rows, rows)))

    return {
        "precision": hits / len(found_rows) if hits else 0.0,
        "recall": hits / len(rows) if hits else 0.0,
        "f1": _f1(found_rows, rows),
        **{f"f1_{label}": of_label(label) for label in labels},
    }


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
