"""Table of the kinds of tasks."""

from collections.abc import Mapping

from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION
from albert_zh.tasks.kinds.reading import READING
from albert_zh.tasks.kinds.regression import REGRESSION
from albert_zh.tasks.kinds.tagging import TAGGING
from albert_zh.tasks.task import Kind

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (CLASSIFICATION, REGRESSION, CHOICE, READING, TAGGING)
}


def find_kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        ValueError: There is no such kind.
    """
    if name not in KINDS:
        raise ValueError(f"unknown kind of task {name!r}; known kinds are {', '.join(KINDS)}")
    return KINDS[name]
