"""Predictions for the training file, each by the model of the fold that did not train on it."""

import os
from typing import Any

from absl import logging

from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.series_note import Series
from albert_zh.inference.load import load_model
from albert_zh.tasks.splits import places_of_folds, read_split
from albert_zh.tasks.tables import as_json_lines, as_table, prediction_rows
from albert_zh.util.object_files import write_text

_NAME = "out_of_fold.predictions"


def predict_out_of_fold(options: ClassifierOptions, series: Series) -> None:
    """Write the predictions for all examples of the training file, in its order.

    Args:
        options: The flags of the cross-validation.
        series: Its runs, one for each fold, which are finished.
    """
    options = options.completed()
    task = options.task()
    whole = read_split(task, data_dir=options.data_dir, split="train")
    places = places_of_folds(whole, num_folds=options.num_folds, labels=task.labels)
    predictions: list[Any] = [None] * len(whole.examples)
    fold_of = [0] * len(whole.examples)
    for name, flags in series.runs.items():
        held_out = places[flags["fold"] - 1]
        predictor = load_model(os.path.join(series.directory, name)).predictor()
        predicted = predictor.predict_examples(
            [whole.examples[place] for place in held_out], batch_size=options.predict_batch_size
        )
        for place, prediction in zip(held_out, predicted, strict=True):
            predictions[place], fold_of[place] = prediction, flags["fold"]
    rows = [
        {**row, "fold": fold}
        for row, fold in zip(
            prediction_rows(task.kind, whole.examples, predictions, task.labels),
            fold_of,
            strict=True,
        )
    ]
    for ending, content in (("tsv", as_table(rows)), ("jsonl", as_json_lines(rows))):
        write_text(os.path.join(options.output_dir, f"{_NAME}.{ending}"), content)
    logging.info("predicted %d examples: %s.tsv in %s", len(rows), _NAME, options.output_dir)
