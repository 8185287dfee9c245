"""The only loader: it fills variables from stored arrays, strictly, by a plan of names.

```
load_exactly   checkpoint of this run   every variable is stored under its name
load_weights   a model to be used       every weight is stored; only training state is unused
load_initial   a model to be trained    like load_weights, except for the parts of heads
load_meta      the meta file
```
"""

from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint import files
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import (
    GLOBAL_STEP,
    POSITIONS,
    LoadPlan,
    Shapes,
    initial_plan,
    plan_load,
)
from albert_zh.checkpoint.positions import continue_positions
from albert_zh.config import ModelConfig

Variables = Mapping[str, tf.Variable]  # by checkpoint name, of `model.scope.named_variables`

# Keys of the configuration with which weights of the same shapes compute something else.
_MEANING = ("num_attention_heads", "hidden_act", "ln_type")


def load_meta(prefix: str) -> CheckpointMeta | None:
    """The meta file of a checkpoint; None for a checkpoint of another toolkit.

    Raises:
        ValueError: The file is damaged.
    """
    values = files.read_meta(prefix)
    if values is None:
        return None
    try:
        return CheckpointMeta.from_json(values)
    except ValueError as error:
        raise files.damaged_meta(prefix, error) from None


def load_exactly(variables: Variables, prefix: str) -> None:
    """Fill all variables from a checkpoint that holds them under the same names.

    Raises:
        ValueError: A variable is missing or has another shape.
    """
    stored = files.read_shapes(prefix)
    known = {name: shape for name, shape in stored.items() if name in variables}
    plan = plan_load(_shapes(variables), known)
    if complaint := plan.complaint():
        raise ValueError(f"{prefix} does not fit the model and its optimizer:\n{complaint}")
    _fill(variables, prefix, plan)


def load_weights(variables: Variables, prefix: str, config: ModelConfig) -> None:
    """Fill a model for use; the checkpoint has to hold all of its weights and no others.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: Its lineage or a size differs, or a weight is missing or unused.
    """
    stored = files.read_shapes(prefix)
    plan = initial_plan(_shapes(variables), stored, config, optional_parts=(), ignored_parts=())
    _fill(variables, prefix, plan)


def check_configuration(
    prefix: str, config: ModelConfig, keys: Iterable[str] = _MEANING, *, source: str
) -> None:
    """Raise ValueError where the meta file tells another value of one of the keys.

    Args:
        prefix: The checkpoint; one without a meta file passes.
        config: Configuration to use it with.
        keys: By default those that the shapes of the weights do not tell.
        source: File or flag of the configuration, for the message.
    """
    theirs = (load_meta(prefix) or CheckpointMeta()).config
    if theirs is None:
        return
    stored, given = theirs.to_dict(), config.to_dict()
    for key in keys:
        if stored.get(key) != given.get(key):
            raise ValueError(
                f"{prefix} is of a model with {key} {stored.get(key)}, and {source} has "
                f"{given.get(key)}; give the configuration that came with the checkpoint"
            )


def load_initial(
    variables: Variables,
    prefix: str,
    config: ModelConfig,
    *,
    own_head: Sequence[str],
    other_heads: Sequence[str],
    random_head: bool = False,
    from_group_0: bool = False,
    extend_positions: bool = False,
    num_trained_positions: int | None = None,
) -> LoadPlan:
    """Fill a model for training from the weights of a checkpoint.

    Args:
        variables: Variables of the model, with random values.
        prefix: The checkpoint, published or our own; its moments and counters are ignored.
        config: Configuration of the model.
        own_head: Prefixes of the names that the model's head owns. Those that are not stored, or
            in another shape, keep their random values.
        other_heads: Prefixes of the names of other heads, which may be stored without being used.
        random_head: Leave the head at random even where one of its shape is stored.
        from_group_0: Fill layer groups that are not stored from group 0.
        extend_positions: Whether the model may have more positions than the checkpoint; the
            additional ones keep their random values.
        num_trained_positions: Rows of the position table to keep; the others continue them.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: Its lineage or a size differs, a name is missing or unused, its meta file tells
            another number of heads, activation or order of normalization, or the positions cannot
            be continued.
    """
    check_configuration(prefix, config, source="--bert_config_file")
    stored = files.read_shapes(prefix)
    if random_head:
        stored = {name: stored[name] for name in stored if not name.startswith(tuple(own_head))}
    plan = initial_plan(
        _shapes(variables),
        stored,
        config,
        optional_parts=own_head,
        ignored_parts=other_heads,
        from_group_0=from_group_0,
        extend_positions=extend_positions,
    )
    _fill(variables, prefix, plan)
    if num_trained_positions:
        table = variables[config.variant.stored_name(POSITIONS)]
        rows = table.read_value().numpy()
        table.assign(continue_positions(rows, num_trained_positions, source=prefix))
        logging.info("the positions after %d continue those before", num_trained_positions)
    logging.info("loaded %d variables from %s", len(plan.loaded) + len(plan.grown), prefix)
    if plan.missing:
        logging.info("%s: not taken from there, so new and at random", ", ".join(plan.missing))
    for name, (wanted, stored) in plan.misshapen.items():
        logging.warning("%s starts at random: it is %s, but %s there", name, wanted, stored)
    return plan


def read_step(prefix: str) -> int | None:
    """The `global_step` of a checkpoint; None if it has none."""
    if GLOBAL_STEP not in files.read_shapes(prefix):
        return None
    return int(files.read_arrays(prefix, [GLOBAL_STEP])[GLOBAL_STEP])


def origin_step(prefix: str) -> int | None:
    """The step of the training that the weights of a checkpoint are of, if it is noted."""
    step, meta = read_step(prefix), load_meta(prefix)
    if step is None and meta is not None and meta.converted is not None:
        return meta.converted.get("step")
    return step


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
            "%s grows from %d to %d rows: the new rows start at random",
            name,
            rows,
            variables[name].shape[0],
        )
