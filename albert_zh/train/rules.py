"""Names of the update rules, for flags: this module needs no TensorFlow."""

import enum


class Rule(enum.Enum):
    """Update rule that turns gradients into steps."""

    ADAMW = "adamw"
    LAMB = "lamb"
