"""Pretraining: masked LM and sentence order on records, with what is held out measured on the way.

```
--input_file       -> records -> training batches  -> Run.fit      -> model.ckpt-N, history.jsonl
--eval_input_file  -> records -> evaluation batches -> scores       -> held_out_... in the history,
or --eval_fraction                                                     best_checkpoint.json
--do_eval          -> the scores of the newest checkpoint           -> eval_results.txt and .json
```
"""

import dataclasses
import functools
import hashlib
import json
import os
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh import estimates
from albert_zh.checkpoint.loading import load_exactly
from albert_zh.checkpoint.meta import CheckpointMeta, VocabularyIdentity
from albert_zh.config import Lineage, ModelConfig
from albert_zh.input.batches import named_read_errors, training_batches
from albert_zh.masking.options import MaskingOptions
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective, pretraining_variables
from albert_zh.pretraining.data import Records, training_and_held_out
from albert_zh.pretraining.evaluation import Evaluation
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.runs import plots as curves
from albert_zh.runs.run import HeldOut, Lengths, Run, Training
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.loop import Workload
from albert_zh.train.peak import matmul_peak
from albert_zh.train.rules import Rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.train.strategy import make_strategy, report_lost_workers
from albert_zh.util.object_files import write_json, write_text


def pretrain(options: PretrainingOptions) -> None:
    """Trains, evaluates, or both.

    Raises:
        ValueError, OSError: The options, the records or a checkpoint do not fit; nothing was
            written then. Or the training could not go on; the last checkpoint is whole.
    """
    config = ModelConfig.from_json_file(options.bert_config_file)
    # Workers have to be connected before TensorFlow computes anything.
    strategy = make_strategy(options.strategy_options())
    records, held_out = training_and_held_out(options, config)
    if not records.files.has_pairs:
        options = dataclasses.replace(options, sentence_order_weight=0.0)
    run = Run(options, identity=_identity(options, config, records), strategy=strategy)
    with strategy.scope():
        model = PretrainingModel(
            config,
            seed=options.random_seed,
            dtype=tf.as_dtype(options.precision),
            recompute=options.recomputes(config),
        )
        run.start(model, grow_positions=True)
    evaluation = Evaluation(options, model, held_out or records, strategy=strategy)
    with report_lost_workers():
        ended = True
        if options.do_train:
            measured = HeldOut(evaluation.scores, options.eval_steps) if held_out else None
            ended = _train(options, run, model, records, measured, strategy)
        if options.do_eval and ended:
            _evaluate_latest(options, run, model, evaluation)


def _identity(options: PretrainingOptions, config: ModelConfig, records: Records) -> CheckpointMeta:
    """What may not change when a run is resumed. The number of steps and the rate may."""
    files = records.files
    vocabulary = VocabularyIdentity.from_json(files.vocabulary) if files.vocabulary else None
    identity = CheckpointMeta(config=config, vocabulary=vocabulary)
    if not options.do_train:
        return identity
    # The order of the data is a function of these, wherever the files are.
    stretches = [
        (os.path.basename(part.path), *dataclasses.astuple(part)[1:]) for part in files.stretches
    ]
    masking = None
    if records.masking:
        masking = {
            field.name: getattr(options, field.name) for field in dataclasses.fields(MaskingOptions)
        }
        masking |= {"masking": options.masking, **dataclasses.asdict(records.lengths)}
    training = {
        "init_checkpoint": options.init_checkpoint,
        "train_batch_size": options.train_batch_size,
        "random_seed": options.random_seed,
        "training_data": {
            "files": len(files.paths),
            "records": files.num_records,
            "fingerprint": hashlib.sha256(json.dumps(stretches).encode()).hexdigest()[:16],
        },
        "masking": masking,
        "objective": {
            "masked_lm_weight": options.masked_lm_weight,
            "sentence_order_weight": options.sentence_order_weight,
        },
    }
    return dataclasses.replace(identity, training=training)


def _train(
    options: PretrainingOptions,
    run: Run,
    model: PretrainingModel,
    records: Records,
    held_out: HeldOut | None,
    strategy: tf.distribute.Strategy,
) -> bool:
    config, files = model.albert.config, records.files
    plan = run.batch_plan(options.train_batch_size, records.lengths)
    workload = _workload(options, config, records.lengths, strategy)

    def describe_batch(step: int) -> str:
        epoch, first = divmod(step * options.train_batch_size, files.num_records)
        last = first + options.train_batch_size
        return f"batch {step + 1}: examples {first + 1} to {last} of epoch {epoch + 1}"

    weights = {
        "masked_lm_weight": options.masked_lm_weight,
        "sentence_order_weight": options.sentence_order_weight,
    }
    training = Training(
        objective=functools.partial(pretraining_objective, model, **weights),
        variables=pretraining_variables(model, sentence_order=bool(options.sentence_order_weight)),
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
            masking=records.masking,
        ),
        plan=plan,
        workload=workload,
        facts=_facts(options, config, records, plan, workload),
        held_out=held_out,
        describe_batch=describe_batch,
    )
    with named_read_errors(files):
        ended = run.fit(model, training)
    if ended and run.is_chief:
        _draw_curves(options.output_dir)
    return ended


def _workload(
    options: PretrainingOptions,
    config: ModelConfig,
    lengths: Lengths,
    strategy: tf.distribute.Strategy,
) -> Workload:
    peak = options.peak_flops or matmul_peak(tf.as_dtype(options.precision))
    flops = estimates.training_flops(config, **dataclasses.asdict(lengths))
    return Workload(
        examples=options.train_batch_size,
        tokens=options.train_batch_size * lengths.max_seq_length,
        flops=options.train_batch_size * flops,
        peak=peak * strategy.num_replicas_in_sync,
    )


def _facts(
    options: PretrainingOptions,
    config: ModelConfig,
    records: Records,
    plan: BatchPlan,
    workload: Workload,
) -> dict[str, Any]:
    lengths = dataclasses.asdict(records.lengths)
    memory = estimates.training_memory(
        config,
        **lengths,
        micro_batch=plan.micro_batch,
        precision=options.precision,
        recompute=options.recomputes(config),
        accumulate=plan.micro_steps > 1,
    )
    files = records.files
    return {
        "parameters": estimates.parameters(config),
        "estimated_bytes_per_device": memory,
        "files": len(files.paths),
        "examples": files.num_records,
        "corrupt_records_left_out": files.num_skipped,
        "epochs": options.num_train_steps * options.train_batch_size / files.num_records,
        **lengths,
        "flops_per_example": workload.flops / workload.examples,
        "peak_flops_per_second": workload.peak,
    }


def _draw_curves(directory: str) -> None:
    try:
        logging.info("curves: %s", curves.plot_history(directory))
    except ValueError as error:  # matplotlib is optional
        logging.info("no curves.png: %s", error)


def _evaluate_latest(
    options: PretrainingOptions, run: Run, model: PretrainingModel, evaluation: Evaluation
) -> None:
    prefix = run.checkpoints.latest()
    if not prefix:
        raise ValueError(f"no checkpoint in {options.output_dir}; train first (--do_train=True)")
    step = run.checkpoints.steps()[-1]
    load_exactly(named_variables(model), prefix)
    metrics = evaluation.scores(step)
    if model.albert.config.lineage is Lineage.BRIGHTMART:  # whose eval_results.txt has these keys
        metrics = {
            key.replace("sentence_order_", "next_sentence_"): value
            for key, value in metrics.items()
        }
    metrics = {**metrics, "global_step": step}
    lines = [f"{key} = {metrics[key]}" for key in sorted(metrics)]
    if run.is_chief:
        write_text(os.path.join(options.output_dir, "eval_results.txt"), "\n".join(lines) + "\n")
        write_json(os.path.join(options.output_dir, "eval_results.json"), metrics)
    logging.info("evaluated %s:\n%s", prefix, "\n".join(lines))
