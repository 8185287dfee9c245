"""Match the names of a model's variables with the names in a checkpoint. Pure functions."""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Sequence

from albert_zh.config import ModelConfig
from albert_zh.train.rules.table import RULES
from albert_zh.variants import VARIANTS, Shapes

GLOBAL_STEP = "global_step"
AVERAGED_STEPS = "averaged_steps"
WORD_TABLE = "bert/embeddings/word_embeddings"  # [V, E]
POSITIONS = "bert/embeddings/position_embeddings"  # [P, E], brightmart's [P, D]
# Training state besides moments.
_COUNTERS = frozenset({GLOBAL_STEP, "loss_scale", "good_steps", AVERAGED_STEPS})
# Of a run that averages its weights, an average has the weight's name: it is what users want.
UNAVERAGED = "unaveraged"  # suffix of the weight itself
_GROUP = re.compile(r"/group_\d+/(inner_group_\d+/)")


def is_weight(name: str) -> bool:
    """True for the name of a model's weight, False for training state.

    >>> [is_weight(name) for name in ("bert/pooler/dense/bias", "bert/pooler/dense/bias/adam_m")]
    [True, False]
    """
    _, _, suffix = name.rpartition("/")
    return name not in _COUNTERS and suffix not in _slot_suffixes() | {UNAVERAGED}


def _slot_suffixes() -> set[str]:
    """Endings of the names of an update rule's slots, over all rules and lineages."""
    rows = [rule.slots for rule in RULES.values()]
    rows += [slots for variant in VARIANTS.values() for slots in variant.slots.values()]
    return set(itertools.chain(*rows))


def detect_lineage(stored: Shapes) -> str:
    """Lineage of a checkpoint, from its names and the rank of its kernels.

    Raises:
        ValueError: No lineage has such names.
    """
    for variant in VARIANTS.values():
        if variant.recognises(stored):
            return variant.name
    marks = ", ".join(f"{variant.mark} ({variant.name})" for variant in VARIANTS.values())
    raise ValueError(
        f"the checkpoint holds no ALBERT: none of {marks} among its {len(stored)} names, "
        f"such as {', '.join(sorted(stored)[:3])}"
    )


@dataclasses.dataclass(frozen=True)
class LoadPlan:
    """The stored tensor for each variable, and all names and shapes that do not match."""

    loaded: dict[str, str]  # wanted name -> stored name
    missing: list[str]  # wanted, not stored
    unused: list[str]  # stored, not wanted
    misshapen: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]  # name -> (wanted, stored)
    grown: dict[str, int] = dataclasses.field(default_factory=dict)  # table -> rows stored

    def complaint(self) -> str:
        """Names and shapes that do not match, one per line; empty if all match."""
        lines = [f"  missing    {name}" for name in self.missing]
        lines += [f"  unused     {name}" for name in self.unused]
        for name, (wanted, stored) in self.misshapen.items():
            lines.append(f"  misshapen  {name}: the model has {wanted}, the file {stored}")
        return "\n".join(lines)


def plan_load(wanted: Shapes, stored: Shapes, *, from_group_0: bool = False) -> LoadPlan:
    """Match names and shapes.

    Args:
        wanted: All variables to fill.
        stored: All arrays of the checkpoint that should be used.
        from_group_0: Fill layer groups that are not stored from group 0, and inner groups that are
            not stored there either from its inner group 0.
    """
    loaded, missing, misshapen = {}, [], {}
    for name, shape in wanted.items():
        sources = _sources(name) if from_group_0 else [name]
        source = next((source for source in sources if source in stored), None)
        if source is None:
            missing.append(name)
        elif tuple(stored[source]) != tuple(shape):
            misshapen[name] = (tuple(shape), tuple(stored[source]))
        else:
            loaded[name] = source
    used = set(loaded.values()) | set(misshapen)
    return LoadPlan(loaded, missing, [name for name in stored if name not in used], misshapen)


def _sources(name: str) -> list[str]:
    """Names of stored arrays that may fill a variable, best first."""
    in_group_0 = _GROUP.sub(r"/group_0/\1", name)
    return [name, in_group_0, _GROUP.sub("/group_0/inner_group_0/", name)]


def initial_plan(
    wanted: Shapes,
    stored: Shapes,
    config: ModelConfig,
    *,
    optional_parts: Sequence[str],
    ignored_parts: Sequence[str],
    from_group_0: bool = False,
    extend_positions: bool = False,
) -> LoadPlan:
    """Plan the load of a pretrained checkpoint into a model; training state is ignored.

    Args:
        wanted: Variables of the model.
        stored: All arrays of the checkpoint.
        config: Configuration of the model.
        optional_parts: Prefixes of names that may be missing or of another shape, and then keep
            their initial values.
        ignored_parts: Prefixes of names that may be stored without being wanted.
        from_group_0: See `plan_load`.
        extend_positions: Whether the model may have more positions than the checkpoint.

    Raises:
        ValueError: The lineage or a size differs, or a name is missing or unused.
    """
    weights = {name: shape for name, shape in stored.items() if is_weight(name)}
    _check_lineage(detect_lineage(weights), config)
    plan = plan_load(wanted, weights, from_group_0=from_group_0)
    if extend_positions:
        plan = _with_grown_positions(plan, config.variant.stored_name(POSITIONS))
    rejected = dataclasses.replace(
        plan,
        missing=_without(plan.missing, optional_parts),
        unused=_without(plan.unused, ignored_parts),
        misshapen={name: plan.misshapen[name] for name in _without(plan.misshapen, optional_parts)},
    )
    if complaint := rejected.complaint():
        hint = ""
        if not from_group_0 and any(_GROUP.search(name) for name in rejected.missing):
            hint = "; --init_from_group0 fills groups that are not stored from group 0"
        words = config.variant.stored_name(WORD_TABLE)
        wanted_words, stored_words = rejected.misshapen.get(words, ((0,), (0,)))
        if wanted_words[0] != stored_words[0]:
            hint += "; scripts/convert_checkpoint.py converts it to another vocabulary"
        raise ValueError(
            "the checkpoint does not fit the model; use the configuration that came with it"
            f"{hint}:\n{complaint}"
        )
    return plan


def _with_grown_positions(plan: LoadPlan, table: str) -> LoadPlan:
    wanted, stored = plan.misshapen.get(table, ((), ()))
    if wanted[1:] != stored[1:] or wanted <= stored:
        return plan
    misshapen = {name: shapes for name, shapes in plan.misshapen.items() if name != table}
    return dataclasses.replace(plan, misshapen=misshapen, grown={table: stored[0]})


def _without(names: Iterable[str], prefixes: Sequence[str]) -> list[str]:
    return [name for name in names if not name.startswith(tuple(prefixes))]


def _check_lineage(lineage: str, config: ModelConfig) -> None:
    if lineage != config.lineage:
        raise ValueError(
            f"the checkpoint is of the {lineage} lineage, the configuration of the "
            f"{config.lineage} lineage; use the configuration that came with the checkpoint "
            f"({VARIANTS[lineage].config_hint})"
        )
