"""MODEL_CARD.md of an export: the model, its training, its scores and its files, for people."""

import contextlib
import os
import platform
from collections.abc import Iterator, Mapping
from typing import Any

from albert_zh.checkpoint.loading import load_meta
from albert_zh.export.directory import size_of
from albert_zh.export.source import Source
from albert_zh.model.scope import named_variables
from albert_zh.util.json_objects import read_object
from albert_zh.util.processor import processor_name
from albert_zh.util.tables import markdown_table

CARD = "MODEL_CARD.md"
_METRICS = "metrics.json"  # of a run


def model_card(
    source: Source, manifest: Mapping[str, Any], *, command: str | None, directory: str
) -> str:
    """The card's text.

    Args:
        source: The model.
        manifest: Content of `export.json`.
        command: Command line of the export, if there was one.
        directory: Folder of the export, for the sizes of its files.
    """
    parts = [
        _title(source),
        _model(source),
        _training(source),
        _formats(manifest, directory),
        _sums(manifest),
    ]
    if command:
        parts.append(f"## Command\n\n```bash\n{command}\n```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(source: Source) -> str:
    if source.task is None:
        return "# A pretrained Chinese encoder"
    return f"# {source.task.name or 'A model'}: {source.task.kind}"


def _model(source: Source) -> str:
    config, task = source.config, source.task
    variables = named_variables(source.model).values()
    parameters = sum(int(variable.shape.num_elements()) for variable in variables)
    # No more of the path: the card may be passed on.
    checkpoint = os.path.join(*source.prefix.split(os.sep)[-2:])
    step = "From" if source.step is None else f"Step {source.step:,} of its training, from"
    lines = [
        f"ALBERT of {config.lineage}'s lineage: {config.num_hidden_layers} layers that share their "
        f"weights, hidden size {config.hidden_size}, {config.num_attention_heads} heads, "
        f"{config.vocab_size:,} entries, {parameters:,} parameters. {step} `{checkpoint}`."
    ]
    if task is not None:
        facts = [f"labels: {', '.join(task.labels)}"] if task.labels else []
        facts += [f"texts: {task.num_texts}"] if task.num_texts else []
        facts += [f"longest text: {task.max_seq_length} tokens"] if task.max_seq_length else []
        facts.append(f"lower case: {'yes' if source.do_lower_case else 'no'}")
        lines += ["", *(f"- {fact}" for fact in facts)]
    return "\n".join(lines)


def _training(source: Source) -> str | None:
    """Data and scores of the run that the checkpoint is of, as far as it noted them."""
    path = os.path.join(os.path.dirname(source.prefix), _METRICS)
    metrics: dict[str, Any] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):
        metrics = read_object(path)
    lines = [*_data(metrics), *_scores(metrics, os.path.basename(source.prefix))]
    meta = load_meta(source.prefix)
    options = (meta.options if meta else None) or {}
    shown = ("learning_rate", "num_train_epochs", "num_train_steps", "train_batch_size")
    if flags := [f"`--{name}={options[name]}`" for name in shown if options.get(name) is not None]:
        lines.append(f"Trained with {', '.join(flags)}.")
    return "\n\n".join(["## Training", *lines]) if lines else None


def _data(metrics: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [name, f"`{file['path']}`", f"{file['rows']}", f"`{file['sha256'][:16]}`"]
        for name, file in (metrics.get("data") or {}).items()
        if {"path", "rows", "sha256"} <= set(file)
    ]
    if rows:
        yield markdown_table(["data", "file", "examples", "SHA-256 begins"], rows).rstrip()


def _scores(metrics: Mapping[str, Any], name: str) -> Iterator[str]:
    for row in metrics.get("checkpoints") or ():
        if row["checkpoint"] == name:
            cells = [[metric, f"{value:.4f}"] for metric, value in row["scores"].items()]
            yield markdown_table(["on the validation set", "score"], cells).rstrip()


def _formats(manifest: Mapping[str, Any], directory: str) -> str:
    rows, header = [], ["format", "file", "MB", "largest difference"]
    formats = manifest["formats"].values()
    scores = next((row["scores"]["metric"] for row in formats if "scores" in row), None)
    lengths = sorted({length for row in formats for length in row["milliseconds"]}, key=len)
    for name, row in manifest["formats"].items():
        megabytes = size_of(os.path.join(directory, row["file"])) / 1e6
        difference = max(row["largest_difference"].values())
        cells = [name, row["file"], f"{megabytes:.1f}", f"{difference:.1e}"]
        if scores:
            cells += [f"{row['scores']['format']:.4f}", f"{row['scores']['same_predictions']:.2%}"]
        rows.append([*cells, *(f"{row['milliseconds'][length]:.1f}" for length in lengths)])
    header += [scores, "same predictions"] if scores else []
    table = markdown_table([*header, *(f"ms, {length}" for length in lengths)], rows)
    versions = f"TensorFlow {manifest['tensorflow']}, Python {platform.python_version()}"
    return (
        f"## Files\n\n{table}\nThe differences are from the checkpoint; the times are for one text "
        f"({processor_name()}, {versions}). `export.json` has the names of inputs and outputs."
    )


def _sums(manifest: Mapping[str, Any]) -> str:
    sums = manifest["sha256"] | {
        path: digest
        for row in manifest["formats"].values()
        for path, digest in row["sha256"].items()
    }
    listed = "\n".join(f"{digest}  {path}" for path, digest in sorted(sums.items()))
    return f"```\n{listed}\n```"
