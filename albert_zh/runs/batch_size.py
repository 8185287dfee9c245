"""Division of a step's examples: over the replicas, and into micro batches that fit in memory."""

import dataclasses

from albert_zh import estimates
from albert_zh.config import ModelConfig
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.options import RunOptions
from albert_zh.runs.spec import Lengths
from albert_zh.train.agreement import broadcast_from_chief
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.devices import memory_limit
from albert_zh.train.rules.table import Rule


def plan_batch(run: RunDirectory, global_batch: int, lengths: Lengths, rule: Rule) -> BatchPlan:
    """Plan from --micro_batch_size, else the resumed checkpoint, else device memory.

    A resumed run divides batches as before, so that its results are bit-identical.

    Raises:
        ValueError: The batch is not divisible, or no example fits.
    """
    replicas = run.strategy.num_replicas_in_sync
    micro_batch = run.options.micro_batch_size
    if not micro_batch:
        before = run.checkpoints.latest_meta().batch_plan or {}
        if before.get("num_replicas") == replicas and before.get("global_batch") == global_batch:
            micro_batch = before["micro_batch"]
    if micro_batch:
        return BatchPlan.make(global_batch, num_replicas=replicas, micro_batch=micro_batch)
    return plan_within_memory(
        global_batch,
        lengths,
        rule,
        options=run.options,
        config=run.config,
        num_replicas=replicas,
        memory=broadcast_from_chief(run.strategy, memory_limit() or 0),
    )


def plan_within_memory(
    global_batch: int,
    lengths: Lengths,
    rule: Rule,
    *,
    options: RunOptions,
    config: ModelConfig,
    num_replicas: int,
    memory: int,
) -> BatchPlan:
    """The plan with the largest micro batches that a device is estimated to hold.

    Args:
        global_batch: Examples of an optimizer step.
        lengths: Sizes of an example.
        rule: Update rule, for which a device keeps moments.
        options: Precision and recomputation.
        config: Of the model.
        num_replicas: Devices that share the batch.
        memory: Bytes of one device; 0 if unknown: no micro batches then.

    Raises:
        ValueError: The batch does not divide, or not even one example fits.
    """
    if not memory:
        return BatchPlan.make(global_batch, num_replicas=num_replicas)
    limit = estimates.largest_micro_batch(
        config,
        memory=memory,
        **dataclasses.asdict(lengths),
        precision=options.precision,
        recompute=options.should_recompute(config),
        optimizer=rule.name,
    )
    if limit < 1:
        raise ValueError(
            f"even one example at a time needs more than the device's {memory / 1e9:.1f} GB of "
            f"memory; set --recompute=True or --precision=bfloat16, or choose "
            "shorter records or a smaller model (--micro_batch_size=1 tries anyway)"
        )
    return BatchPlan.within(global_batch, num_replicas=num_replicas, limit=limit)
