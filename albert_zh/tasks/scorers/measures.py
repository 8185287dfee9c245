"""Metrics of datasets, out of their labelled examples, the predictions for them and the labels."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import ChoiceExample, Example, ReadingExample, TaggingExample
from albert_zh.tasks.scorers import chid, classes, clue_reading, entities, squad

Measure = Callable[[Sequence[Any], Sequence[Any], Sequence[str]], dict[str, float]]


def clue_answers(
    examples: Sequence[ReadingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """See `clue_reading.scores`."""
    return clue_reading.scores(*_answers(examples, predictions))


def squad_answers(
    examples: Sequence[ReadingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """See `squad.scores`."""
    return squad.scores(*_answers(examples, predictions))


def _answers(
    examples: Sequence[ReadingExample], predictions: Sequence[Any]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    predicted = {str(number): each.text for number, each in enumerate(predictions)}
    answers = {
        str(number): [answer.text for answer in each.answers or ()]
        for number, each in enumerate(examples)
    }
    return predicted, answers


def cluener_entities(
    examples: Sequence[TaggingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """See `entities.cluener_f1`."""
    return entities.cluener_f1(examples, [each.entities for each in predictions], labels)


def placed_entities(
    examples: Sequence[TaggingExample], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """See `entities.placed_f1`."""
    right = [each.entities or () for each in examples]
    return entities.placed_f1(right, [each.entities for each in predictions], labels)


def blanks_one_to_one(
    examples: Sequence[ChoiceExample], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """`accuracy_one_to_one`, of blanks that share their candidates, see `chid.one_to_one`."""
    filled = chid.one_to_one(examples, predictions)
    hits = [label == each.label for label, each in zip(filled, examples, strict=True)]
    return {"accuracy_one_to_one": float(np.mean(hits))}


def matthews(
    examples: Sequence[Example], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """`matthews`, of two classes."""
    return {"matthews": classes.matthews(*_is_second(examples, predictions, labels))}


def f1_of_second(
    examples: Sequence[Example], predictions: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """`f1` of the second of two classes."""
    return {"f1": classes.f1(*_is_second(examples, predictions, labels))}


def _is_second(
    examples: Sequence[Example], predictions: Sequence[Any], labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    return tuple(
        np.array([each.label == labels[1] for each in rows]) for rows in (predictions, examples)
    )
