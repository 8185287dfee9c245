"""Files that show what the best checkpoint gets wrong on the validation set.

```
errors.tsv              the wrong examples, the worst first: those that the model is surest of
labels.tsv   .png       precision, recall and F1 of every label, or type of marked parts
confusion_matrix.tsv .png      right labels (rows) by predicted ones (columns)
numbers.png             of regression: predicted over right numbers
```
"""

import collections
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from albert_zh.finetuning import pictures
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.results import CONFUSION, ERRORS, LABELS, NUMBERS, picture_of
from albert_zh.tasks.scorers.labels import LabelScores, confusion, label_scores
from albert_zh.tasks.tables import as_table, example_id, tabbed
from albert_zh.tasks.task import LabelPair
from albert_zh.util.object_files import remove_if_exists, write_text

_NONE = "(none)"  # the label of a part that only one side marks


def write_analysis(directory: str, data: Data, predictions: Sequence[Any]) -> None:
    """Write the files.

    Args:
        directory: Output directory of the run.
        data: The task; its examples of dev have labels.
        predictions: For dev, of the best checkpoint.
    """
    task, examples = data.task, data.splits["dev"].examples
    rows = _mistakes(data, predictions)
    none = tabbed([["id", *task.kind.row(examples[0], predictions[0], task.labels)]])
    write_text(os.path.join(directory, ERRORS), as_table(rows) if rows else none)
    if task.kind.has_numbers:
        right = np.array([float(example.label) for example in examples])
        predicted = np.array([prediction.value for prediction in predictions])
        draw = functools.partial(pictures.draw_numbers, right=right, predicted=predicted)
        _draw({NUMBERS: draw}, directory)
    else:
        logging.info(
            "%s: the model is wrong on %d of %d examples of %s",
            os.path.join(directory, ERRORS),
            len(rows),
            len(examples),
            data.splits["dev"].path,
        )
    if task.kind.label_pairs:
        pairs = task.kind.label_pairs(examples, predictions)
        _write_labels(directory, pairs, task.labels)
        if task.metric == "accuracy":
            _compare_with_commonest(pairs)


def _compare_with_commonest(pairs: Sequence[LabelPair]) -> None:
    """Warn of a model that could as well answer the same every time."""
    ((label, count),) = collections.Counter(right for right, _ in pairs).most_common(1)
    has_others = count < len(pairs)
    if has_others and count >= sum(right == predicted for right, predicted in pairs):
        logging.warning(
            "the model is not better than one that always answers %s, which is right on %.1f %% of "
            "dev; train for longer, or at another --learning_rate",
            label,
            100 * count / len(pairs),
        )


def _mistakes(data: Data, predictions: Sequence[Any]) -> list[dict[str, Any]]:
    """A row for each wrong example, the worst first."""
    kind, found = data.task.kind, []
    for number, example in enumerate(data.splits["dev"].examples):
        if mistake := kind.mistake(example, predictions[number]):
            weight, cells = mistake
            row = kind.row(example, predictions[number], data.task.labels)
            row.pop("probabilities", None)
            found.append((weight, {"id": example_id(example, number), **row, **cells}))
    return [row for _, row in sorted(found, key=lambda each: -each[0])]


def _write_labels(directory: str, pairs: Sequence[Any], labels: Sequence[str]) -> None:
    counts = confusion(pairs, labels)
    rows = label_scores(counts, labels)
    write_text(os.path.join(directory, LABELS), tabbed([LabelScores._fields, *map(_rounded, rows)]))
    names = [*labels, _NONE]
    if not (counts[-1].any() or counts[:, -1].any()):
        names, counts = names[:-1], counts[:-1, :-1]
    table = [["label", *names], *([name, *row] for name, row in zip(names, counts, strict=True))]
    write_text(os.path.join(directory, CONFUSION), tabbed(table))
    _draw(
        {
            picture_of(LABELS): functools.partial(pictures.draw_label_scores, rows=rows),
            picture_of(CONFUSION): functools.partial(
                pictures.draw_confusion, counts=counts, labels=names
            ),
        },
        directory,
    )


def _rounded(row: Sequence[Any]) -> list[Any]:
    return [round(cell, 4) if isinstance(cell, float) else cell for cell in row]


def _draw(drawings: Mapping[str, Callable[[str], None]], directory: str) -> None:
    """Draw pictures, by their file names."""
    try:
        for name, draw in drawings.items():
            draw(os.path.join(directory, name))
    except ValueError as error:  # matplotlib is optional
        logging.info("no %s: %s", " and ".join(drawings), error)
        for name in drawings:  # Those of an earlier evaluation would mislead.
            remove_if_exists(os.path.join(directory, name))
