"""Several trainings in one directory, one after the other: of seeds, of folds, of a grid of flags.

```
my_model/seed_12345/  seed_12346/ ...    a run each, which the same command resumes
         scores.json  scores.md  .tsv    scores of each, mean, standard deviation, best
         model.ckpt-64  vocab.txt ...    the best one's best checkpoint, ready for use
```
"""

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.model_folders import copy_best
from albert_zh.checkpoint.paths import run_steps
from albert_zh.finetuning.ensemble import use_ensemble
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.out_of_fold import predict_out_of_fold
from albert_zh.finetuning.prediction import FACTS
from albert_zh.finetuning.results import METRICS
from albert_zh.finetuning.run import fine_tune
from albert_zh.finetuning.score_tables import write_tables
from albert_zh.finetuning.series_note import (
    FILE,
    Series,
    is_finished,
    make_note,
    read_note,
)
from albert_zh.finetuning.sweep_options import SweepOptions
from albert_zh.flags import with_values
from albert_zh.tasks.splits import fingerprint
from albert_zh.train.graph_memory import free_graphs
from albert_zh.train.strategy import is_chief, make_strategy
from albert_zh.util.object_files import write_json
from albert_zh.util.small_files import read_text_if_exists


def fine_tune_all(
    options: ClassifierOptions, *, strategy: tf.distribute.Strategy | None = None
) -> bool:
    """Train, evaluate, predict, as the flags say: once, or several times.

    Args:
        options: The flags.
        strategy: Where to train; by default as the flags say.

    Returns:
        True after the last step of all, False if stopped by request.

    Raises:
        ValueError, OSError: As of `fine_tune`; or --output_dir holds other runs.
    """
    options.check_directory()
    if options.ensemble:
        use_ensemble(options, strategy=strategy)
        return True
    if not options.is_series:
        return fine_tune(options, strategy=strategy)
    # One for all: several in one process hang, and workers connect once.
    strategy = strategy or make_strategy(options.strategy_options())
    series = options.series()
    if not run_series(series, fine_tune, strategy):
        return False
    if series.kind == "folds":
        if is_chief(strategy):
            predict_out_of_fold(options, series)
        if options.do_predict:
            use_ensemble(_of_folds(series), strategy=strategy)
        return True
    return _use_best(series, strategy, do_predict=options.do_predict)


def sweep(options: SweepOptions) -> bool:
    """Train with every point of the grid; use the best one, and predict with it if asked to.

    Returns:
        False if stopped by request.
    """
    series = options.series()
    strategy = make_strategy(options.strategy_options())
    return run_series(series, fine_tune_all, strategy) and _use_best(
        series, strategy, do_predict=options.do_predict
    )


def run_series(
    series: Series, train: Callable[..., bool], strategy: tf.distribute.Strategy
) -> bool:
    """Do the runs that are not finished; note and compare the scores of all.

    Args:
        series: The runs.
        train: Does one of them: options, `strategy=`; False if stopped by request.
        strategy: Where to train.

    Returns:
        False if stopped by request.
    """
    note, directory = read_note(series.directory), series.directory
    runs = dict(note["runs"]) if note else {}
    metric = ""
    for number, (name, flags) in enumerate(series.runs.items(), 1):
        options = series.run_options(name)
        metric, data = _facts(options)
        place = f"{name} ({number} of {len(series.runs)})"
        if is_finished(note, name, flags=flags, data=data):
            logging.info("%s is finished", place)
            continue
        logging.info("%s", place)
        if not train(options, strategy=strategy):
            return False
        free_graphs()
        runs[name] = {"flags": dict(flags), "data": data, **_result(options.output_dir)}
        if is_chief(strategy):
            write_json(os.path.join(directory, FILE), make_note(series, runs, metric=metric))
    if is_chief(strategy):
        note = make_note(series, runs, metric=metric)
        write_json(os.path.join(directory, FILE), note)
        logging.info("%s:\n%s", directory, write_tables(directory, note))
    return True


def _use_best(series: Series, strategy: tf.distribute.Strategy, *, do_predict: bool) -> bool:
    """Make the best run's model that of the whole directory; predict with it if asked to."""
    best = os.path.join(series.directory, read_note(series.directory)["best"])
    if not run_steps(best):  # A cross-validation has no model of its own.
        return True
    if is_chief(strategy):
        logging.info("copied the best model: %s", copy_best(best, series.directory))
    if not do_predict:
        return True
    alone = {"num_seeds": None, "do_train": False, "do_eval": False, "do_predict": True}
    return fine_tune(with_values(series.options, alone), strategy=strategy)


def _of_folds(series: Series) -> ClassifierOptions:
    """Prediction with the models of all folds together; none of them is the model."""
    paths = [os.path.join(series.directory, name) for name in series.runs]
    alone = {"num_folds": None, "do_train": False, "do_eval": False, "ensemble": ",".join(paths)}
    return with_values(series.options, {**alone, "init_checkpoint": None})


def _facts(options: ClassifierOptions) -> tuple[str, dict[str, str]]:
    """The metric that chooses, and the fingerprints of the data by split."""
    options = options.completed()
    task = options.task()
    return task.metric, {
        split: fingerprint(task, data_dir=options.data_dir, split=options.source_of(split))
        for split in options.splits()
    }


def _result(directory: str) -> dict[str, Any]:
    """Checkpoint and scores of a run, or the means of several."""
    if note := read_note(directory):
        best = note["best"]
        return {
            "checkpoint": f"{best}/{note['runs'][best]['checkpoint']}",
            "num_runs": len(note["runs"]),
            **note["mean"],
            "standard_deviation": note["standard_deviation"],
        }
    metrics = json.loads(read_text_if_exists(os.path.join(directory, METRICS)))
    result = {"checkpoint": metrics["best"]["checkpoint"], "dev": metrics["best"]["scores"]}
    predictions = json.loads(read_text_if_exists(os.path.join(directory, FACTS)) or "{}")
    return result | ({"test": predictions["scores"]} if "scores" in predictions else {})
