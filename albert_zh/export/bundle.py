"""Export of a model: each format is written, read back, compared with the checkpoint.

export/
    frozen_graph.pb  saved_model/        the formats
    vocab.txt  albert_config.json        what is needed to use them
    task.json  labels.txt                of a fine-tuned model
    MODEL_CARD.md                        the model for people
    export.json                          where all of it comes from, and how equal it is
"""

import os
import shutil
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.export import latency
from albert_zh.export.card import CARD, model_card
from albert_zh.export.check import largest_differences, reference_outputs, require_equal
from albert_zh.export.directory import MANIFEST, check_keeps, check_target, sums_of
from albert_zh.export.filled_batches import any_size, filled_batches
from albert_zh.export.fixed_shape import FixedShape
from albert_zh.export.formats.table import FORMATS
from albert_zh.export.material import Material
from albert_zh.export.scores import Scoring
from albert_zh.export.source import Source
from albert_zh.export.task_data import read_task_data
from albert_zh.inference.predictor import INPUTS, POSITIONS, Arrays, Runner
from albert_zh.util.files import atomic_write, sha256_of_file, write_json
from albert_zh.util.new_directory import new_directory
from albert_zh.util.optional_packages import load_extra

_SECONDS = 0.2  # of a measurement for the card
_NUM_CALIBRATION = 200  # texts


def export_model(
    source: Source,
    *,
    export_dir: str,
    formats: Sequence[str],
    overwrite: bool = False,
    eval_data: str | None = None,
    largest_loss: float | None = None,
    calibration_data: str | None = None,
    fixed_shape: tuple[int, int] | None = None,
    command: str | None = None,
) -> dict[str, Any]:
    """Write a model in several formats, each proven equal to the checkpoint.

    Args:
        source: The model.
        export_dir: Directory to make; it appears when all is written and checked.
        formats: Keys of `FORMATS`.
        overwrite: Replace an earlier export.
        eval_data: Labelled file of the model's task, to score each format on.
        largest_loss: Most that a format may lose of the task's metric there; None: half a point.
        calibration_data: File of the task, such as its training file; its texts tell calibrated
            formats their ranges.
        fixed_shape: Texts of a batch and tokens of each, of all formats; None: any.
        command: Command line of the export, for the card.

    Returns:
        The content of `export.json`.

    Raises:
        ValueError: A format differs from the checkpoint, or loses too much of its score, or needs
            a package that is not installed; or `export_dir` is taken.
    """
    check_target(export_dir, overwrite=overwrite)
    inputs = [source.prefix, *source.text_files.values(), eval_data, calibration_data]
    check_keeps(export_dir, inputs)
    for name in formats:
        for module in FORMATS[name].writers:
            load_extra(module, purpose=f"writing {name}")
    _check_calibration(formats, eval_data, calibration_data)
    if fixed_shape:
        _check_sizeable(formats)
        source = FixedShape(source, fixed_shape)
    batches, expected = reference_outputs(source)
    scoring = Scoring(source, eval_data, largest_loss) if eval_data else None
    calibration = _calibration(source, calibration_data) if calibration_data else ()
    with new_directory(export_dir, overwrite=overwrite) as directory:
        assets = _write_assets(source, directory)
        material = Material(assets, calibration)
        rows = {
            name: _export(name, source, directory, material, batches, expected, scoring)
            for name in formats
        }
        manifest = _manifest(source, rows, assets)
        with atomic_write(os.path.join(directory, CARD), "w") as file:
            file.write(model_card(source, manifest, command=command, directory=directory))
        write_json(os.path.join(directory, MANIFEST), manifest)
    return manifest


def _check_calibration(
    formats: Sequence[str], eval_data: str | None, calibration_data: str | None
) -> None:
    calibrated = [name for name in formats if FORMATS[name].is_calibrated]
    if calibrated and not (eval_data and calibration_data):
        raise ValueError(
            f"{calibrated[0]} needs --calibration_data, such as the training file of the task, and "
            "--eval_data, as it may lose much"
        )
    if calibration_data and not calibrated:
        raise ValueError(
            f"--calibration_data={calibration_data} is for formats such as tflite_full_int8 alone"
        )


def _check_sizeable(formats: Sequence[str]) -> None:
    for name in formats:
        if not FORMATS[name].is_sizeable:
            raise ValueError(f"{name} has no fixed sizes; leave it or --fixed_shape out")


def _calibration(source: Source, path: str) -> list[Arrays]:
    batches = read_task_data(source, path, "--calibration_data").sample(_NUM_CALIBRATION)
    if len(batches) < _NUM_CALIBRATION:
        logging.warning(
            "--calibration_data=%s has only %d texts; %d give better ranges",
            path,
            len(batches),
            _NUM_CALIBRATION,
        )
    shape = source.functions(source.model)[0].shape
    if shape is None:
        return batches
    return [filled for batch in batches for filled in filled_batches(batch, shape)]


def _write_assets(source: Source, directory: str) -> list[str]:
    """Write what a user of the model needs beside it; return the paths."""
    for name, path in source.text_files.items():
        shutil.copyfile(path, os.path.join(directory, name))
    if "vocab.txt" not in source.text_files:
        with atomic_write(os.path.join(directory, "vocab.txt"), "w") as file:
            file.writelines(f"{entry}\n" for entry in source.tokenizer.vocab.tokens)
    write_json(os.path.join(directory, "albert_config.json"), source.config.to_dict())
    if source.task is not None:
        write_json(os.path.join(directory, "task.json"), source.task.to_json())
        with atomic_write(os.path.join(directory, "labels.txt"), "w") as file:
            file.writelines(f"{label}\n" for label in source.task.labels)
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory))]


def _export(
    name: str,
    source: Source,
    directory: str,
    material: Material,
    batches: Sequence[Arrays],
    expected: Sequence[Arrays],
    scoring: Scoring | None,
) -> dict[str, Any]:
    chosen = FORMATS[name]
    path = os.path.join(directory, chosen.file)
    chosen.write(source, path, material)
    if chosen.is_of_first:
        names = source.functions(source.model)[0].outputs
        expected = [{each: outputs[each] for each in names} for outputs in expected]
    shape = source.functions(source.model)[0].shape
    run = any_size(chosen.load(path), shape)
    differences = largest_differences(batches, expected, run)
    logging.info("%s: compared with the checkpoint on %d batches", name, len(batches))
    require_equal(name, differences, chosen.tolerance)
    return {
        "file": chosen.file,
        "sha256": sums_of(directory, chosen.file),
        **chosen.interface(source),
        "largest_difference": differences,
        "milliseconds": _latencies(source, chosen.load_first(path) if chosen.load_first else run),
        **({"scores": scoring.of(name, run)} if scoring else {}),
    }


def _latencies(source: Source, run: Runner) -> dict[str, float]:
    """Medians for one text of some lengths, with all threads that the runtime takes."""
    function = source.functions(source.model)[0]
    inputs, (batch_size, *lengths) = function.inputs, function.shape or (1, 32, 128)
    choices = [2] if inputs[INPUTS[0]] == 3 else []
    medians = {}
    for length in lengths:
        if length <= source.config.max_position_embeddings:
            batch = latency.inputs_of(
                {
                    "shape": [batch_size, *choices, length],
                    "masks": 1 if POSITIONS in inputs else 0,
                    "vocab_size": source.config.vocab_size,
                }
            )
            times = latency.times_of(run, batch, seconds=_SECONDS)
            medians[f"{length} tokens"] = round(1000 * statistics.median(times), 3)
    return medians


def _manifest(
    source: Source, rows: Mapping[str, Mapping[str, Any]], assets: Sequence[str]
) -> dict[str, Any]:
    files = [CARD, *map(os.path.basename, assets), *(row["file"] for row in rows.values())]
    return {
        "checkpoint": source.prefix,
        "step": source.step,
        "config": source.config.to_dict(),
        "task": source.task and source.task.to_json(),
        "do_lower_case": source.do_lower_case,
        "vocabulary": source.vocabulary().to_json(),
        "tensorflow": tf.__version__,
        "shape": source.functions(source.model)[0].shape,
        "formats": dict(rows),
        "sha256": {os.path.basename(path): sha256_of_file(path) for path in assets},
        "files": sorted(files),
    }
