"""The weights that a run starts with.

1. The newest checkpoint of the output directory: the run resumes where it stopped (`runs.fit`).
2. `--init_checkpoint`: the weights alone, with new moments, from step 0.
3. Random values, a function of the seed.
"""

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.loading import load_initial
from albert_zh.checkpoint.names import LoadPlan
from albert_zh.model.heads import catalog
from albert_zh.model.scope import named_variables
from albert_zh.runs.directory import RunDirectory


def load_first_weights(
    run: RunDirectory, model: tf.Module, *, grow_positions: bool = False
) -> LoadPlan:
    """Fill the model from the initial checkpoint, if there is one and nothing to resume.

    Args:
        run: Its flags name the checkpoint.
        model: One of `model.heads.catalog`, with random values. Its head may keep them.
        grow_positions: Whether the model may have more positions than are stored; the further
            ones keep their random values.

    Returns:
        The weights that were loaded and those that were not; empty where nothing was loaded.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It does not fit the model.
    """
    options, nothing = run.options, LoadPlan({}, [], [], {})
    if run.checkpoints.latest():
        return nothing
    if not options.init_checkpoint:
        logging.info("starting from random weights, seed %d", options.random_seed)
        return nothing
    return load_initial(
        named_variables(model),
        options.init_checkpoint,
        run.config,
        own_head=model.stored_names,
        other_heads=[
            name
            for other in catalog.MODELS
            for name in other.stored_names
            if name not in model.stored_names
        ],
        from_group_0=options.init_from_group0,
        grow_positions=grow_positions,
    )
