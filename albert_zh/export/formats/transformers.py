"""A folder that transformers reads: configuration, weights, tokenizer. See `exchange`.

AutoModelForSequenceClassification.from_pretrained("export/transformers")
"""

import os
from typing import Any

from albert_zh.exchange.from_transformers import read_model
from albert_zh.exchange.to_transformers import write_folder
from albert_zh.export.material import Material
from albert_zh.export.source import Source
from albert_zh.inference.functions import run_functions
from albert_zh.inference.predictor import Runner


def write(source: Source, path: str, material: Material) -> None:
    """Write the folder of a model; it has its own files for the assets."""
    os.mkdir(path)
    write_folder(source, path)


def interface(source: Source) -> dict[str, Any]:
    """Names of the inputs; the outputs are those of the class."""
    return {"inputs": ["input_ids", "attention_mask", "token_type_ids"]}


def load(path: str) -> Runner:
    """Read a folder back, as one that transformers wrote; the runner has our names."""
    functions = read_model(path).functions()
    return lambda batch: run_functions(functions, batch)
