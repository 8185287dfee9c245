"""Pretraining: masked LM and sentence order on records, validated on the way.

```
--input_file       -> records -> training batches   -> fit     -> model.ckpt-N, history.jsonl
--eval_input_file  -> records -> validation batches -> metrics -> validation_... in the history,
or --eval_fraction                                                best_checkpoint.json
--do_eval          -> metrics of the newest checkpoint,        -> eval_results.txt and .json;
                      or of --init_checkpoint (others: earlier_evaluations/)
```
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.loading import load_exactly, read_step
from albert_zh.checkpoint.names import LoadPlan
from albert_zh.config import ModelConfig
from albert_zh.input.batches import named_read_errors
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.pretraining.data import Records, training_and_validation_records
from albert_zh.pretraining.evaluation import Evaluation
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.pretraining.training import run_identity, training_spec
from albert_zh.runs.best import EARLIER_EVALUATIONS
from albert_zh.runs.companions import CONFIGURATION, find_vocabulary, write_companions
from albert_zh.runs.directory import Row, RunDirectory
from albert_zh.runs.earlier import move_away
from albert_zh.runs.fit import fit
from albert_zh.runs.identity import INITIAL_WEIGHTS
from albert_zh.runs.initial_weights import (
    check_complete,
    initial_checkpoint,
    load_initial_weights,
)
from albert_zh.runs.lock import sole_training
from albert_zh.runs.plots import try_plot_history
from albert_zh.runs.spec import VALIDATION_DATA, Validation
from albert_zh.train.strategy import make_strategy, report_lost_workers
from albert_zh.util.json_objects import finite
from albert_zh.util.object_files import write_json, write_text
from albert_zh.util.small_files import read_json_if_exists

_RESULTS, _RESULTS_JSON = "eval_results.txt", "eval_results.json"


def pretrain(options: PretrainingOptions, *, on_row: Callable[[Row], None] | None = None) -> None:
    """Trains, evaluates, or both.

    Args:
        options: The flags.
        on_row: Called with each row of the history before it is recorded.

    Raises:
        ValueError, OSError: The options, the records or a checkpoint do not fit; nothing was
            written then. Or the training could not continue; the last checkpoint is whole.
    """
    options = options.completed()
    config = ModelConfig.from_json_file(options.bert_config_file)
    # Workers have to be connected before TensorFlow computes anything.
    strategy = make_strategy(options.strategy_options())
    with sole_training(options, strategy, do_train=options.do_train) as keep_alone:
        _pretrain(options, config, strategy, on_row, keep_alone)


def _pretrain(
    options: PretrainingOptions,
    config: ModelConfig,
    strategy: tf.distribute.Strategy,
    on_row: Callable[[Row], None] | None,
    keep_alone: Callable[[], None],
) -> None:
    records, validation_records = training_and_validation_records(options, config)
    if not records.files.has_pairs:
        options = dataclasses.replace(options, sentence_order_weight=0.0)
    run = RunDirectory(
        options,
        identity=run_identity(options, config, records),
        strategy=strategy,
        on_row=on_row,
        sources={
            "training_data": options.input_file,
            INITIAL_WEIGHTS: options.init_checkpoint or "",
        },
        keep_alone=keep_alone,
    )
    if options.eval_fraction is not None and not options.do_train:
        _check_held_out(run, records)
    with strategy.scope():
        model = PretrainingModel(
            config,
            seed=options.random_seed,
            dtype=tf.as_dtype(options.precision),
            recompute=options.should_recompute(config),
        )
        initial_weights = load_initial_weights(run, model, extend_positions=True)
    evaluation = Evaluation(options, model, validation_records or records, strategy=strategy)
    with report_lost_workers():
        has_ended = True
        # The published code evaluates --init_checkpoint with --num_train_steps=0, too.
        if options.do_train and options.num_train_steps:
            validation = Validation(metrics=None)
            if validation_records:
                validation = Validation(
                    evaluation.metrics,
                    options.eval_steps,
                    data=evaluation.records[VALIDATION_DATA],
                )
            spec = training_spec(run, model, records, initial_weights, validation)
            if run.is_chief:
                write = functools.partial(_write_companions, options, config, records)
                run.companions.write(CONFIGURATION, write)
            with named_read_errors(records.files):
                has_ended = fit(run, model, spec)
            if has_ended and run.is_chief:
                try_plot_history(options.output_dir)
                if options.export_dir:
                    _export(options, options.export_dir)
        if options.do_eval and has_ended:
            if not validation_records:
                logging.warning(
                    "--do_eval measures the training records themselves, which shows how well they "
                    "are fitted, not how good the model is; give others with --eval_input_file"
                )
            _evaluate(run, model, evaluation, initial_weights)


def _check_held_out(run: RunDirectory, records: Records) -> None:
    """Raise ValueError where the run was trained on files that are to measure it."""
    if not run.checkpoints.latest():
        return
    meta = run.checkpoints.latest_meta()
    known, now = meta.training.get("training_data"), run.options
    if known and known["fingerprint"] != records.files.fingerprint:
        flags = meta.options or {}
        raise ValueError(
            f"--eval_fraction={now.eval_fraction} of --input_file with "
            f"--random_seed={now.random_seed} holds out other files than the training did, which "
            f"had --eval_fraction={flags.get('eval_fraction')} and "
            f"--random_seed={flags.get('random_seed')}; give its values, or the files with "
            "--eval_input_file"
        )


def _write_companions(options: PretrainingOptions, config: ModelConfig, records: Records) -> None:
    vocab = None
    if records.files.vocabulary:
        files = (options.vocab_file, options.bert_config_file, options.init_checkpoint)
        fingerprint = records.files.vocabulary["fingerprint"]
        vocab = find_vocabulary(fingerprint, [*files, records.files.paths[0]])
    if not vocab:
        logging.warning(
            "%s gets no vocab.txt, as none that fits lies beside the configuration or the records; "
            "--vocab_file names the vocabulary of the records",
            options.output_dir,
        )
    write_companions(options.output_dir, config, vocab)


def _export(options: PretrainingOptions, export_dir: str) -> None:
    # The SavedModel machinery takes a second to import.
    from albert_zh.export.bundle import export_model
    from albert_zh.export.source import load_source

    source = load_source(options.output_dir)
    export_model(
        source, export_dir=export_dir, formats=("checkpoint", "saved_model"), overwrite=True
    )
    logging.info("exported %s to %s", source.prefix, export_dir)


def _evaluate(
    run: RunDirectory, model: PretrainingModel, evaluation: Evaluation, initial_weights: LoadPlan
) -> None:
    """Measure the newest checkpoint, or the initial one where a run has none of its own."""
    prefix, directory = run.checkpoints.latest(), run.options.output_dir
    if prefix:
        load_exactly(named_variables(model), prefix)
        step = run.checkpoints.steps()[-1]
    elif prefix := initial_checkpoint(run.options):
        check_complete(prefix, initial_weights)
        step = read_step(prefix) or 0
    else:
        raise ValueError(
            f"there is no checkpoint to evaluate in --output_dir={directory}; name one with "
            "--init_checkpoint, or train first (--do_train=True)"
        )
    metrics = {
        run.config.variant.metric_name(name): value
        for name, value in evaluation.metrics(step).items()
    }
    facts = {"global_step": step, "checkpoint": prefix, **evaluation.records}
    lines = [f"{key} = {value}" for key, value in sorted({**metrics, **facts}.items())]
    if run.is_chief:
        _move_results_of_other_records(directory, evaluation.records)
        write_text(os.path.join(directory, _RESULTS), "\n".join(lines) + "\n")
        write_json(os.path.join(directory, _RESULTS_JSON), {**finite(metrics), **facts})
    logging.info("evaluated %s:\n%s", prefix, "\n".join(lines))


def _move_results_of_other_records(directory: str, records: Mapping[str, str]) -> None:
    """Keep earlier results that these, of the given records, would replace."""
    before = read_json_if_exists(os.path.join(directory, _RESULTS_JSON)) or {}
    if any(before.get(key, value) != value for key, value in records.items()):
        place = move_away(directory, [_RESULTS, _RESULTS_JSON], folder=EARLIER_EVALUATIONS)
        logging.warning(
            "the earlier results, on %s, were moved to %s", before.get("records"), place
        )
