"""Fine-tuning: a task and a pretrained checkpoint -> trained model, scores, predictions.

```
--data_dir  -> train split -> training batches  -> fit         -> model.ckpt-N, history.jsonl
            -> dev split   -> every checkpoint  -> scores      -> best_checkpoint.json,
                                                                  eval_results_albert_zh.txt
            -> test split  -> best checkpoint   -> predictions -> files of the task's kind
```
"""

import functools
import os
from collections.abc import Callable

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.names import LoadPlan
from albert_zh.checkpoint.vocabulary_check import check_vocabulary
from albert_zh.config import ModelConfig
from albert_zh.finetuning.aids import aided_objective, rate_factors
from albert_zh.finetuning.batches import training_batches
from albert_zh.finetuning.data import (
    Data,
    largest_batch,
    prepare_data,
    share_of_padding,
    steps_per_epoch,
)
from albert_zh.finetuning.evaluation import (
    Evaluator,
    analyse,
    evaluate_checkpoints,
    score_unscored,
    validation_of,
)
from albert_zh.finetuning.first_bias import start_at_mean
from albert_zh.finetuning.identity import run_identity
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.prediction import predict_test
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.runs.batch_size import plan_batch
from albert_zh.runs.companions import CONFIGURATION, write_companions
from albert_zh.runs.directory import Row, RunDirectory
from albert_zh.runs.fit import fit
from albert_zh.runs.identity import AIDS, INITIAL_WEIGHTS
from albert_zh.runs.initial_weights import initial_checkpoint, load_initial_weights
from albert_zh.runs.lock import sole_training
from albert_zh.runs.plots import try_plot_history
from albert_zh.runs.spec import Lengths, TrainingSpec, Validation
from albert_zh.tasks import custom, custom_forms
from albert_zh.tasks.splits import find_files
from albert_zh.tasks.task import Task
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.rows import Workload
from albert_zh.train.rules.table import Rule, find_rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.strategy import make_strategy, report_lost_workers
from albert_zh.util.object_files import write_text


def fine_tune(
    options: ClassifierOptions,
    *,
    strategy: tf.distribute.Strategy | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> bool:
    """Train, evaluate, predict, as the flags say.

    Args:
        options: The flags.
        strategy: Where to train; by default as the flags say.
        on_row: Called with each row of the history before it is recorded.

    Returns:
        True when all is done, False if the training was stopped by request.

    Raises:
        ValueError, OSError: The options, the data or a checkpoint do not fit.
    """
    if not (options.do_train or options.do_eval or options.do_predict):
        raise ValueError("nothing to do: set --do_train=True, --do_eval=True or --do_predict=True")
    given, options = options, options.completed()
    task = options.task()
    directory, known = given.known()
    if known:
        flags = " ".join(f"--{name}={value}" for name, value in known.items())
        logging.info("taken from %s: %s", directory, flags)
    config = ModelConfig.from_json_file(options.bert_config_file)
    config.check_length(options.max_seq_length, source=options.bert_config_file)
    # Workers have to be connected before TensorFlow computes anything.
    strategy = strategy or make_strategy(options.strategy_options())
    with sole_training(options, strategy, do_train=options.do_train) as keep_alone:
        return _fine_tune(options, task, config, strategy, on_row, keep_alone)


def _fine_tune(
    options: ClassifierOptions,
    task: Task,
    config: ModelConfig,
    strategy: tf.distribute.Strategy,
    on_row: Callable[[Row], None] | None,
    keep_alone: Callable[[], None],
) -> bool:
    if options.train_batch_tokens and strategy.num_replicas_in_sync > 1:
        raise ValueError(
            f"--train_batch_tokens trains on one device, not on {strategy.num_replicas_in_sync}; "
            "use --train_batch_size"
        )
    tokenizer = _tokenizer(options, config)
    identity = run_identity(options, config, task, tokenizer)
    sources = {
        "vocabulary": options.vocab_file or "",
        INITIAL_WEIGHTS: options.init_checkpoint or "",
    }
    if options.do_train:
        paths = find_files(task, data_dir=options.data_dir, split="train")
        sources["training_data"] = " and ".join(paths)
    run = RunDirectory(
        options,
        identity=identity,
        strategy=strategy,
        on_row=on_row,
        sources=sources,
        keep_alone=keep_alone,
    )
    data = prepare_data(options, task, tokenizer)
    with strategy.scope():
        model = KIND_MODELS[task.kind.name].build(
            config,
            identity.task,
            seed=options.random_seed,
            dtype=tf.as_dtype(options.precision),
            recompute=options.should_recompute(config),
        )
        initial_weights = load_initial_weights(run, model)
        if task.kind.has_numbers and options.do_train and not run.checkpoints.latest():
            start_at_mean(model, data.features["train"], initial_weights)
    evaluator = Evaluator(options, model, data, strategy)
    validation = validation_of(options, evaluator, data)
    with report_lost_workers():
        if options.do_train:
            if options.do_eval:
                score_unscored(options, run, evaluator, validation)
            has_ended = _train(options, run, model, data, tokenizer, initial_weights, validation)
            if not has_ended:
                return False
            if run.is_chief:
                try_plot_history(options.output_dir)
        if options.do_eval:
            best = evaluate_checkpoints(options, run, evaluator, validation)
            if best:
                analyse(run, evaluator, best)
        if options.do_predict:
            predict_test(options, run, evaluator, data)
    return True


def _tokenizer(options: ClassifierOptions, config: ModelConfig) -> Tokenizer:
    tokenizer = load_tokenizer(
        options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    source = options.spm_model_file or options.vocab_file
    config.check_vocabulary_size(len(tokenizer.vocab), source=source)
    if prefix := initial_checkpoint(options):
        check_vocabulary(prefix, tokenizer.vocab.fingerprint)
    return tokenizer


def _train(
    options: ClassifierOptions,
    run: RunDirectory,
    model: tf.Module,
    data: Data,
    tokenizer: Tokenizer,
    initial_weights: LoadPlan,
    validation: Validation,
) -> bool:
    """Train from the current step to the last.

    Returns:
        True after the last step, False if stopped by request.
    """
    num_rows, per_epoch = len(data.features["train"]), steps_per_epoch(options, data)
    if per_epoch < 1:
        raise ValueError(
            f"{num_rows} training examples are fewer than one batch of "
            f"{options.train_batch_size}; lower --train_batch_size"
        )
    num_steps = int(per_epoch * options.num_train_epochs)
    if not num_steps:
        flag = "train_batch_tokens" if options.train_batch_tokens else "train_batch_size"
        raise ValueError(
            f"--num_train_epochs={options.num_train_epochs} of {num_rows} examples are less than "
            f"one batch of --{flag}={getattr(options, flag)}"
        )
    logging.info(
        "training %d steps of %g examples (%g epochs); %.0f %% of the positions are padding",
        num_steps,
        num_rows / per_epoch,
        options.num_train_epochs,
        100 * share_of_padding(options, data),
    )
    if run.is_chief:
        if data.task.name == custom_forms.NAME:
            path = os.path.join(options.output_dir, custom.FILE)
            write_task = functools.partial(write_text, path, custom.to_json(data.task))
            run.companions.write(custom.FILE, write_task)
        run.companions.write(
            CONFIGURATION,
            functools.partial(
                write_companions,
                options.output_dir,
                model.albert.config,
                tokenizer.vocab,
                spm_model_file=options.spm_model_file,
            ),
        )
    rule = find_rule(options.optimizer)
    with run.strategy.scope():
        objective = aided_objective(options, model, data, run.identity.task, tokenizer)
    spec = TrainingSpec(
        objective=objective,
        rule=rule,
        schedule=ScheduleOptions(
            learning_rate=options.learning_rate,
            num_train_steps=num_steps,
            num_warmup_steps=int(num_steps * options.warmup_proportion),
        ),
        batches=lambda step: training_batches(options, data, step, until=num_steps),
        plan=_plan(options, run, data, rule),
        xla=data.xla,
        workload=Workload(num_rows / per_epoch),
        initial_weights=initial_weights,
        rate_factors=rate_factors(options, model),
        ema_decay=options.ema_decay,
        facts={
            "examples": num_rows,
            "epochs": options.num_train_epochs,
            AIDS: options.chosen_aids(),
        },
        validation=validation,
    )
    return fit(run, model, spec)


def _plan(options: ClassifierOptions, run: RunDirectory, data: Data, rule: Rule) -> BatchPlan:
    if options.train_batch_tokens:
        # The tokens bound the memory; batches of different sizes have no common division.
        return BatchPlan.make(largest_batch(options, data), num_replicas=1)
    return plan_batch(run, options.train_batch_size, Lengths(options.max_seq_length), rule)
