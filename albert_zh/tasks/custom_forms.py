"""Forms of the user's own files, a row for each kind of task."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from albert_zh.tasks.examples import Split
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.regression import REGRESSION
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.readers.choices import read_choices
from albert_zh.tasks.readers.entities import read_entities
from albert_zh.tasks.readers.named import read_named
from albert_zh.tasks.readers.squad import read_squad
from albert_zh.tasks.scorers import clue_reading, measures
from albert_zh.tasks.task import Keys, Kind, Task

NAME = "custom"

_TABLES, _JSON, _COLUMNS = ("csv", "tsv", "txt"), ("jsonl", "json"), ("txt", "bio", "conll")
_PACKED = ("", ".gz")
# Of predictions and mistakes, beside the texts.
_OTHER_CELLS = ("id", "label", "prediction", "probability", "probabilities", "error", "fold")


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that may choose the best checkpoint of a custom task."""

    name: str
    measure: Callable[..., dict[str, float]] | None = None  # as of `Task`
    measure_needs: str | None = None


@dataclasses.dataclass(frozen=True)
class Form:
    """Form of the user's own files for a kind of task."""

    kind: Kind
    read: Callable[[Task, str, str], Split]
    endings: tuple[str, ...]  # of files in --data_dir
    metrics: tuple[Metric, ...]
    has_columns: bool = False  # that flags name
    least_labels: int = 0


FORMS = {
    form.kind.name: form
    for form in (
        Form(
            CLASSIFICATION,
            read_named,
            (*_TABLES, *_JSON),
            (Metric("accuracy"),),
            has_columns=True,
            least_labels=2,
        ),
        Form(REGRESSION, read_named, (*_TABLES, *_JSON), (Metric("corr"),), has_columns=True),
        Form(
            TAGGING,
            read_entities,
            (*_COLUMNS, *_JSON),
            (Metric("f1", measures.placed_entities),),
            least_labels=1,
        ),
        Form(
            READING,
            read_squad,
            _JSON[::-1],
            (
                Metric("average", measures.clue_answers, clue_reading.NEEDS),
                Metric("f1", measures.squad_answers),
            ),
        ),
        Form(CHOICE, read_choices, _JSON, (Metric("accuracy"),), least_labels=2),
    )
}


@dataclasses.dataclass(frozen=True)
class _NamedTexts:
    """`Kind.row` that calls the texts as the columns of the user's file do."""

    row: Callable[[Any, Any, Sequence[str]], dict[str, Any]]
    columns: tuple[str, ...]

    def __call__(self, example: Any, prediction: Any, labels: Sequence[str]) -> dict[str, Any]:
        names = {
            text: column
            for text, column in zip(example.named_texts, self.columns, strict=False)
            if not (column.isdigit() or column in _OTHER_CELLS)
        }
        cells = self.row(example, prediction, labels)
        return {names.get(name, name): value for name, value in cells.items()}


def custom_task(
    keys: Keys, labels: Sequence[str], *, kind: str = CLASSIFICATION.name, metric: str | None = None
) -> Task:
    """A task of the user's own files.

    Args:
        keys: Columns, for kinds that have any.
        labels: Labels, types of entities, or numbers of choices.
        kind: One of `FORMS`.
        metric: One of the kind's metrics; None: the first.
    """
    form = FORMS[kind]
    chosen = next(each for each in form.metrics if metric in (each.name, None))
    own_kind = form.kind
    if form.has_columns:
        own_kind = dataclasses.replace(form.kind, row=_NamedTexts(form.kind.row, keys.texts))
    return Task(
        name=NAME,
        kind=own_kind,
        read=form.read,
        files={
            split: tuple(f"{split}.{each}{packed}" for each in form.endings for packed in _PACKED)
            for split in ("train", "dev", "test")
        },
        labels=tuple(labels),
        keys=keys,
        metric=chosen.name,
        measure=chosen.measure,
        measure_needs=chosen.measure_needs,
    )
