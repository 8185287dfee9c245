"""The only loader: stored arrays fill variables, strictly, and a plan says which fills which.

```
load_exactly   a run's own checkpoint   every variable is stored under its name
load_weights   a model to be used       every weight is stored, and nothing else but training state
load_initial   a model to be trained    as load_weights, but for the parts that belong to heads
load_meta      what the checkpoint tells of itself
```
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint import files
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import GLOBAL_STEP, LoadPlan, Shapes, initial_plan, plan_load
from albert_zh.config import ModelConfig

Variables = Mapping[str, tf.Variable]  # by checkpoint name, of `model.scope.named_variables`


def load_meta(prefix: str) -> CheckpointMeta | None:
    """The meta file beside a checkpoint of this toolkit; None beside any other.

    Raises:
        ValueError: The file is damaged.
    """
    values = files.read_meta(prefix)
    if values is None:
        return None
    try:
        return CheckpointMeta.from_json(values)
    except ValueError as error:
        raise ValueError(
            f"{files.meta_path(prefix)} is damaged: {error}; restore it, or move it away"
        ) from None


def load_exactly(variables: Variables, prefix: str) -> None:
    """Fills all variables from a checkpoint that holds them under the same names.

    Raises:
        ValueError: One of them is missing or of another shape.
    """
    stored = files.read_shapes(prefix)
    known = {name: shape for name, shape in stored.items() if name in variables}
    plan = plan_load(_shapes(variables), known)
    if complaint := plan.complaint():
        raise ValueError(f"{prefix} does not fit the model and its optimizer:\n{complaint}")
    _fill(variables, prefix, plan)


def load_weights(variables: Variables, prefix: str, config: ModelConfig) -> None:
    """Fills a model that is to be used: a checkpoint has all of its weights and no others.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is of another lineage or size, or a weight is missing or left over.
    """
    stored = files.read_shapes(prefix)
    plan = initial_plan(_shapes(variables), stored, config, new_parts=(), spare_parts=())
    _fill(variables, prefix, plan)


def load_initial(
    variables: Variables,
    prefix: str,
    config: ModelConfig,
    *,
    own_head: Sequence[str],
    other_heads: Sequence[str],
    from_group_0: bool = False,
    grow_positions: bool = False,
) -> LoadPlan:
    """Fills a model that is to be trained from the weights of a checkpoint.

    Args:
        variables: The model's, with random values.
        prefix: The checkpoint, published or our own; moments and counters in it are ignored.
        config: The model's configuration.
        own_head: Prefixes of the names that the model's head owns. What is not stored of it, or
            in another shape, keeps its random values.
        other_heads: Prefixes of the names of other heads, which may be stored without being used.
        from_group_0: Fill layer groups that are not stored from group 0.
        grow_positions: Whether the model may have more positions than are stored; the further
            ones keep their random values.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is of another lineage or size, or a name is left unexplained.
    """
    plan = initial_plan(
        _shapes(variables),
        files.read_shapes(prefix),
        config,
        new_parts=own_head,
        spare_parts=other_heads,
        from_group_0=from_group_0,
        grow_positions=grow_positions,
    )
    _fill(variables, prefix, plan)
    logging.info("loaded %d variables from %s", len(plan.loaded) + len(plan.grown), prefix)
    for name in (*plan.missing, *plan.misshapen):
        logging.warning("%s starts at random: the checkpoint has none that fits", name)
    return plan


def read_step(prefix: str) -> int | None:
    """The `global_step` of a checkpoint; None where it holds none."""
    if GLOBAL_STEP not in files.read_shapes(prefix):
        return None
    return int(files.read_arrays(prefix, [GLOBAL_STEP])[GLOBAL_STEP])


def _shapes(variables: Variables) -> Shapes:
    return {name: tuple(variable.shape) for name, variable in variables.items()}


def _fill(variables: Variables, prefix: str, plan: LoadPlan) -> None:
    arrays = files.read_arrays(prefix, {*plan.loaded.values(), *plan.grown})
    for name, source in plan.loaded.items():
        variables[name].assign(arrays[source])
    for name, rows in plan.grown.items():
        new_rows = variables[name].read_value()[rows:]
        variables[name].assign(tf.concat([arrays[name], new_rows], axis=0))
        logging.warning(
            "%s grows from %d to %d rows: the new ones start at random",
            name,
            rows,
            variables[name].shape[0],
        )
