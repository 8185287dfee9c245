"""A slim checkpoint: weights in half precision under the published names, to train on from.

export/checkpoint/   albert_model.ckpt.*   albert_config.json   vocab.txt or spm.model   SHA256SUMS
"""

import os
import shutil
from typing import Any

from albert_zh.checkpoint.slim import half_precision, write_slim
from albert_zh.export.material import Material
from albert_zh.export.source import Source, load_source
from albert_zh.inference.predictor import Runner


def write(source: Source, path: str, material: Material) -> None:
    """Write the folder of a model; it has its own files for the assets."""
    os.mkdir(path)
    for name, file in source.text_files.items():
        shutil.copyfile(file, os.path.join(path, name))
    half = half_precision(source.prefix)
    write_slim(path, source.prefix, half, source.config, source.vocabulary())


def interface(source: Source) -> dict[str, Any]:
    """Names of the functions; the file has no inputs of its own."""
    return {"functions": [each.name for each in source.functions(source.model)]}


def load(path: str) -> Runner:
    """Read the folder back, as a checkpoint."""
    return load_source(path).outputs
