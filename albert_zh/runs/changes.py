"""Flags that change the course of a run when it is resumed, such as its learning rate.

Most flags of a training belong to its identity, which refuses another value, or do not matter to
the weights. These may change, for they are often changed on purpose; but a flag that is left out
changes, too, if it was given before, so a change is said.
"""

from collections.abc import Mapping
from typing import Any

from absl import logging

from albert_zh.runs.options import RunOptions

_OF_THE_COURSE = (
    "learning_rate",
    "num_train_steps",
    "num_train_epochs",
    "num_warmup_steps",
    "warmup_proportion",
    "start_warmup_step",
    "poly_power",
    "precision",
    "early_stopping",
)


def warn_of_changes(options: RunOptions, stored: Mapping[str, Any] | None, *, step: int) -> None:
    """Name the flags that change the course of a run, and their values before.

    Args:
        options: The flags now.
        stored: Those that the newest checkpoint was saved with; None where it does not tell them.
        step: That of the checkpoint.
    """
    before, now = stored or {}, vars(options)
    changed = [
        name for name in _OF_THE_COURSE if name in now and before.get(name, now[name]) != now[name]
    ]
    if step and changed:
        logging.warning(
            "%s: from step %d on, %s; to go on as before, give %s",
            options.output_dir,
            step,
            ", ".join(f"--{name} is {now[name]} (it was {before[name]})" for name in changed),
            " ".join(f"--{name}={before[name]}" for name in changed),
        )
