"""The model classes of transformers, and what each of them is here."""

import dataclasses
from collections.abc import Collection, Sequence

from albert_zh.config import ModelConfig
from albert_zh.exchange import names
from albert_zh.exchange.names import Pair

PRETRAINING, MASKED_LM, ENCODER = "AlbertForPreTraining", "AlbertForMaskedLM", "AlbertModel"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A model class of transformers."""

    name: str
    kinds: tuple[str, ...] = ()  # of tasks here; none: a pretrained model
    head: str | None = None  # module with the head of a fine-tuned model

    def pairs(self, config: ModelConfig) -> list[Pair]:
        """Names of all arrays of such a model, in google's form.

        Raises:
            ValueError: As of `names.encoder_pairs`.
        """
        encoder = names.encoder_pairs(config)
        if self.name == ENCODER:
            return encoder
        own = names.task_pairs(self.head) if self.head else names.pretraining_pairs()
        if self.name == MASKED_LM:
            own = [pair for pair in own if not pair.ours.startswith(names.SENTENCE_ORDER)]
        return [*names.with_prefix(encoder), *own]


_ROWS = (
    Architecture(PRETRAINING),
    Architecture(MASKED_LM),
    Architecture(ENCODER),
    Architecture("AlbertForSequenceClassification", ("classification", "regression"), "classifier"),
    Architecture("AlbertForTokenClassification", ("tagging",), "classifier"),
    Architecture("AlbertForQuestionAnswering", ("reading",), "qa_outputs"),
    Architecture("AlbertForMultipleChoice", ("choice",), "classifier"),
)
ARCHITECTURES = {row.name: row for row in _ROWS}


def architecture_of_kind(kind: str) -> Architecture:
    """The class whose head does a kind of task."""
    return next(row for row in _ROWS if kind in row.kinds)


def architecture_of_pretrained(stored: Collection[str]) -> Architecture:
    """The class of a pretrained model, from the names in its checkpoint."""
    for row, prefix in ((PRETRAINING, names.SENTENCE_ORDER), (MASKED_LM, names.MASKED_LM)):
        if any(name.startswith(prefix) for name in stored):
            return ARCHITECTURES[row]
    return ARCHITECTURES[ENCODER]


def find_architecture(listed: Sequence[str]) -> Architecture:
    """The class that a `config.json` names under `architectures`.

    Raises:
        ValueError: It names none, or one that has no counterpart here.
    """
    if isinstance(listed, str):
        listed = [listed]
    for name in listed:
        if name in ARCHITECTURES:
            return ARCHITECTURES[name]
    raise ValueError(
        f"its architectures are {', '.join(listed) or 'not named'}; known are "
        f"{', '.join(ARCHITECTURES)}"
    )
