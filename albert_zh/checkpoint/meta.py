"""Typed content of `model.ckpt-N.meta.json`: facts about a checkpoint besides its arrays.

```
{"step": 200,                                        "stays": ..., "awaiting_since": ...
 "config": {...},                                    the model
 "vocabulary": {"fingerprint": "...", "size": 21128},
 "task": {"name": "lcqmc", "labels": ["0", "1"], ...},          only of a fine-tuned model
 "training_data": ..., "random_seed": ..., ...       settings that may not change in a run
 "batch_plan": {...}, "options": {...}, "unrecorded": {...}}
```
No TensorFlow; `albert_zh.checkpoint.loading.load_meta` reads the file.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from albert_zh.config import ModelConfig, Pooling

# Key of `CheckpointMeta.training`: a fingerprint of the checkpoint that a run began with; or
INITIAL_WEIGHTS = "initial_weights"
RANDOM = "random"  # no checkpoint gave them
GONE = "gone"  # that checkpoint does not exist any more


@dataclasses.dataclass(frozen=True)
class VocabularyIdentity:
    """Identity of a vocabulary, as stored in checkpoints and manifests of records."""

    fingerprint: str  # SHA-256 of its entries
    size: int  # entries

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "VocabularyIdentity":
        return cls(fingerprint=values["fingerprint"], size=values["size"])


@dataclasses.dataclass(frozen=True)
class TaskMeta:
    """The task of a fine-tuned model; None stands for an unknown value."""

    name: str | None
    labels: tuple[str, ...]  # the position of a label is its id
    max_seq_length: int | None  # tokens per example in training
    pooling: Pooling
    do_lower_case: bool | None
    kind: str = "classification"  # name of the kind of task, which earlier files lack
    num_texts: int | None = None  # 1, or 2 for pairs; earlier files lack it

    def to_json(self) -> dict[str, Any]:
        values = {"labels": list(self.labels), "pooling": self.pooling.value}
        values = {**dataclasses.asdict(self), **values}
        if self.num_texts is None:
            del values["num_texts"]
        return values

    def difference(self, *, kind: str, labels: tuple[str, ...]) -> str | None:
        """Reason why the model cannot do a task of this kind with these labels; None: it can."""
        if self.kind != kind:
            return f"it was trained for {self.kind}, this task is of the kind {kind}"
        # Choices are scored one by one, so that their number may differ.
        if kind != "choice" and self.labels != labels:
            return f"its labels are {_listed(self.labels)}, those of this task {_listed(labels)}"
        return None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TaskMeta":
        labels, length = values["labels"], values["max_seq_length"]
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels are {labels!r}; expected a list of texts")
        if length is not None and not (isinstance(length, int) and length > 0):
            raise ValueError(f"max_seq_length is {length!r}; expected a number of tokens")
        return cls(
            name=values["name"],
            labels=tuple(labels),
            max_seq_length=length,
            pooling=Pooling(values["pooling"]),
            do_lower_case=values["do_lower_case"],
            kind=values.get("kind", cls.kind),
            num_texts=values.get("num_texts"),
        )


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "none"


@dataclasses.dataclass(frozen=True)
class CheckpointMeta:
    """Content of a meta file; values that are None or empty are left out of the file.

    The identity of a run is a `CheckpointMeta` too, with the values that all of its checkpoints
    share: `config`, `vocabulary`, `task` and `training`.
    """

    step: int | None = None
    # Whether the checkpoint is kept forever (--keep_checkpoint_every_n_hours), and the start of the
    # interval for the next one, in seconds since 1970.
    stays: bool | None = None
    awaiting_since: float | None = None
    config: ModelConfig | None = None
    vocabulary: VocabularyIdentity | None = None
    task: TaskMeta | None = None
    # Data and their order, and initial weights of the run: JSON values by key.
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batch_plan: Mapping[str, int] | None = None  # fields of `train.batch_plan.BatchPlan`
    options: Mapping[str, Any] | None = None  # flags of the run
    # Sums of metrics over the steps since the last row of the history.
    unrecorded: Mapping[str, Any] | None = None
    converted: Mapping[str, Any] | None = None  # source and flags of a conversion

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the file, with its keys in order."""
        values: dict[str, Any] = {
            "step": self.step,
            "stays": self.stays,
            "awaiting_since": self.awaiting_since,
        }
        values = {key: value for key, value in values.items() if value is not None}
        values |= self.identity()
        for key in ("batch_plan", "options", "unrecorded", "converted"):
            if (value := getattr(self, key)) is not None:
                values[key] = dict(value)
        return values

    def identity(self) -> dict[str, Any]:
        """The part of the JSON object that all checkpoints of a run share."""
        values: dict[str, Any] = {}
        if self.config is not None:
            values["config"] = self.config.to_dict()
            # Null if the records have no manifest, so that their vocabulary is unknown.
            values["vocabulary"] = self.vocabulary and self.vocabulary.to_json()
        if self.task is not None:
            values["task"] = self.task.to_json()
        return {**values, **self.training}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "CheckpointMeta":
        """Read the JSON object of a meta file, also of any earlier version.

        Raises:
            ValueError: A key is missing, or a value has another type than was written.
        """
        _require("the file", values, Mapping)
        plain = {key: values.get(key) for key in _PLAIN}
        for key, kind in _PLAIN.items():
            if plain[key] is not None:
                _require(key, plain[key], kind)
        known = {*_PLAIN, *_TYPED}
        return cls(
            **plain,
            **{key: _read(key, values.get(key), _TYPED[key]) for key in _TYPED},
            training={key: values[key] for key in values if key not in known},
        )


_PLAIN = {
    "step": int,
    "stays": bool,
    "awaiting_since": int | float,
    "batch_plan": Mapping,
    "options": Mapping,
    "unrecorded": Mapping,
    "converted": Mapping,
}
_TYPED: dict[str, Callable[[Any], Any]] = {
    "config": ModelConfig.from_dict,
    "vocabulary": VocabularyIdentity.from_json,
    "task": TaskMeta.from_json,
}


def _read(key: str, value: Any, read: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    _require(key, value, Mapping)
    try:
        return read(value)
    except KeyError as error:
        raise ValueError(f"{error} is missing in {key}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: {error}") from None


def _require(name: str, value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}, which has another type than was written")
