r"""Pretrain an ALBERT on records of create_pretraining_data.py: masked LM and sentence order.

  python3 run_pretraining.py --input_file='data/tf*.tfrecord' --output_dir=my_albert \
      --bert_config_file=albert_config/albert_config_tiny.json --do_train=True --do_eval=True \
      --train_batch_size=64 --num_train_steps=125000 --num_warmup_steps=12500 \
      --learning_rate=0.00176

The output directory then holds the newest checkpoints (model.ckpt-N), eval_results.txt,
history.jsonl with the numbers of the training and options.json. The same command again goes on
where it stopped.

Records of --masking=dynamic are masked here, anew in every epoch. That takes the vocabulary and
the masking flags that data creation has otherwise:

  python3 run_pretraining.py ... --vocab_file=albert_config/vocab.txt --masking=ngram
"""

import dataclasses
import functools
import math
import os

import tensorflow as tf
from absl import logging

from albert_zh import cli, objectives
from albert_zh.checkpoint.files import write_json, write_text
from albert_zh.config import Lineage, ModelConfig
from albert_zh.corpus.masking import MaskingRecipe
from albert_zh.files import expand_patterns
from albert_zh.masking_options import (
    MASKINGS,
    MaskingOptions,
    masking_recipe,
    predictions_needed,
)
from albert_zh.model.heads import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.options import REQUIRED, define_flags, option, read_flags
from albert_zh.progress import Progress
from albert_zh.records.batches import evaluation_batches, training_batches
from albert_zh.records.record_files import RecordFiles, check_records
from albert_zh.runs import (
    Run,
    RunOptions,
    check_lengths,
    check_vocabulary,
    check_vocabulary_size,
    load_exactly,
    vocabulary_identity,
)
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.train.metrics import add_means, results
from albert_zh.train.optimizers import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.step import Objective, make_evaluation_step
from albert_zh.train.strategy import make_strategy


@dataclasses.dataclass(frozen=True)
class PretrainingOptions(RunOptions, MaskingOptions):
    """Flags of this script. Those of masking are for records of --masking=dynamic."""

    input_file: str = option(
        REQUIRED, "Records to train on: comma-separated files and globs of TFRecord files."
    )
    eval_input_file: str | None = option(
        None,
        "Records held out of the training, to be evaluated at every checkpoint. Without them "
        "--do_eval reads --input_file, which only tells how well the training data is known.",
    )
    max_seq_length: int | None = option(
        None, "Length of the examples, in tokens. Default: as the records say."
    )
    max_predictions_per_seq: int | None = option(
        None,
        "Masks an example has room for. Default: as the records say; where they are masked here, "
        "what masked_lm_prob takes of the longest.",
    )
    vocab_file: str | None = option(
        None, "Vocabulary of the records, one entry a line. Needed where they are masked here."
    )
    masking: str | None = option(
        None,
        "What is masked together where records are masked here: a word (the default), an ngram of "
        "words, a span of words of geometric length (SpanBERT), or a token by itself.",
        choices=MASKINGS,
    )
    do_train: bool = option(False, "Train.")
    do_eval: bool = option(False, "Evaluate the newest checkpoint into eval_results.txt.")
    train_batch_size: int = option(32, "Examples of one optimizer step.")
    eval_batch_size: int = option(8, "Examples evaluated at a time.")
    optimizer: str = option("lamb", "Update rule.", choices=[rule.value for rule in Rule])
    learning_rate: float = option(5e-5, "Peak of the learning rate.")
    poly_power: float = option(1.0, "Power of the decay: 1 is a straight line to 0.")
    num_train_steps: int = option(100000, "Steps to train in all.")
    num_warmup_steps: int = option(10000, "Steps over which the learning rate rises.")
    start_warmup_step: int = option(0, "Step at which the warm-up begins.")
    max_eval_steps: int = option(100, "Batches evaluated at most.")


@dataclasses.dataclass(frozen=True)
class Records:
    """Record files and, of those for dynamic masking, how they are masked."""

    files: RecordFiles
    masking: MaskingRecipe | None


def main() -> None:
    pretrain(read_flags(PretrainingOptions))


def pretrain(options: PretrainingOptions) -> None:
    """Trains, evaluates, or both.

    Raises:
        ValueError, OSError: The options, the records or a checkpoint do not fit; nothing was
            written then.
    """
    if not (options.do_train or options.do_eval):
        raise ValueError("nothing to do: set --do_train=True, --do_eval=True or both")
    config = ModelConfig.from_json_file(options.bert_config_file)
    records = _records(options.input_file, options, config)
    held_out = _records(options.eval_input_file, options, config, like=records)
    if not (records.masking or (held_out and held_out.masking)):
        _check_no_masking_flags(options)
    identity = {"config": config.to_dict(), "vocabulary": records.files.vocabulary}
    if options.do_train:
        identity["init_checkpoint"] = options.init_checkpoint
    run = Run(options, identity=identity)
    strategy = make_strategy(options.tpu_address())
    with strategy.scope():
        model = PretrainingModel(config, seed=options.random_seed)
        # A fine-tuned checkpoint has no pretraining heads; a classifier's head is of no use here.
        run.start(model, new_parts=["cls/"], spare_parts=["output_", "loss/"])
    if options.do_train:
        _train(options, run, model, records, held_out, strategy)
    if options.do_eval:
        _evaluate_latest(options, config, run, model, held_out or records)


def _records(
    patterns: str | None,
    options: PretrainingOptions,
    config: ModelConfig,
    like: Records | None = None,
) -> Records | None:
    if not patterns:
        return None
    files = check_records(
        expand_patterns(patterns),
        max_seq_length=options.max_seq_length,
        max_predictions_per_seq=options.max_predictions_per_seq,
    )
    check_lengths(files.max_seq_length, config, source=options.bert_config_file)
    logging.info("%s: %d records in %d files", patterns, files.num_records, len(files.paths))
    if not files.has_pairs:
        logging.info("%s has no pairs of segments: no sentence order is learnt", patterns)
    masking = None
    if not files.masked:
        tokenizer = _tokenizer(patterns, options, files)
        files = dataclasses.replace(files, vocabulary=vocabulary_identity(tokenizer.vocab))
        masking = _masking(options, files, tokenizer)
    _check_vocabulary(patterns, files, options, config)
    if like and files.vocabulary and like.files.vocabulary not in (None, files.vocabulary):
        raise ValueError(f"{patterns} is made of another vocabulary than --input_file")
    return Records(files, masking)


def _check_vocabulary(
    patterns: str, files: RecordFiles, options: PretrainingOptions, config: ModelConfig
) -> None:
    if files.vocabulary is None:
        logging.warning("%s: no manifest tells which vocabulary the records are made of", patterns)
        return
    check_vocabulary_size(files.vocabulary["size"], config, source=f"the vocabulary of {patterns}")
    if options.init_checkpoint:
        check_vocabulary(options.init_checkpoint, files.vocabulary["fingerprint"])


def _tokenizer(patterns: str, options: PretrainingOptions, files: RecordFiles) -> Tokenizer:
    """What the records are made with: it knows [MASK] and the random tokens."""
    if not options.vocab_file:
        raise ValueError(
            f"the records of {patterns} are to be masked here (--masking=dynamic); give their "
            "vocabulary with --vocab_file"
        )
    tokenizer = load_tokenizer(options.vocab_file)
    if files.vocabulary not in (None, vocabulary_identity(tokenizer.vocab)):
        raise ValueError(f"{patterns} is made of another vocabulary than {options.vocab_file}")
    return tokenizer


def _masking(
    options: PretrainingOptions, files: RecordFiles, tokenizer: Tokenizer
) -> MaskingRecipe:
    return masking_recipe(
        options,
        tokenizer,
        masking=options.masking or "word",
        max_predictions_per_seq=options.max_predictions_per_seq
        or predictions_needed(files.max_seq_length, options.masked_lm_prob),
    )


def _check_no_masking_flags(options: PretrainingOptions) -> None:
    given = [name for name in ("masking", "vocab_file") if getattr(options, name)]
    if given := given + options.changed():
        raise ValueError(
            f"--{given[0]} is for records of --masking=dynamic; those of {options.input_file} are "
            "masked already. Leave it out, or create the records anew"
        )


def _objective(model: PretrainingModel, records: Records) -> Objective:
    return functools.partial(objectives.pretraining, model, pairs=records.files.has_pairs)


def _train(
    options: PretrainingOptions,
    run: Run,
    model: PretrainingModel,
    records: Records,
    held_out: Records | None,
    strategy: tf.distribute.Strategy,
) -> None:
    evaluate = make_evaluation_step(_objective(model, held_out or records))

    def evaluate_held_out(step: int) -> None:
        if held_out:
            metrics = _evaluate(evaluate, held_out, options)
            run.record({"step": step, **{f"held_out_{key}": metrics[key] for key in metrics}})
            logging.info("held out at step %d: %s", step, metrics)

    run.fit(
        model,
        _objective(model, records),
        rule=Rule(options.optimizer),
        schedule=ScheduleOptions(
            learning_rate=options.learning_rate,
            num_train_steps=options.num_train_steps,
            num_warmup_steps=options.num_warmup_steps,
            power=options.poly_power,
            start_warmup_step=options.start_warmup_step,
        ),
        batches=lambda step: training_batches(
            records.files,
            batch_size=options.train_batch_size,
            seed=options.random_seed,
            skip_batches=step,
            masking=records.masking,
        ),
        strategy=strategy,
        after_save=evaluate_held_out,
    )


def _evaluate(evaluate, records: Records, options: PretrainingOptions) -> dict[str, float]:
    files = records.files
    batches = evaluation_batches(files, batch_size=options.eval_batch_size, masking=records.masking)
    total = min(options.max_eval_steps, math.ceil(files.num_records / options.eval_batch_size))
    means = []
    with Progress(description="evaluate", unit="batch", total=total) as progress:
        for batch in batches.take(total):
            means.append(evaluate(batch))
            progress.advance()
    metrics = results(add_means(means))
    loss = metrics["masked_lm_loss"] + metrics.get("sentence_order_loss", 0.0)
    return {"loss": loss, **metrics}


def _evaluate_latest(options, config, run: Run, model, records: Records) -> None:
    prefix = run.checkpoints.latest()
    if not prefix:
        raise ValueError(f"no checkpoint in {options.output_dir}; train first (--do_train=True)")
    load_exactly(named_variables(model), prefix)
    evaluate = make_evaluation_step(_objective(model, records))
    metrics = _evaluate(evaluate, records, options)
    if config.lineage is Lineage.BRIGHTMART:  # whose eval_results.txt has these keys
        metrics = {
            key.replace("sentence_order_", "next_sentence_"): value
            for key, value in metrics.items()
        }
    metrics["global_step"] = run.checkpoints.steps()[-1]
    lines = [f"{key} = {metrics[key]}" for key in sorted(metrics)]
    write_text(os.path.join(options.output_dir, "eval_results.txt"), "\n".join(lines) + "\n")
    write_json(os.path.join(options.output_dir, "eval_results.json"), metrics)
    logging.info("evaluated %s:\n%s", prefix, "\n".join(lines))


if __name__ == "__main__":
    define_flags(PretrainingOptions)
    cli.run(main)
