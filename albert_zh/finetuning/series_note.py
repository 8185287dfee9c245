"""The note of several trainings in one directory: `scores.json`.

```
{"series": "seeds", "metric": "accuracy",
 "flags": {"learning_rate": 0.0001, ...},                          shared by all runs
 "runs": {"seed_12345": {"flags": {"random_seed": 12345}, "data": {"train": "5e...", ...},
                         "checkpoint": "model.ckpt-64",
                         "dev": {"accuracy": 0.87, "loss": 0.31}, "test": {...}}, ...},
 "mean": {"dev": {...}}, "standard_deviation": {"dev": {...}}, "best": "seed_12345"}
```
A run stands in it once it is finished. No TensorFlow.
"""

import dataclasses
import json
import math
import os
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from albert_zh.checkpoint.paths import run_steps
from albert_zh.flags import with_values
from albert_zh.util.small_files import read_text_if_exists

FILE = "scores.json"

# Flags that may differ when a series goes on: those of the machine, and of the work to be done.
_MAY_DIFFER = frozenset(
    {
        "output_dir",
        "num_seeds",
        "do_train",
        "do_eval",
        "do_predict",
        "input_file",
        "eval_batch_size",
        "predict_batch_size",
        "keep_checkpoint_max",
        "keep_checkpoint_every_n_hours",
        "iterations_per_loop",
        "log_steps",
        "micro_batch_size",
        "xla",
        "recompute",
        "stall_minutes",
        "worker_hosts",
        "task_index",
        "use_tpu",
        "tpu_name",
        "tpu_zone",
        "gcp_project",
        "num_tpu_cores",
    }
)


@dataclasses.dataclass(frozen=True)
class Series:
    """Several trainings in one directory."""

    kind: str  # seeds, folds or points of a grid
    options: Any  # a dataclass of flags that all of them share; output_dir is the directory
    runs: Mapping[str, Mapping[str, Any]]  # folder -> the flags of the run that are its own

    @property
    def directory(self) -> str:
        return self.options.output_dir

    def run_options(self, name: str) -> Any:
        """The flags of a run."""
        directory = os.path.join(self.directory, name)
        return with_values(self.options, {**self.runs[name], "output_dir": directory})


def read_note(directory: str) -> dict[str, Any] | None:
    """The note of a directory; None where there is none.

    Raises:
        ValueError: It is damaged.
    """
    path = os.path.join(directory, FILE)
    text = read_text_if_exists(path)
    if text is None:
        return None
    try:
        note = json.loads(text)
        return {**note, "runs": dict(note["runs"]), "flags": dict(note["flags"])}
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is damaged; move it away, and what is finished is scored again, not trained"
        ) from None


def check_series(series: Series) -> None:
    """Check that a directory is new, or holds this series.

    Raises:
        ValueError: It holds another one, or a run of its own.
    """
    directory, other = series.directory, "choose another --output_dir"
    note = read_note(directory)
    if note is None:
        if "://" not in directory and run_steps(directory):
            raise ValueError(f"{directory} holds a single run, so it has no room for more; {other}")
        return
    if note.get("series") != series.kind:
        raise ValueError(f"{directory} holds runs of other {note.get('series')}; {other}")
    # Flags that the program did not have then are as their defaults now.
    defaults = {field.name: field.default for field in dataclasses.fields(series.options)}
    before = {**defaults, **note["flags"]}
    now = json.loads(json.dumps(dataclasses.asdict(series.options)))
    changed = [name for name in now if name not in _MAY_DIFFER and before[name] != now[name]]
    if changed:
        text = ", ".join(f"--{name} was {before[name]}, not {now[name]}" for name in changed)
        raise ValueError(f"{directory} holds runs of other flags: {text}; give those, or {other}")
    if lost := [name for name in note["runs"] if name not in series.runs]:
        raise ValueError(
            f"{directory} holds runs that these flags leave out, such as {lost[0]}; ask for them, "
            f"too, or {other}"
        )


def is_finished(
    note: Mapping[str, Any] | None, name: str, *, flags: Mapping[str, Any], data: Mapping[str, str]
) -> bool:
    """True if a run was done with these flags, and for at least these data.

    Args:
        note: Of the directory.
        name: Folder of the run.
        flags: Those of its own.
        data: Fingerprints of the data, by split.
    """
    run = (note or {"runs": {}})["runs"].get(name)
    return bool(run and run["flags"] == flags and {**run["data"], **data} == run["data"])


def make_note(series: Series, runs: Mapping[str, Mapping[str, Any]], *, metric: str) -> dict:
    """The note of the runs that are finished, in the order of the series."""
    ordered = {name: runs[name] for name in series.runs if name in runs}
    flags = dataclasses.asdict(series.options)
    del flags["output_dir"]  # It may be moved; and equal runs have equal notes.
    note: dict[str, Any] = {
        "series": series.kind,
        "metric": metric,
        "flags": flags,
        "runs": ordered,
    }
    if len(ordered) > 1:
        note["mean"] = _over(ordered.values(), statistics.fmean)
        note["standard_deviation"] = _over(ordered.values(), statistics.stdev)
    if ordered:
        note["best"] = best_first(ordered, metric)[0]
    return note


def _over(
    runs: Iterable[Mapping[str, Any]], measure: Callable[[list[float]], float]
) -> dict[str, dict[str, float]]:
    """A measure of each metric over the runs, for the splits that all were scored on."""
    runs = list(runs)
    return {
        split: {
            metric: measure([run[split][metric] for run in runs])
            for metric in runs[0][split]
            if all(metric in run[split] for run in runs)
        }
        for split in ("dev", "test")
        if all(split in run for run in runs)
    }


def best_first(runs: Mapping[str, Mapping[str, Any]], metric: str) -> list[str]:
    """Names of the runs, the best on the validation set first; of equals, that of less loss."""
    sign = -1 if metric.startswith("-") else 1

    def rank(name: str) -> tuple[float, float]:
        scores = runs[name]["dev"]
        value = sign * scores[metric.removeprefix("-")]
        return (math.inf if math.isnan(value) else -value, scores.get("loss", math.inf))

    return sorted(runs, key=rank)
