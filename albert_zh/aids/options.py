"""Flags of the training aids. No TensorFlow."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from albert_zh.flags import option

INVERSE_FREQUENCY = "inverse_frequency"
# Kinds of tasks that have what an aid works on; the others work on any kind.
_KINDS = {
    # The places of a text are no classes: most of them cannot be an answer.
    "label_smoothing": ("classification", "choice", "tagging"),
    # The label of a choice is its number, which tells nothing.
    "class_weights": ("classification", "tagging"),
}


@dataclasses.dataclass(frozen=True)
class AidOptions:
    """Flags of aids for training, each off unless its flag is given."""

    fgm_epsilon: float | None = option(
        None,
        "Train on adversarial texts, too: the word vectors of each text are moved by this length "
        "(Euclidean) to where the loss grows most. Try 0.5. Takes about twice the time.",
        above=0,
    )
    r_drop_alpha: float | None = option(
        None,
        "Compute each batch twice with different dropout, and minimise this times the divergence "
        "of the two predictions. Try 1. Takes twice the time; does little where the "
        "configuration has no dropout.",
        above=0,
    )
    ema_decay: float | None = option(
        None,
        "Evaluate, save and use moving averages of the weights, to which each step adds 1 minus "
        "this share of the new weights; more in the first steps. Try 0.999.",
        above=0,
        below=1,
    )
    layerwise_lr_decay: float | None = option(
        None,
        "Factor of the learning rate for each level below the head: the last group of layers gets "
        "this one, the group below its square, the embeddings the smallest. ALBERT's layers are "
        "mostly one group, so try 0.8 rather than the 0.95 of BERT.",
        above=0,
        at_most=1,
    )
    head_lr_factor: float | None = option(
        None,
        "Factor of the learning rate for the head alone, which begins at random. Try 10.",
        above=0,
    )
    label_smoothing: float | None = option(
        None,
        "Share of a label that is spread over all classes. Try 0.1.",
        above=0,
        below=1,
    )
    class_weights: str | None = option(
        None,
        f"Weights of the classes in the loss: {INVERSE_FREQUENCY}, or LABEL=X,LABEL=X, where the "
        "others have weight 1. Of tagging, the labels are the types, and O is outside.",
    )
    teacher_model: str | None = option(
        None,
        "Output directory of a fine-tuned model of the same task and vocabulary, to learn from its "
        "predictions, too; or several, comma-separated, whose predictions are averaged.",
    )
    distillation_weight: float | None = option(
        None,
        "Share of the teacher's predictions in the loss; the rest is for the labels. Default with "
        "--teacher_model: 0.5.",
        at_least=0,
        at_most=1,
    )
    distillation_temperature: float | None = option(
        None,
        "Divisor of all logits that are compared with a teacher's; above 1, unlikely classes count "
        "more. Default with --teacher_model: 2.",
        above=0,
    )
    hidden_weight: float | None = option(
        None,
        "Weight of a loss that compares how the tokens of a text relate in the layers of model and "
        "teacher, whatever their widths. Default: none.",
        above=0,
    )

    def __post_init__(self):
        if not self.teacher_model:
            for name in ("distillation_weight", "distillation_temperature", "hidden_weight"):
                if getattr(self, name) is not None:
                    raise ValueError(f"--{name} needs a teacher; name one with --teacher_model")

    def check_aids(self, task: str, *, kind: str, labels: Sequence[str]) -> None:
        """Fail if an aid does not work on a task.

        Args:
            task: Its name.
            kind: Name of its kind.
            labels: Its labels.

        Raises:
            ValueError: One does not.
        """
        for name, kinds in _KINDS.items():
            if getattr(self, name) is not None and kind not in kinds:
                raise ValueError(
                    f"--{name} works on {', '.join(kinds)}; {task} is of the kind {kind}, so leave "
                    "the flag out"
                )
        self.given_class_weights(kind=kind, labels=labels)

    def given_class_weights(self, *, kind: str, labels: Sequence[str]) -> dict[str, float] | None:
        """The weights that the flag names, by label; None if it names none.

        Raises:
            ValueError: The flag is malformed, or names no label of the task.
        """
        if self.class_weights in (None, INVERSE_FREQUENCY):
            return None
        known = (*labels, "O") if kind == "tagging" else labels
        weights: dict[str, float] = {}
        for part in self.class_weights.split(","):
            label, _, number = part.rpartition("=")
            if label not in known:
                raise ValueError(
                    f"--class_weights={self.class_weights}: {part!r} is no LABEL=X; the labels are "
                    f"{', '.join(known)}, and {INVERSE_FREQUENCY} computes their weights"
                )
            if label in weights:
                raise ValueError(
                    f"--class_weights={self.class_weights} names {label!r} twice; leave one out"
                )
            weights[label] = _positive(number, part)
        return weights

    def teacher_paths(self) -> list[str]:
        return [path.strip() for path in (self.teacher_model or "").split(",") if path.strip()]

    def chosen_aids(self) -> dict[str, Any]:
        """The aids that are on, with their settings, by flag."""
        values: Mapping[str, Any] = {
            "distillation_weight": self.teacher_model and self.soft_share,
            "distillation_temperature": self.teacher_model and self.temperature,
        }
        names = [field.name for field in dataclasses.fields(AidOptions)]
        every = {name: values.get(name, getattr(self, name)) for name in names}
        return {name: every[name] for name in names if every[name] is not None}

    @property
    def soft_share(self) -> float:
        return 0.5 if self.distillation_weight is None else self.distillation_weight

    @property
    def temperature(self) -> float:
        return self.distillation_temperature or 2.0


def _positive(text: str, part: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"--class_weights: {part!r} is no LABEL=X with a number X above 0")
    return number
