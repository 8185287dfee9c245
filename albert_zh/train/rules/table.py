"""Table of the update rules. No TensorFlow: flags, checkpoint names and estimates use it."""

import dataclasses
import importlib
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Rule:
    """An update rule. Its module has a pure function

        update(grad, param, *slots, learning_rate=..., weight_decay=..., ...) -> (param, *slots)

    from a gradient, a parameter and its slots to the new values of parameter and slots. It may
    have further arguments with defaults, which a lineage's row in `variants` may set.
    """

    name: str  # value of --optimizer
    slots: tuple[str, ...]  # suffixes of the slots' names, for every variable
    module: str

    def load_update(self) -> Callable:
        """Import TensorFlow and return the function `update`."""
        return importlib.import_module(self.module).update


ADAMW = Rule("adamw", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.adamw")
LAMB = Rule("lamb", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.lamb")

RULES = {rule.name: rule for rule in (ADAMW, LAMB)}


def find_rule(name: str) -> Rule:
    """The update rule of a name.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in RULES:
        raise ValueError(f"--optimizer={name} is no update rule; choose one of {', '.join(RULES)}")
    return RULES[name]
