"""Checkpoints for people: what one holds, and where two differ."""

import collections
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from albert_zh.checkpoint.files import read_arrays, read_types
from albert_zh.checkpoint.loading import load_meta, read_step
from albert_zh.checkpoint.names import detect_lineage, is_weight
from albert_zh.checkpoint.options import CompareOptions, InspectOptions
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.util.tables import markdown_table

Stored = Mapping[str, tuple[tuple[int, ...], str]]  # name -> shape, type


def inspect_checkpoint(options: InspectOptions) -> list[str]:
    """Lines that tell what a checkpoint holds.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is damaged.
    """
    prefix = find_checkpoint(options.checkpoint, flag="checkpoint")
    stored = read_types(prefix)
    weights = {name: stored[name] for name in stored if is_weight(name)}
    rows = [
        [name, _shown(shape), kind, f"{int(np.prod(shape, dtype=np.int64))}"]
        for name, (shape, kind) in weights.items()
    ]
    table = markdown_table(["weight", "shape", "type", "numbers"], rows)
    return [*_facts(prefix, stored, weights), "", *table.splitlines()]


def _facts(prefix: str, stored: Stored, weights: Stored) -> list[str]:
    try:
        lineage = f"{detect_lineage({name: shape for name, (shape, _) in weights.items()})} lineage"
    except ValueError:
        lineage = "no ALBERT"
    parameters = sum(int(np.prod(shape, dtype=np.int64)) for shape, _ in weights.values())
    step = read_step(prefix)
    others = collections.Counter(name.rpartition("/")[2] for name in stored if name not in weights)
    state = ", ".join(f"{name} ({count})" for name, count in sorted(others.items()))
    lines = [
        f"{prefix}: {lineage}, {parameters:,} parameters in {len(weights)} arrays",
        f"  step: {'not stored' if step is None else f'{step:,}'}",
        f"  training state: {state or 'none'}",
    ]
    meta = load_meta(prefix)
    if meta is None:
        return [*lines, f"  no {os.path.basename(prefix)}.meta.json: of another toolkit"]
    if meta.task is not None:
        labels = f", labels {', '.join(meta.task.labels)}" if meta.task.labels else ""
        lines.append(f"  task: {meta.task.name}, {meta.task.kind}{labels}")
    if meta.vocabulary is not None:
        sha256 = meta.vocabulary.fingerprint[:12]
        lines.append(f"  vocabulary: {meta.vocabulary.size:,} entries, SHA-256 {sha256}...")
    if meta.config is not None:
        values = ", ".join(f"{key} {value}" for key, value in meta.config.to_dict().items())
        lines.append(f"  configuration: {values}")
    if meta.converted is not None:
        lines.append(f"  made by a conversion: {dict(meta.converted)}")
    return lines


class _Difference(NamedTuple):
    largest: float
    name: str
    relative: float  # to the largest number of the first checkpoint


def compare_checkpoints(options: CompareOptions) -> list[str]:
    """Lines that tell where the weights of two checkpoints differ; moments do not count.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: One is damaged.
    """
    first = find_checkpoint(options.checkpoint, flag="checkpoint")
    second = find_checkpoint(options.other, flag="other")
    stored = [
        {name: shape for name, (shape, _) in read_types(prefix).items() if is_weight(name)}
        for prefix in (first, second)
    ]
    both = [name for name in stored[0] if name in stored[1]]
    same_shape = [name for name in both if stored[0][name] == stored[1][name]]
    differences = [_difference(name, first, second) for name in same_shape]
    differences = sorted((each for each in differences if each.largest), reverse=True)
    lines = [f"{first} and {second}: {len(same_shape)} weights of the same name and shape"]
    for prefix, own, other in ((first, *stored), (second, *reversed(stored))):
        lines += [f"  only in {prefix}: {name} {_shown(own[name])}" for name in own.keys() - other]
    for name in both:
        if name not in same_shape:
            shapes = f"{_shown(stored[0][name])} and {_shown(stored[1][name])}"
            lines.append(f"  of other shapes: {name}, {shapes}")
    if not differences:
        what = "their numbers" if len(lines) == 1 else f"the numbers of these {len(same_shape)}"
        return [*lines, f"  {what} are equal"]
    rows = [[each.name, f"{each.largest:.3g}", f"{each.relative:.3g}"] for each in differences]
    lines.append(f"  {len(same_shape) - len(differences)} are equal; the others differ:")
    table = markdown_table(["weight", "by at most", "of its largest number"], rows)
    return [*lines, "", *table.splitlines()]


def _difference(name: str, first: str, second: str) -> _Difference:
    one, other = (read_arrays(prefix, [name])[name] for prefix in (first, second))
    largest = float(np.abs(one.astype(np.float64) - other).max(initial=0.0))
    scale = float(np.abs(one).max(initial=0.0))
    return _Difference(largest, name, largest / scale if scale else float("inf"))


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "-"
