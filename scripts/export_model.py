"""Export a model in several formats, and check each of them.

  python3 scripts/export_model.py --checkpoint=lcqmc_output --export_dir=lcqmc_output/export

Each format is loaded again and must give the same outputs as the checkpoint, on batches of several
sizes and lengths. The directory also gets the vocabulary, labels and configuration of the model,
and export.json with the origin of each format and its difference from the checkpoint.
"""

import dataclasses
import os
import shlex
import sys
from typing import Any

from project import cli

from albert_zh.export.directory import check_target, size_of
from albert_zh.export.options import SourceOptions
from albert_zh.flags import REQUIRED, option


@dataclasses.dataclass(frozen=True)
class ExportOptions(SourceOptions):
    """Flags of the export."""

    export_dir: str = option(REQUIRED, "New directory for the exported files.")
    formats: str | None = option(
        None,
        "Comma-separated list of: frozen_graph, saved_model, saved_model_text (takes texts), "
        "transformers, tflite, tflite_fp16, tflite_int8, tflite_full_int8, onnx, onnx_int8, "
        "checkpoint (slim). Default: frozen_graph,saved_model.",
    )
    eval_data: str | None = option(
        None,
        "File with labels, such as the dev file of the model's task. Each format is scored on it, "
        "and refused if it loses more than --largest_loss against the checkpoint.",
        is_file=True,
    )
    largest_loss: float | None = option(
        None,
        "Most that a format may lose of the task's metric, such as accuracy. Default: 0.005.",
        at_least=0.0,
    )
    calibration_data: str | None = option(
        None,
        "File of the model's task, such as its training file, for tflite_full_int8: 200 of its "
        "examples tell the ranges of the numbers that become integers.",
        is_file=True,
    )
    fixed_shape: str | None = option(
        None,
        "Texts of a batch and tokens of each, such as 1,128, for programs that need fixed sizes. "
        "Default: any sizes.",
    )
    overwrite: bool = option(False, "Replace an earlier export in --export_dir.")

    def check(self) -> None:
        check_target(self.export_dir, overwrite=self.overwrite)
        if self.largest_loss is not None and not self.eval_data:
            raise ValueError("--largest_loss needs --eval_data, a file with labels to score on")
        self.shape()
        super().check()

    def shape(self) -> tuple[int, int] | None:
        """The fixed sizes.

        Raises:
            ValueError: They are not two whole numbers from 1 on.
        """
        if self.fixed_shape is None:
            return None
        sizes = [int(part) for part in self.fixed_shape.split(",") if part.strip().isdecimal()]
        if len(sizes) != 2 or self.fixed_shape.count(",") != 1 or min(sizes) < 1:
            raise ValueError(
                f"--fixed_shape={self.fixed_shape} has to be two whole numbers, such as 1,128"
            )
        return sizes[0], sizes[1]


def main(options: ExportOptions) -> None:
    import tensorflow as tf

    # Results are compared in float32; GPUs may multiply with fewer bits.
    tf.config.set_visible_devices([], "GPU")
    for line in summary(export(options), options.export_dir):
        print(line)


def export(options: ExportOptions) -> dict[str, Any]:
    """Run the export and return the content of export.json."""
    from albert_zh.export.bundle import export_model
    from albert_zh.export.formats.table import DEFAULT_FORMATS, parse_formats
    from albert_zh.export.source import source_of

    formats = parse_formats(options.formats or ",".join(DEFAULT_FORMATS))
    source = source_of(options)
    return export_model(
        source,
        export_dir=options.export_dir,
        formats=formats,
        overwrite=options.overwrite,
        eval_data=options.eval_data,
        largest_loss=options.largest_loss,
        calibration_data=options.calibration_data,
        fixed_shape=options.shape(),
        command=shlex.join(["python3", *sys.argv]),
    )


def summary(manifest: dict[str, Any], export_dir: str) -> list[str]:
    """Lines to print about the exported files."""
    config, task = manifest["config"], manifest["task"]
    purpose = "no task"
    if task is not None:
        labels = f", labels {', '.join(task['labels'])}" if task["labels"] else ""
        purpose = task["kind"] + labels
    lines = [
        f"exported {manifest['checkpoint']} (step {manifest['step']}, {config['lineage']}, "
        f"{purpose})"
    ]
    width = max(map(len, manifest["formats"]))
    for name, row in manifest["formats"].items():
        path = os.path.join(export_dir, row["file"])
        difference = max(row["largest_difference"].values())
        lines.append(
            f"  {name:{width}} {path}, {size_of(path) / 1e6:.1f} MB, "
            f"largest difference from the checkpoint {difference:.1e}"
        )
        if scores := row.get("scores"):
            lines[-1] += (
                f", {scores['metric']} {scores['format']:.4f} (checkpoint "
                f"{scores['checkpoint']:.4f}), {scores['same_predictions']:.2%} of "
                f"{scores['examples']:,} predictions the same, largest difference there "
                f"{max(scores['largest_difference'].values()):.1e}"
            )
    return lines


if __name__ == "__main__":
    cli.run(main, ExportOptions, needs_tensorflow=True)
