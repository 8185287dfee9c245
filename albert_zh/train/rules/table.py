"""The update rules, a row each. No TensorFlow: flags, checkpoint names and estimates read them."""

import dataclasses
import importlib
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Rule:
    """An update rule, which turns gradients into steps.

    Its module has a pure function

        update(grad, param, *slots, learning_rate=..., weight_decay=..., ...) -> (param, *slots)

    from a gradient, a parameter and what the rule keeps for it to their new values. It may take
    further arguments that have defaults; a lineage's row in `variants` may set them.
    """

    name: str  # value of --optimizer
    slots: tuple[str, ...]  # suffixes of the names of what it keeps for every variable
    module: str

    def load_update(self) -> Callable:
        """The function `update`; imports TensorFlow."""
        return importlib.import_module(self.module).update


ADAMW = Rule("adamw", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.adamw")
LAMB = Rule("lamb", slots=("adam_m", "adam_v"), module="albert_zh.train.rules.lamb")

RULES = {rule.name: rule for rule in (ADAMW, LAMB)}


def find_rule(name: str) -> Rule:
    """The row of an update rule.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in RULES:
        raise ValueError(f"--optimizer={name} is no update rule; choose one of {', '.join(RULES)}")
    return RULES[name]
