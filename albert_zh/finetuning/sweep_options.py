"""Flags of a sweep: those of a fine-tuning, and the grid of the values to try.

```
--grid="learning_rate=1e-4,2e-4 train_batch_size=32,64"
    learning_rate=0.0001,train_batch_size=32     {"learning_rate": 0.0001, "train_batch_size": 32}
    learning_rate=0.0001,train_batch_size=64     ...
```
"""

import dataclasses
import itertools
import os
from typing import Any

from absl import flags as absl_flags

from albert_zh.finetuning.data_options import DataOptions
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.series_note import Series, check_series
from albert_zh.flags import REQUIRED, option, parse_flags, with_values

# Flags of the task and of its data: with others, scores cannot be compared.
_OF_DATA = {field.name for field in dataclasses.fields(DataOptions)} - {"train_file"}
# Flags of the sweep itself.
_SHARED = ("output_dir", "do_train", "do_eval", "do_predict", "num_seeds", "num_folds", "fold")


@dataclasses.dataclass(frozen=True)
class SweepOptions(ClassifierOptions):
    """Flags of the grid."""

    grid: str = option(
        REQUIRED,
        "Flags of run_classifier.py and values to try, such as "
        "'learning_rate=1e-4,2e-4 train_batch_size=32,64'; every combination is trained.",
    )

    def __post_init__(self):
        for name in ("do_train", "do_eval"):  # There is no sweep without.
            object.__setattr__(self, name, True)
        super().__post_init__()

    def check(self) -> None:
        series = self.series()
        for name in series.runs:
            series.run_options(name).check()
        check_series(series)

    def series(self) -> Series:
        """The points of the grid, as runs; test data are for the best one alone.

        Raises:
            ValueError: The grid is malformed, or names a flag or a value that does not exist.
        """
        names = {field.name for field in dataclasses.fields(ClassifierOptions)}
        shared = ClassifierOptions(**{name: getattr(self, name) for name in names})
        grid, runs = read_grid(self.grid), {}
        if "train_file" in grid and shared.source_of("dev") == "train":
            raise ValueError(
                "--grid: each train_file would have a validation set of its own, so that scores "
                "could not be compared; give one with --dev_file or --data_dir"
            )
        for values in itertools.product(*grid.values()):
            flags = dict(zip(grid, values, strict=True))
            name = ",".join(f"{flag}={value}" for flag, value in flags.items())
            runs[name.replace(os.sep, "_")] = flags
        return Series("points", with_values(shared, {"do_predict": False}), runs)


def read_grid(text: str) -> dict[str, list[Any]]:
    """Flags and the values to try.

    >>> read_grid("learning_rate=1e-4,2e-4 optimizer=adamw")
    {'learning_rate': [0.0001, 0.0002], 'optimizer': ['adamw']}

    Raises:
        ValueError: The text has another form, or names a flag or a value that does not exist.
    """
    grid: dict[str, list[Any]] = {}
    for part in text.split():
        name, mark, values = part.partition("=")
        if not mark:
            raise ValueError(f"--grid: {part} has no values; write FLAG=VALUE,VALUE ...")
        if name in _SHARED:
            raise ValueError(f"--grid: {name} is the same for all points; leave it out of the grid")
        if name in _OF_DATA:
            raise ValueError(
                f"--grid: scores with another {name} could not be compared; give --{name} once, as "
                "a flag of its own"
            )
        if name == "random_seed":
            raise ValueError("--grid: seeds are repetitions, not choices; give --num_seeds")
        if name in grid:
            raise ValueError(f"--grid names {name} twice; write {name}=VALUE,VALUE")
        grid[name] = [_read_value(name, value) for value in values.split(",")]
        if len({*grid[name]}) < len(grid[name]):
            raise ValueError(f"--grid: {part} has a value twice; leave one out")
    if not grid:
        raise ValueError("--grid is empty; write FLAG=VALUE,VALUE ...")
    return grid


def _read_value(name: str, text: str) -> Any:
    """The value of a flag, as on a command line."""
    try:
        (options,) = parse_flags(
            ["", "--output_dir=.", f"--{name}={text}"],
            ClassifierOptions,
            flag_values=absl_flags.FlagValues(),
        )
        return getattr(options, name)
    except AttributeError:
        raise ValueError(f"--grid: {name} is a second name of a flag; use the first") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"--grid: {error}") from None
