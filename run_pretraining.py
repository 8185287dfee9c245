r"""Pretrain an ALBERT on records of create_pretraining_data.py: masked LM and sentence order.

  python3 run_pretraining.py --input_file='data/tf*.tfrecord' --output_dir=my_albert \
      --bert_config_file=albert_config/albert_config_tiny.json --do_train=True --do_eval=True \
      --max_seq_length=512 --max_predictions_per_seq=51 --train_batch_size=64 \
      --num_train_steps=125000 --num_warmup_steps=12500 --learning_rate=0.00176

The output directory then holds the newest checkpoints (model.ckpt-N), eval_results.txt,
history.jsonl with the numbers of the training and options.json. The same command again goes on
where it stopped.
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
from albert_zh.files import expand_patterns
from albert_zh.model.heads import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.options import REQUIRED, define_flags, option, read_flags
from albert_zh.progress import Progress
from albert_zh.records.batches import (
    RecordFiles,
    check_records,
    evaluation_batches,
    training_batches,
)
from albert_zh.runs import (
    Run,
    RunOptions,
    check_lengths,
    check_vocabulary,
    check_vocabulary_size,
    load_exactly,
)
from albert_zh.train.metrics import add_means, results
from albert_zh.train.optimizers import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.step import make_evaluation_step
from albert_zh.train.strategy import make_strategy


@dataclasses.dataclass(frozen=True)
class PretrainingOptions(RunOptions):
    """Flags of this script."""

    input_file: str = option(
        REQUIRED, "Records to train on: comma-separated files and globs of TFRecord files."
    )
    eval_input_file: str | None = option(
        None,
        "Records held out of the training, to be evaluated at every checkpoint. Without them "
        "--do_eval reads --input_file, which only tells how well the training data is known.",
    )
    max_seq_length: int = option(128, "Length of the records, in tokens; must match them.")
    max_predictions_per_seq: int = option(20, "Masks a record has room for; must match them.")
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
    check_lengths(options.max_seq_length, config, source=options.bert_config_file)
    files = _records(options.input_file, options, config)
    held_out = _records(options.eval_input_file, options, config, like=files)
    identity = {"config": config.to_dict(), "vocabulary": files.vocabulary}
    if options.do_train:
        identity["init_checkpoint"] = options.init_checkpoint
    run = Run(options, identity=identity)
    strategy = make_strategy(options.tpu_address())
    with strategy.scope():
        model = PretrainingModel(config, seed=options.random_seed)
        # A fine-tuned checkpoint has no pretraining heads; a classifier's head is of no use here.
        run.start(model, new_parts=["cls/"], spare_parts=["output_", "loss/"])
    if options.do_train:
        _train(options, run, model, files, held_out, strategy)
    if options.do_eval:
        _evaluate_latest(options, config, run, model, held_out or files)


def _records(
    patterns: str | None,
    options: PretrainingOptions,
    config: ModelConfig,
    like: RecordFiles | None = None,
) -> RecordFiles | None:
    if not patterns:
        return None
    files = check_records(
        expand_patterns(patterns),
        max_seq_length=options.max_seq_length,
        max_predictions_per_seq=options.max_predictions_per_seq,
    )
    logging.info("%s: %d records in %d files", patterns, files.num_records, len(files.paths))
    if files.vocabulary is None:
        logging.warning("%s: no manifest tells which vocabulary the records are made of", patterns)
        return files
    check_vocabulary_size(files.vocabulary["size"], config, source=f"the vocabulary of {patterns}")
    if options.init_checkpoint:
        check_vocabulary(options.init_checkpoint, files.vocabulary["fingerprint"])
    if like and like.vocabulary not in (None, files.vocabulary):
        raise ValueError(f"{patterns} is made of another vocabulary than --input_file")
    return files


def _train(
    options: PretrainingOptions,
    run: Run,
    model: PretrainingModel,
    files: RecordFiles,
    held_out: RecordFiles | None,
    strategy: tf.distribute.Strategy,
) -> None:
    objective = functools.partial(objectives.pretraining, model)
    evaluate = make_evaluation_step(objective)

    def evaluate_held_out(step: int) -> None:
        if held_out:
            metrics = _evaluate(evaluate, held_out, options)
            run.record({"step": step, **{f"held_out_{key}": metrics[key] for key in metrics}})
            logging.info("held out at step %d: %s", step, metrics)

    run.fit(
        model,
        objective,
        rule=Rule(options.optimizer),
        schedule=ScheduleOptions(
            learning_rate=options.learning_rate,
            num_train_steps=options.num_train_steps,
            num_warmup_steps=options.num_warmup_steps,
            power=options.poly_power,
            start_warmup_step=options.start_warmup_step,
        ),
        batches=lambda step: training_batches(
            files,
            batch_size=options.train_batch_size,
            seed=options.random_seed,
            skip_batches=step,
        ),
        strategy=strategy,
        after_save=evaluate_held_out,
    )


def _evaluate(evaluate, files: RecordFiles, options: PretrainingOptions) -> dict[str, float]:
    batches = evaluation_batches(files, batch_size=options.eval_batch_size)
    total = min(options.max_eval_steps, math.ceil(files.num_records / options.eval_batch_size))
    means = []
    with Progress(description="evaluate", unit="batch", total=total) as progress:
        for batch in batches.take(total):
            means.append(evaluate(batch))
            progress.advance()
    metrics = results(add_means(means))
    loss = metrics["masked_lm_loss"] + metrics["sentence_order_loss"]
    return {"loss": loss, **metrics}


def _evaluate_latest(options, config, run: Run, model, files: RecordFiles) -> None:
    prefix = run.checkpoints.latest()
    if not prefix:
        raise ValueError(f"no checkpoint in {options.output_dir}; train first (--do_train=True)")
    load_exactly(named_variables(model), prefix)
    evaluate = make_evaluation_step(functools.partial(objectives.pretraining, model))
    metrics = _evaluate(evaluate, files, options)
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
