"""The training that the flags and the records of a pretraining describe, and its identity."""

import dataclasses
import functools
from typing import Any

import tensorflow as tf

from albert_zh import estimates
from albert_zh.checkpoint.meta import CheckpointMeta, VocabularyIdentity
from albert_zh.checkpoint.names import LoadPlan
from albert_zh.config import ModelConfig
from albert_zh.input.batches import training_batches
from albert_zh.masking.options import DEFAULT_MASKING, MaskingOptions
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.objectives.pretraining import pretraining_objective, pretraining_variables
from albert_zh.pretraining.data import Records
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.runs.batch_size import plan_batch
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.identity import INITIAL_WEIGHTS
from albert_zh.runs.initial_weights import initial_fingerprint
from albert_zh.runs.spec import TrainingSpec, Validation
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.devices import should_compile
from albert_zh.train.peak import matmul_peak
from albert_zh.train.rows import Workload
from albert_zh.train.rules.table import find_rule
from albert_zh.train.schedules import ScheduleOptions
from albert_zh.util.files import sha256_of_file


def run_identity(
    options: PretrainingOptions, config: ModelConfig, records: Records
) -> CheckpointMeta:
    """Facts that stay the same when a run is resumed; number of steps and rate may change."""
    files = records.files
    vocabulary = VocabularyIdentity.from_json(files.vocabulary) if files.vocabulary else None
    identity = CheckpointMeta(config=config, vocabulary=vocabulary)
    if not options.do_train:
        return identity
    masking = None
    if records.masking:
        masking = {
            field.name: getattr(options, field.name) for field in dataclasses.fields(MaskingOptions)
        }
        # What the flags mean, whichever of them are spelled out.
        masking |= {
            "masking": options.masking or DEFAULT_MASKING,
            "replace_per": records.masking.replace_per.value,
            "similar_words": options.similar_words and sha256_of_file(options.similar_words),
            **dataclasses.asdict(records.lengths),
        }
    training = {
        INITIAL_WEIGHTS: initial_fingerprint(options),
        "train_batch_size": options.train_batch_size,
        "random_seed": options.random_seed,
        "training_data": {
            "files": len(files.paths),
            "records": files.num_records,
            # The order of the data is a function of it.
            "fingerprint": files.fingerprint,
        },
        "masking": masking,
        "objective": _loss_weights(options),
    }
    return dataclasses.replace(identity, training=training)


def training_spec(
    run: RunDirectory,
    model: PretrainingModel,
    records: Records,
    initial_weights: LoadPlan,
    validation: Validation,
) -> TrainingSpec:
    """The training of a model on records, as the flags of the run say.

    Raises:
        ValueError: The batch does not divide, or not even one example fits in memory.
    """
    options, files = run.options, records.files
    rule = find_rule(options.optimizer)
    plan = plan_batch(run, options.train_batch_size, records.lengths, rule)
    workload = _workload(run, records)

    def describe_batch(step: int) -> str:
        epoch, first = divmod(step * options.train_batch_size, files.num_records)
        last = first + options.train_batch_size
        return f"batch {step + 1}: examples {first + 1} to {last} of epoch {epoch + 1}"

    return TrainingSpec(
        objective=functools.partial(pretraining_objective, model, **_loss_weights(options)),
        variables=pretraining_variables(model, sentence_order=bool(options.sentence_order_weight)),
        rule=rule,
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
        xla=should_compile(options.xla, one_length=True),
        workload=workload,
        initial_weights=initial_weights,
        facts=_facts(options, run.config, records, plan, workload),
        validation=validation,
        describe_batch=describe_batch,
    )


def _loss_weights(options: PretrainingOptions) -> dict[str, float]:
    return {
        "masked_lm_weight": options.masked_lm_weight,
        "sentence_order_weight": options.sentence_order_weight,
    }


def _workload(run: RunDirectory, records: Records) -> Workload:
    options, lengths = run.options, records.lengths
    peak = options.peak_flops or matmul_peak(tf.as_dtype(options.precision))
    flops = estimates.training_flops(run.config, **dataclasses.asdict(lengths))
    return Workload(
        examples=options.train_batch_size,
        tokens=options.train_batch_size * lengths.max_seq_length,
        flops=options.train_batch_size * flops,
        peak=peak * run.strategy.num_replicas_in_sync,
    )


def _facts(
    options: PretrainingOptions,
    config: ModelConfig,
    records: Records,
    plan: BatchPlan,
    workload: Workload,
) -> dict[str, Any]:
    """Rows of the report `run.json` that only a pretraining has."""
    files, lengths = records.files, dataclasses.asdict(records.lengths)
    memory = estimates.training_memory(
        config,
        **lengths,
        micro_batch=plan.micro_batch,
        precision=options.precision,
        recompute=options.should_recompute(config),
        accumulate=plan.micro_steps > 1,
        optimizer=options.optimizer,
    )
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
