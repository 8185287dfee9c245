"""Fine-tuning of a classifier: a task's data, training, scores and predictions."""

import dataclasses
import functools
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.loading import load_exactly
from albert_zh.checkpoint.manager import find_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.vocabulary_check import (
    check_vocabulary,
    check_vocabulary_size,
    vocabulary_identity,
)
from albert_zh.config import ModelConfig
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.objectives.classification import classification_objective
from albert_zh.runs.run import Lengths, Run, Training
from albert_zh.tasks.batches import (
    PaddedBatch,
    bucket_lengths,
    epoch_batches,
    eval_batches,
    in_original_order,
    padding_share,
)
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.examples import Split
from albert_zh.tasks.features import Features, collate
from albert_zh.tasks.report import report
from albert_zh.tasks.splits import find_file, read_split
from albert_zh.tasks.task import Task
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.train.loop import Workload
from albert_zh.train.metrics import add_means, results
from albert_zh.train.rules import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.step import make_evaluation_step
from albert_zh.train.strategy import make_strategy, report_lost_workers
from albert_zh.util.files import sha256_of_file
from albert_zh.util.object_files import write_json, write_text
from albert_zh.util.progress import Progress


def fine_tune(options: ClassifierOptions) -> None:
    """Trains, evaluates, predicts, or several of it.

    Raises:
        ValueError, OSError: The options, the data or a checkpoint do not fit; nothing was written
            then.
    """
    if not (options.do_train or options.do_eval or options.do_predict):
        raise ValueError("nothing to do: set --do_train=True, --do_eval=True or --do_predict=True")
    task = find_task(options.task_name)
    config = ModelConfig.from_json_file(options.bert_config_file)
    config.check_length(options.max_seq_length, source=options.bert_config_file)
    # Workers have to be connected before TensorFlow computes anything.
    strategy = make_strategy(options.strategy_options())
    tokenizer = _tokenizer(options, config)
    identity = _identity(options, config, task, tokenizer)
    run = Run(options, identity=identity, strategy=strategy)
    data = prepare_data(options, task, tokenizer)
    with strategy.scope():
        model = Classifier(
            config,
            len(task.labels),
            pooling=options.pooling,
            seed=options.random_seed,
            dtype=tf.as_dtype(options.precision),
            recompute=options.recomputes(config),
        )
        run.start(model)
    with report_lost_workers():
        if options.do_train and not train_classifier(
            options, run, model, data, tokenizer=tokenizer
        ):
            return
        if options.do_eval:
            evaluate_checkpoints(options, run, model, data)
        if options.do_predict:
            predict_test(options, run, model, data)


def _tokenizer(options: ClassifierOptions, config: ModelConfig) -> Tokenizer:
    tokenizer = load_tokenizer(
        options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    source = options.spm_model_file or options.vocab_file
    check_vocabulary_size(len(tokenizer.vocab), config, source=source)
    if options.init_checkpoint:
        check_vocabulary(options.init_checkpoint, tokenizer.vocab.fingerprint)
    return tokenizer


def _identity(
    options: ClassifierOptions, config: ModelConfig, task: Task, tokenizer: Tokenizer
) -> CheckpointMeta:
    """What may not change when a run is resumed."""
    training = {}
    if options.do_train:
        train_file = find_file(task, data_dir=options.data_dir, split="train")
        training["training_data"] = sha256_of_file(train_file)
        for name in ("init_checkpoint", "train_batch_size", "random_seed"):
            training[name] = getattr(options, name)
    return CheckpointMeta(
        config=config,
        vocabulary=vocabulary_identity(tokenizer.vocab),
        task=TaskMeta(
            name=task.name,
            labels=task.labels,
            max_seq_length=options.max_seq_length,
            pooling=options.pooling,
            do_lower_case=options.do_lower_case,
        ),
        training=training,
    )


@dataclasses.dataclass(frozen=True)
class Data:
    """A task's splits as token ids, and the padded lengths of their batches."""

    task: Task
    features: dict[str, Features]  # by split
    buckets: tuple[int, ...]


def prepare_data(options: ClassifierOptions, task: Task, tokenizer: Tokenizer) -> Data:
    """Reads, checks and tokenizes the splits that the options ask for."""
    wanted = {"train": options.do_train, "dev": options.do_eval, "test": options.do_predict}
    splits = [
        read_split(task, data_dir=options.data_dir, split=name)
        for name, needed in wanted.items()
        if needed
    ]
    for line in report(splits, labels=task.labels).lines():
        logging.info("%s", line)
    return Data(
        task=task,
        features={split.name: _featurize(options, task, tokenizer, split) for split in splits},
        # A TPU compiles for every shape, so there all batches have one.
        buckets=(options.max_seq_length,)
        if options.use_tpu
        else bucket_lengths(options.max_seq_length),
    )


def _featurize(options, task: Task, tokenizer: Tokenizer, split: Split) -> Features:
    with Progress(
        description=f"tokenize {split.name}", unit="example", total=len(split.examples)
    ) as progress:
        features = task.kind.featurize(
            split.examples,
            tokenizer=tokenizer,
            labels=task.labels,
            max_seq_length=options.max_seq_length,
            progress=progress,
        )
    if features.num_truncated:
        logging.warning(
            "%s: %d of %d examples are longer than %d tokens and were cut",
            split.path,
            features.num_truncated,
            len(features),
            options.max_seq_length,
        )
    return features


def training_order(options: ClassifierOptions, data: Data, step: int) -> Iterator[PaddedBatch]:
    """Batches from a step on, epoch after epoch; a function of seed and step."""
    features = data.features["train"]
    epoch, done = divmod(step, len(features) // options.train_batch_size)
    while True:
        yield from epoch_batches(
            features.lengths,
            batch_size=options.train_batch_size,
            buckets=data.buckets,
            seed=options.random_seed,
            epoch=epoch,
        )[done:]
        epoch, done = epoch + 1, 0


def _training_batches(options: ClassifierOptions, data: Data, step: int) -> tf.data.Dataset:
    features = data.features["train"]
    length = options.max_seq_length if len(data.buckets) == 1 else None
    rows = options.train_batch_size
    shapes = {
        name: tf.TensorSpec([rows, length], tf.int32)
        for name in ("input_ids", "input_mask", "segment_ids")
    }
    return tf.data.Dataset.from_generator(
        lambda: (
            collate(features, padded.indices, padded_length=padded.padded_length)
            for padded in training_order(options, data, step)
        ),
        output_signature={**shapes, "label_ids": tf.TensorSpec([rows], tf.int32)},
    ).prefetch(tf.data.AUTOTUNE)


def train_classifier(
    options: ClassifierOptions,
    run: Run,
    model: Classifier,
    data: Data,
    *,
    tokenizer: Tokenizer,
) -> bool:
    """Trains to the last step of the last epoch, from wherever the run stands.

    Returns:
        Whether it came there; False where it was asked to stop before.
    """
    features = data.features["train"]
    if len(features) < options.train_batch_size:
        raise ValueError(
            f"{len(features)} training examples are fewer than one batch of "
            f"{options.train_batch_size}; lower --train_batch_size"
        )
    num_steps = int(len(features) / options.train_batch_size * options.num_train_epochs)
    _log_extent(options, data, num_steps)
    if run.is_chief:
        _write_companions(options, model.albert.config, tokenizer)
    training = Training(
        objective=functools.partial(classification_objective, model),
        rule=Rule(options.optimizer),
        schedule=ScheduleOptions(
            learning_rate=options.learning_rate,
            num_train_steps=num_steps,
            num_warmup_steps=int(num_steps * options.warmup_proportion),
        ),
        batches=lambda step: _training_batches(options, data, step),
        plan=run.batch_plan(options.train_batch_size, Lengths(options.max_seq_length)),
        workload=Workload(options.train_batch_size),
        facts={"examples": len(features), "epochs": options.num_train_epochs},
    )
    return run.fit(model, training)


def _log_extent(options: ClassifierOptions, data: Data, num_steps: int) -> None:
    features = data.features["train"]
    padded_batches = epoch_batches(
        features.lengths,
        batch_size=options.train_batch_size,
        buckets=data.buckets,
        seed=options.random_seed,
        epoch=0,
    )
    logging.info(
        "training %d steps of %d examples (%.1f epochs); %.0f %% of the positions are padding",
        num_steps,
        options.train_batch_size,
        options.num_train_epochs,
        100 * padding_share(features.lengths, padded_batches),
    )


def _write_companions(options: ClassifierOptions, config: ModelConfig, tokenizer) -> None:
    """What a checkpoint needs to be used without this command line."""
    entries = "\n".join(tokenizer.vocab.tokens) + "\n"
    write_text(os.path.join(options.output_dir, "vocab.txt"), entries)
    write_json(os.path.join(options.output_dir, "albert_config.json"), config.to_dict())
    if options.spm_model_file:
        target = os.path.join(options.output_dir, "spm.model")
        tf.io.gfile.copy(options.spm_model_file, target, overwrite=True)


def evaluate_checkpoints(
    options: ClassifierOptions, run: Run, model: Classifier, data: Data
) -> None:
    """Scores every checkpoint on dev, and notes which one is best."""
    if not run.checkpoints.steps():
        raise ValueError(f"no checkpoint in {options.output_dir}; train first (--do_train=True)")
    features = data.features["dev"]
    padded_batches = eval_batches(
        features.lengths, batch_size=options.eval_batch_size, buckets=data.buckets
    )
    evaluate = make_evaluation_step(functools.partial(classification_objective, model))
    rows = []
    for step in run.checkpoints.steps():
        load_exactly(named_variables(model), run.checkpoints.prefix(step))
        means = []
        with Progress(
            description=f"evaluate model.ckpt-{step}", unit="example", total=len(features)
        ) as progress:
            for padded in padded_batches:
                batch = collate(features, padded.indices, padded_length=padded.padded_length)
                means.append(evaluate(batch))
                progress.advance(len(padded.indices))
        found = results(add_means(means))
        metrics = {"eval_loss": found["classification_loss"], "eval_accuracy": found["accuracy"]}
        rows.append({**metrics, "global_step": step, "loss": metrics["eval_loss"]})
        logging.info("model.ckpt-%d on dev: %s", step, metrics)
    if run.is_chief:
        _write_results(options, run, data.task, rows)


def _write_results(options: ClassifierOptions, run: Run, task: Task, rows: list[dict]) -> None:
    # As the published scripts wrote it, but to the output directory: theirs went to --data_dir,
    # where tasks overwrote each other.
    blocks = [
        f"***** Eval results {run.checkpoints.prefix(row['global_step'])} *****\n"
        + "".join(f"{key} = {row[key]}\n" for key in sorted(row))
        for row in rows
    ]
    directory = options.output_dir
    write_text(os.path.join(directory, "eval_results_albert_zh.txt"), "".join(blocks))
    best = max(rows, key=lambda row: row[f"eval_{task.metric}"])
    run.checkpoints.note_best(best["global_step"], best)
    logging.info(
        "best on dev: model.ckpt-%d, %s %.4f",
        best["global_step"],
        task.metric,
        best[f"eval_{task.metric}"],
    )


def predict_test(options: ClassifierOptions, run: Run, model: Classifier, data: Data) -> None:
    """Writes the probabilities, and the likeliest label, of every test example in order."""
    features, labels = data.features["test"], data.task.labels
    prefix = find_checkpoint(options.output_dir)
    load_exactly(named_variables(model), prefix)
    padded_batches = eval_batches(
        features.lengths, batch_size=options.predict_batch_size, buckets=data.buckets
    )
    probabilities = tf.function(lambda **inputs: tf.nn.softmax(model(**inputs)))
    rows = []
    with Progress(description="predict", unit="example", total=len(features)) as progress:
        for padded in padded_batches:
            batch = collate(features, padded.indices, padded_length=padded.padded_length)
            del batch["label_ids"]
            inputs = {name: tf.constant(value) for name, value in batch.items()}
            rows.append(probabilities(**inputs).numpy())
            progress.advance(len(padded.indices))
    if run.is_chief:
        _write_predictions(options, in_original_order(padded_batches, rows), labels)
    logging.info("predicted %d examples with %s", len(features), prefix)


def _write_predictions(options, probabilities: np.ndarray, labels: tuple[str, ...]) -> None:
    directory = options.output_dir
    table = ("\t".join(map(str, row)) + "\n" for row in probabilities)
    write_text(os.path.join(directory, "test_results.tsv"), "".join(table))
    chosen = (
        f"{number}\t{labels[index]}\n" for number, index in enumerate(probabilities.argmax(axis=1))
    )
    write_text(os.path.join(directory, "submit_results.tsv"), "".join(chosen))
