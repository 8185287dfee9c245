"""Exporting a classifier: each format is written, read back, and compared with the checkpoint.

export/
    frozen_graph.pb  saved_model/        the formats
    vocab.txt  albert_config.json        what is needed to use them
    task.json  labels.txt
    export.json                          where all of it comes from, and how equal it is
"""

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.export.check import (
    INPUTS,
    Arrays,
    Runner,
    largest_differences,
    require_equal,
    require_finite,
    varied_batches,
)
from albert_zh.export.directory import MANIFEST, check_target, new_directory
from albert_zh.export.fine_tuned import FineTuned
from albert_zh.export.formats import frozen_graph, saved_model
from albert_zh.util.files import atomic_write, write_json


@dataclasses.dataclass(frozen=True)
class Format:
    """One way to write a classifier."""

    file: str  # or folder, in the export directory
    write: Callable[[FineTuned, str, Sequence[str]], None]  # the classifier, path, assets
    load: Callable[[str], Runner]
    interface: Mapping[str, Any]  # how inputs and outputs are called, for export.json


FORMATS: dict[str, Format] = {
    "frozen_graph": Format(
        file="frozen_graph.pb",
        write=lambda source, path, assets: frozen_graph.write(source, path),
        load=frozen_graph.load,
        interface={
            "inputs": {name: f"{name}:0" for name in INPUTS},
            "outputs": {name: f"{op}:0" for name, op in frozen_graph.OUTPUTS.items()},
        },
    ),
    "saved_model": Format(
        file="saved_model",
        write=saved_model.write,
        load=saved_model.load,
        interface={
            "signatures": {
                name: {"inputs": list(INPUTS), "outputs": list(outputs)}
                for name, outputs in saved_model.SIGNATURES.items()
            }
        },
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


def export_classifier(
    source: FineTuned,
    *,
    export_dir: str,
    formats: Sequence[str],
    text_files: Mapping[str, str],
    vocabulary: Mapping[str, Any],
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes a classifier in several formats, each proven equal to the checkpoint.

    Args:
        source: The classifier.
        export_dir: Directory to make; it appears when all is written and checked.
        formats: Keys of `FORMATS`.
        text_files: Name in the export -> path, of the files that turn text into ids.
        vocabulary: Fingerprint and size, for `export.json`.
        overwrite: Replace an earlier export.

    Returns:
        The content of `export.json`.

    Raises:
        ValueError: A format differs from the checkpoint, or `export_dir` is taken.
    """
    check_target(export_dir, overwrite=overwrite)
    batches = varied_batches(source.facts.config)
    expected = [source.outputs(batch) for batch in batches]
    require_finite(source.prefix, expected)
    with new_directory(export_dir, overwrite=overwrite) as directory:
        assets = _write_assets(source, directory, text_files)
        rows = {
            name: _export(name, source, directory, assets, batches, expected) for name in formats
        }
        manifest = _manifest(source, rows, assets, vocabulary)
        write_json(os.path.join(directory, MANIFEST), manifest)
    return manifest


def _write_assets(source: FineTuned, directory: str, text_files: Mapping[str, str]) -> list[str]:
    """Writes what a user of the model needs beside it; returns the paths."""
    for name, path in text_files.items():
        shutil.copyfile(path, os.path.join(directory, name))
    facts = source.facts
    write_json(os.path.join(directory, "albert_config.json"), facts.config.to_dict())
    write_json(os.path.join(directory, "task.json"), facts.task())
    with atomic_write(os.path.join(directory, "labels.txt"), "w") as file:
        file.writelines(f"{label}\n" for label in facts.labels)
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory))]


def _export(
    name: str,
    source: FineTuned,
    directory: str,
    assets: Sequence[str],
    batches: Sequence[Arrays],
    expected: Sequence[Arrays],
) -> dict[str, Any]:
    chosen = FORMATS[name]
    path = os.path.join(directory, chosen.file)
    chosen.write(source, path, assets)
    differences = largest_differences(batches, expected, chosen.load(path))
    logging.info("%s: compared with the checkpoint on %d batches", name, len(batches))
    require_equal(name, differences)
    return {"file": chosen.file, **chosen.interface, "largest_difference": differences}


def _manifest(
    source: FineTuned,
    rows: Mapping[str, Mapping[str, Any]],
    assets: Sequence[str],
    vocabulary: Mapping[str, Any],
) -> dict[str, Any]:
    files = [*map(os.path.basename, assets), *(row["file"] for row in rows.values())]
    return {
        "checkpoint": source.prefix,
        "step": source.step,
        "config": source.facts.config.to_dict(),
        "task": source.facts.task(),
        "vocabulary": dict(vocabulary),
        "tensorflow": tf.__version__,
        "formats": dict(rows),
        "files": sorted(files),
    }
