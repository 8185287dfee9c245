"""The initial weights of a run.

1. The newest checkpoint of the output directory: the run resumes where it stopped (`runs.fit`).
2. `--init_checkpoint`: the weights alone, with new moments, from step 0.
3. Random values, a function of the seed.
"""

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.fingerprint import weights_fingerprint
from albert_zh.checkpoint.loading import load_initial, load_meta
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.names import LoadPlan
from albert_zh.checkpoint.paths import find_checkpoint, run_steps
from albert_zh.model.heads import catalog
from albert_zh.model.scope import named_variables
from albert_zh.runs.directory import RunDirectory
from albert_zh.runs.identity import GONE, RANDOM
from albert_zh.runs.options import RunOptions


def initial_checkpoint(options: RunOptions) -> str | None:
    """The checkpoint that --init_checkpoint stands for; None without one.

    A run that has checkpoints of its own does not need it any more: it may be gone then.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The flag names a folder of several.
    """
    if not options.init_checkpoint:
        return None
    try:
        return find_checkpoint(options.init_checkpoint, flag="init_checkpoint")
    except FileNotFoundError:
        if run_steps(options.output_dir):
            return None
        raise


def initial_fingerprint(options: RunOptions) -> str | None:
    """Fingerprint of the weights that a run began with, by its flags; None where they do not tell.

    A run that has checkpoints of its own may be resumed without the flag.
    """
    if prefix := initial_checkpoint(options):
        return weights_fingerprint(prefix)
    if options.init_checkpoint:
        logging.warning(
            "--init_checkpoint=%s does not exist any more; the run has checkpoints of its own and "
            "goes on without it",
            options.init_checkpoint,
        )
        return GONE
    return None if run_steps(options.output_dir) else RANDOM


def task_difference(prefix: str, task: TaskMeta) -> str | None:
    """Reason why the head of a checkpoint cannot do a task; None where it can, or is not known."""
    theirs = (load_meta(prefix) or CheckpointMeta()).task
    return theirs and theirs.difference(kind=task.kind, labels=task.labels)


def check_complete(prefix: str, loaded: LoadPlan) -> None:
    """Raise ValueError where a checkpoint left weights at random: its scores would mean nothing."""
    if lacking := [*loaded.missing, *loaded.misshapen]:
        raise ValueError(
            f"{prefix} cannot be evaluated, because it lacks {', '.join(lacking)}; train it first "
            "(--do_train=True)"
        )


def load_initial_weights(
    run: RunDirectory, model: tf.Module, *, extend_positions: bool = False
) -> LoadPlan:
    """Load --init_checkpoint, if given, unless there is a run to resume.

    Args:
        run: Its flags name the checkpoint.
        model: One of `model.heads.catalog`, random; its head may stay random.
        extend_positions: Whether the model may have more positions than are stored; the extra ones
            stay random.

    Returns:
        The weights that were loaded and those that were not; empty where nothing was loaded.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It does not fit the model.
    """
    options, nothing = run.options, LoadPlan({}, [], [], {})
    if latest := run.checkpoints.latest():
        if options.init_checkpoint:
            logging.info("the run goes on from %s, so --init_checkpoint is not read", latest)
        return nothing
    prefix = initial_checkpoint(options)
    if not prefix:
        logging.info("starting from random weights, seed %d", options.random_seed)
        return nothing
    difference = run.identity.task and task_difference(prefix, run.identity.task)
    if difference:
        logging.warning("the head of %s is not loaded: %s", prefix, difference)
    return load_initial(
        named_variables(model),
        prefix,
        run.config,
        own_head=model.stored_names,
        other_heads=[
            name
            for other in catalog.MODELS
            for name in other.stored_names
            if name not in model.stored_names
        ],
        random_head=bool(difference),
        from_group_0=options.init_from_group0,
        extend_positions=extend_positions,
        num_trained_positions=options.trained_positions,
    )
