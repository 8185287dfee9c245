"""Matching the names a model wants with the names a checkpoint holds. Pure functions."""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Sequence

from albert_zh.config import ModelConfig
from albert_zh.train.rules.table import RULES
from albert_zh.variants import VARIANTS, Shapes

GLOBAL_STEP = "global_step"
WORD_TABLE = "bert/embeddings/word_embeddings"  # [V, E]
POSITIONS = "bert/embeddings/position_embeddings"  # [P, E], brightmart's [P, D]
# What a trainer counts, beside its moments.
_COUNTERS = frozenset({GLOBAL_STEP, "loss_scale", "good_steps"})
_GROUP = re.compile(r"/group_\d+/(inner_group_\d+/)")


def is_weight(name: str) -> bool:
    """True for the name of a model's weight, False for training state.

    >>> [is_weight(name) for name in ("bert/pooler/dense/bias", "bert/pooler/dense/bias/adam_m")]
    [True, False]
    """
    _, _, suffix = name.rpartition("/")
    return name not in _COUNTERS and suffix not in _slot_suffixes()


def _slot_suffixes() -> set[str]:
    """Endings of the names under which any lineage stores what an update rule keeps."""
    rows = [rule.slots for rule in RULES.values()]
    rows += [slots for variant in VARIANTS.values() for slots in variant.slots.values()]
    return set(itertools.chain(*rows))


def detect_lineage(stored: Shapes) -> str:
    """The lineage that wrote a checkpoint, by its names and the rank of its kernels.

    Raises:
        ValueError: No published ALBERT has such names.
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
    """The stored tensor that fills each variable, and everything that does not fit."""

    loaded: dict[str, str]  # wanted name -> stored name
    missing: list[str]  # wanted, not stored
    unused: list[str]  # stored, not wanted
    misshapen: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]  # name -> (wanted, stored)
    grown: dict[str, int] = dataclasses.field(default_factory=dict)  # table -> rows stored

    def complaint(self) -> str:
        """Everything that does not fit, a line a name; empty where all fits."""
        lines = [f"  missing    {name}" for name in self.missing]
        lines += [f"  unused     {name}" for name in self.unused]
        for name, (wanted, stored) in self.misshapen.items():
            lines.append(f"  misshapen  {name}: the model has {wanted}, the file {stored}")
        return "\n".join(lines)


def plan_load(wanted: Shapes, stored: Shapes, *, from_group_0: bool = False) -> LoadPlan:
    """Matches names and shapes.

    Args:
        wanted: Every variable to fill.
        stored: Everything the checkpoint holds that should be used.
        from_group_0: Fill groups that are not stored from group 0; inner groups that are not
            stored there either, from its inner group 0.
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
    """Stored names that may fill a variable, the best first."""
    in_group_0 = _GROUP.sub(r"/group_0/\1", name)
    return [name, in_group_0, _GROUP.sub("/group_0/inner_group_0/", name)]


def initial_plan(
    wanted: Shapes,
    stored: Shapes,
    config: ModelConfig,
    *,
    new_parts: Sequence[str],
    spare_parts: Sequence[str],
    from_group_0: bool = False,
    grow_positions: bool = False,
) -> LoadPlan:
    """The plan to start a model from a pretrained checkpoint; training state in it is ignored.

    Args:
        wanted: The model's variables.
        stored: The whole checkpoint.
        config: The model's configuration.
        new_parts: Prefixes of names that may be missing or of another shape, and then start anew.
        spare_parts: Prefixes of names that may be stored without being wanted.
        from_group_0: See `plan_load`.
        grow_positions: Whether the model may have more positions than are stored.

    Raises:
        ValueError: The checkpoint is of another lineage or size, or a name is left unexplained.
    """
    weights = {name: shape for name, shape in stored.items() if is_weight(name)}
    _check_lineage(detect_lineage(weights), config)
    plan = plan_load(wanted, weights, from_group_0=from_group_0)
    if grow_positions:
        plan = _with_grown_positions(plan, config.variant.stored_name(POSITIONS))
    unexplained = dataclasses.replace(
        plan,
        missing=_without(plan.missing, new_parts),
        unused=_without(plan.unused, spare_parts),
        misshapen={name: plan.misshapen[name] for name in _without(plan.misshapen, new_parts)},
    )
    if complaint := unexplained.complaint():
        hint = ""
        if not from_group_0 and any(_GROUP.search(name) for name in unexplained.missing):
            hint = "; --init_from_group0 fills groups that are not stored from group 0"
        words = config.variant.stored_name(WORD_TABLE)
        wanted_words, stored_words = unexplained.misshapen.get(words, ((0,), (0,)))
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
            f"({VARIANTS[lineage].way_out})"
        )
