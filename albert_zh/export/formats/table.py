"""The export formats. A new one is a row here, and a file beside this one."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from albert_zh.export.formats import frozen_graph, saved_model, transformers
from albert_zh.export.source import Source
from albert_zh.inference.predictor import Runner


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """One way to write a model."""

    file: str  # or folder, in the export directory
    write: Callable[[Source, str, Sequence[str]], None]  # the model, path, assets
    load: Callable[[str], Runner]
    # Names of inputs and outputs, for export.json.
    interface: Callable[[Source], Mapping[str, Any]]


FORMATS: dict[str, ExportFormat] = {
    "frozen_graph": ExportFormat(
        "frozen_graph.pb", frozen_graph.write, frozen_graph.load, frozen_graph.interface
    ),
    "saved_model": ExportFormat(
        "saved_model", saved_model.write, saved_model.load, saved_model.interface
    ),
    "transformers": ExportFormat(
        "transformers", transformers.write, transformers.load, transformers.interface
    ),
}


def parse_formats(names: str) -> list[str]:
    """The formats in a comma-separated list.

    >>> parse_formats("saved_model, frozen_graph")
    ['saved_model', 'frozen_graph']

    Raises:
        ValueError: One is unknown, or the list is empty.
    """
    formats = list(dict.fromkeys(filter(None, (name.strip() for name in names.split(",")))))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(
            f"--formats={names} has to list some of {', '.join(FORMATS)}, separated by commas"
        )
    return formats
