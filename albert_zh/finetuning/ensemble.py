"""Evaluation and prediction with the averaged outputs of several trained models.

```
--ensemble='my_model/seed_*'  --do_eval     -> scores on the dev split: the log, ensemble.json
                              --do_predict  -> predictions for the test split, as of one model
```
"""

import os
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.several import find_several
from albert_zh.finetuning.data import Data, prepare_data
from albert_zh.finetuning.evaluation import Evaluator
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.prediction import write_predictions
from albert_zh.inference.ensemble import Ensemble, load_members
from albert_zh.runs.best import EARLIER_EVALUATIONS
from albert_zh.runs.directory import as_text
from albert_zh.runs.earlier import move_away
from albert_zh.train.strategy import is_chief, make_strategy
from albert_zh.util.object_files import write_json
from albert_zh.util.small_files import read_json_if_exists

SCORES = "ensemble.json"


def use_ensemble(
    options: ClassifierOptions, *, strategy: tf.distribute.Strategy | None = None
) -> None:
    """Evaluate and predict, as the flags say.

    Args:
        options: The flags.
        strategy: Devices; by default as the flags say.

    Raises:
        ValueError, OSError: The models do not fit each other or the task, or the data are wrong.
    """
    if not (options.do_eval or options.do_predict):
        raise ValueError("nothing to do: set --do_eval=True or --do_predict=True")
    options = options.completed()
    task = options.task()
    strategy = strategy or make_strategy(options.strategy_options())
    prefixes = find_several(options.ensemble, flag="ensemble")
    with strategy.scope():
        members = load_members(prefixes)
        model = Ensemble([member.model for member in members])
    if difference := members[0].task.difference(kind=task.kind.name, labels=task.labels):
        raise ValueError(f"{prefixes[0]} does not fit {task.name}: {difference}")
    data = prepare_data(options, task, members[0].tokenizer)
    evaluator = Evaluator(options, model, data)
    if options.do_eval:
        _evaluate(options, evaluator, data, prefixes, strategy)
    if options.do_predict:
        write_predictions(
            options,
            evaluator,
            data,
            checkpoint=f"the ensemble of {', '.join(prefixes)}",
            is_chief=is_chief(strategy),
        )


def _evaluate(
    options: ClassifierOptions,
    evaluator: Evaluator,
    data: Data,
    prefixes: Sequence[str],
    strategy: tf.distribute.Strategy,
) -> None:
    split = data.splits["dev"]
    outputs = evaluator.outputs(
        "dev", batch_size=options.eval_batch_size, description="evaluate the ensemble"
    )
    scores = data.task.scores(outputs, data.features["dev"], split.examples)
    logging.info("ensemble of %d on the validation set: %s", len(prefixes), as_text(scores))
    if not is_chief(strategy):
        return
    facts = {
        "task": data.task.name,
        "metric": data.task.metric,
        "checkpoints": list(prefixes),
        "data": {"dev": {"path": split.path, "sha256": split.sha256}},
    }
    path = os.path.join(options.output_dir, SCORES)
    before = read_json_if_exists(path)
    if before is not None and {**before, "scores": scores} != {**facts, "scores": scores}:
        place = move_away(options.output_dir, [SCORES], folder=EARLIER_EVALUATIONS)
        logging.warning("moved the scores of another ensemble, or on other data, to %s", place)
    write_json(path, {**facts, "scores": scores})
