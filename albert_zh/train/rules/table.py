"""Table of the update rules. No TensorFlow: flags, checkpoint names and estimates use it."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Rule:
    """An update rule. Its module has a pure function

        update(grad, param, *slots, learning_rate=..., weight_decay=..., ...) -> (param, *slots)

    from a gradient, a parameter and its slots to the new values of parameter and slots. It may
    have further arguments with defaults, which a lineage's row in `variants` or `kernels` may set.
    """

    name: str  # value of --optimizer
    slots: tuple[str, ...]  # suffixes of the slots' names, for every variable
    module: str
    # Further arguments of `update` for the kernels of dense layers, which have two axes.
    kernels: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def load_update(self) -> Callable:
        """Import TensorFlow and return the function `update`."""
        return importlib.import_module(self.module).update


ADAMW = Rule("adamw", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.adamw")
LAMB = Rule("lamb", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.lamb")
MUON = Rule(
    "muon",
    slots=("muon_m", "muon_v"),
    module="albert_zh.train.rules.muon",
    kernels={"is_kernel": True},
)

OPTIMIZER_HELP = (  # of flags
    "Optimizer. muon: steps of equal strength in all directions for the matrices of layers, AdamW "
    "for the rest."
)
RULES = {rule.name: rule for rule in (ADAMW, LAMB, MUON)}


def find_rule(name: str) -> Rule:
    """The update rule of a name.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in RULES:
        raise ValueError(f"--optimizer={name} is no update rule; choose one of {', '.join(RULES)}")
    return RULES[name]
