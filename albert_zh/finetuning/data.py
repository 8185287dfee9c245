"""A task's splits as token ids, and the order of the training batches."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from absl import logging

from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.tasks.batches import PaddedBatch, bucket_lengths, epoch_batches, padding_share
from albert_zh.tasks.examples import Split
from albert_zh.tasks.features import Features
from albert_zh.tasks.report import check_labels_differ, report
from albert_zh.tasks.splits import hold_out_fold, read_split, split_off
from albert_zh.tasks.task import Task
from albert_zh.tasks.token_report import token_lines
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.train.devices import should_compile
from albert_zh.util.progress import Progress


@dataclasses.dataclass(frozen=True)
class Data:
    """A task's splits as token ids, and the padded lengths of their batches."""

    task: Task
    splits: dict[str, Split]  # by name
    features: dict[str, Features]  # by split
    buckets: tuple[int, ...]  # tokens
    xla: bool  # whether the training step is compiled with it


def prepare_data(options: ClassifierOptions, task: Task, tokenizer: Tokenizer) -> Data:
    """Reads, checks and tokenizes the splits that the options ask for.

    Raises:
        FileNotFoundError: A split's file is missing.
        ValueError: A file is malformed; the message names file and line.
    """
    splits = _read_splits(options, task)
    for split in splits:
        for note in split.notes:
            logging.info("%s", note)
    if options.do_train:
        check_labels_differ(task, splits[0])
    found = report(splits, labels=task.labels)
    for line in found.lines():
        logging.info("%s", line)
    for line in found.warnings():
        logging.warning("%s", line)
    longest = options.max_seq_length
    xla = should_compile(options.xla, one_length=False)
    buckets = bucket_lengths(longest, coarse=xla)
    return Data(
        task=task,
        splits={split.name: split for split in splits},
        features={split.name: _featurize(options, task, tokenizer, split) for split in splits},
        # A TPU compiles for every shape, so its batches all have one.
        buckets=(longest,) if options.use_tpu else buckets,
        xla=xla,
    )


def _read_splits(options: ClassifierOptions, task: Task) -> list[Split]:
    def read(name: str) -> Split:
        return read_split(task, data_dir=options.data_dir, split=name)

    wanted, parts = options.splits(), {}
    # Without --do_eval, too: a run that is resumed with it trains on the same examples.
    if {"train", "dev"} & {*wanted}:
        parts = {each.name: each for each in _parted(options, task, read)}
    return [parts.get(name) or read(name) for name in wanted]


def _parted(
    options: ClassifierOptions, task: Task, read: Callable[[str], Split]
) -> Sequence[Split]:
    """Train and dev, where both are parts of the training file; else none."""
    if options.dev_fraction is not None:
        return split_off(read("train"), options.dev_fraction, labels=task.labels)
    if options.fold:
        return hold_out_fold(
            read("train"), options.fold, num_folds=options.num_folds, labels=task.labels
        )
    return ()


def _featurize(
    options: ClassifierOptions, task: Task, tokenizer: Tokenizer, split: Split
) -> Features:
    with Progress(
        description=f"tokenize {split.name}", unit="example", total=len(split.examples)
    ) as progress:
        features = task.kind.featurize(
            split.examples,
            labels=task.labels,
            tokenizer=tokenizer,
            max_seq_length=options.max_seq_length,
            progress=progress,
        )
    for line in token_lines(split, features, tokenizer, max_seq_length=options.max_seq_length):
        logging.info("%s", line)
    return features


def training_order(options: ClassifierOptions, data: Data, step: int) -> Iterator[PaddedBatch]:
    """Endless batches from a step on; they depend on seed and step only."""
    epoch, done = divmod(step, _num_batches(options, data))
    while True:
        yield from _epoch(options, data, epoch)[done:]
        epoch, done = epoch + 1, 0


def steps_per_epoch(options: ClassifierOptions, data: Data) -> float:
    """Batches of all examples; batches by examples leave out less than one of them."""
    if options.train_batch_tokens:
        return _num_batches(options, data)
    return len(data.features["train"]) / options.train_batch_size


def largest_batch(options: ClassifierOptions, data: Data) -> int:
    """Examples of the largest batch."""
    return max(len(batch.indices) for batch in _epoch(options, data, 0))


def share_of_padding(options: ClassifierOptions, data: Data) -> float:
    """Share of padding in the first epoch's batches."""
    return padding_share(data.features["train"].lengths, _epoch(options, data, 0))


def _num_batches(options: ClassifierOptions, data: Data) -> int:
    """Batches of every epoch."""
    if options.train_batch_tokens:
        return len(_epoch(options, data, 0))
    return len(data.features["train"]) // options.train_batch_size


def _epoch(options: ClassifierOptions, data: Data, epoch: int) -> list[PaddedBatch]:
    features, tokens = data.features["train"], options.train_batch_tokens
    return epoch_batches(
        features.lengths,
        batch_size=options.train_batch_size,
        buckets=data.buckets,
        seed=options.random_seed,
        epoch=epoch,
        batch_tokens=tokens and max(1, tokens // features.rows_per_unit),
    )
