"""Reading of an export: from the directory to a model in use."""

import json
import os

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.export.directory import MANIFEST
from albert_zh.export.formats.table import FORMATS
from albert_zh.inference.load import tokenizer_of
from albert_zh.inference.predictor import Predictor
from albert_zh.tasks.catalog import find_kind


def is_export(path: str) -> bool:
    """True for a directory that an export filled."""
    return os.path.isfile(os.path.join(path, MANIFEST))


def load_export(path: str) -> Predictor:
    """The predictor of an exported model; of several formats, the first in the list is used.

    Raises:
        FileNotFoundError: A file of the export is missing.
        ValueError: The manifest is damaged.
    """
    manifest_path = os.path.join(path, MANIFEST)
    with open(manifest_path, encoding="utf-8") as file:
        try:
            manifest = json.load(file)
            task = TaskMeta.from_json(manifest["task"])
            longest = manifest["config"]["max_position_embeddings"]
            name = next(iter(manifest["formats"]))
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise ValueError(f"{manifest_path} is damaged ({error!r}); export again") from None
    text_files = {name: os.path.join(path, name) for name in ("vocab.txt", "spm.model")}
    text_files = {name: file for name, file in text_files.items() if os.path.exists(file)}
    return Predictor(
        run=FORMATS[name].load(os.path.join(path, FORMATS[name].file)),
        kind=find_kind(task.kind),
        labels=task.labels,
        tokenizer=tokenizer_of(text_files, task),
        max_seq_length=task.max_seq_length or longest,
    )
