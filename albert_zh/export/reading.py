"""Reading of an export: from the directory to a model in use."""

import json
import os

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.export.directory import MANIFEST
from albert_zh.export.fixed_shape import any_size
from albert_zh.export.formats.table import FORMATS
from albert_zh.inference.load import find_text_files, tokenizer_of
from albert_zh.inference.predictor import Predictor
from albert_zh.tasks.kinds.table import find_kind
from albert_zh.text.vocab import Vocab
from albert_zh.util.checksums import check_files


def is_export(path: str) -> bool:
    """True for a directory that an export filled."""
    return os.path.isfile(os.path.join(path, MANIFEST))


def check_is_no_part(path: str) -> None:
    """Fail if the path is a file or folder of an export instead of the export's folder.

    Raises:
        ValueError: It is; names the folder to give.
    """
    parts = {MANIFEST, *(each.file for each in FORMATS.values())}
    folder, name = os.path.split(os.path.normpath(path))
    if name not in parts:  # It may be the version in a SavedModel's folder.
        folder, name = os.path.split(folder)
    if is_export(folder) and name in parts:
        raise ValueError(
            f"{path} is a part of an export; give the export's folder: {folder or '.'}"
        )


def load_export(path: str) -> Predictor:
    """The predictor of an exported model; of several formats, the first in the list is used.

    Raises:
        FileNotFoundError: A file of the export is missing.
        ValueError: A file is damaged, or the vocabulary is not the exported one.
    """
    manifest_path = os.path.join(path, MANIFEST)
    with open(manifest_path, encoding="utf-8") as file:
        try:
            manifest = json.load(file)
            task = manifest["task"] and TaskMeta.from_json(manifest["task"])
            longest = manifest["config"]["max_position_embeddings"]
            fingerprint = manifest["vocabulary"]["fingerprint"]
            shape = manifest.get("shape")  # which exports of earlier versions lack
            name, row = next(iter(manifest["formats"].items()))
            # Exports of earlier versions have none.
            sums = {**manifest.get("sha256", {}), **row.get("sha256", {})}
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            raise ValueError(f"{manifest_path} is damaged ({error!r}); export again") from None
    if task is None:
        raise ValueError(
            f"{path} is the export of a model without a task, which gives no predictions; load its "
            "files with the programs they are made for"
        )
    if name not in FORMATS:
        raise ValueError(f"{path} has the format {name}, which this version does not know")
    model_path = os.path.join(path, FORMATS[name].file)
    if not os.path.exists(model_path):
        raise FileNotFoundError(f"{path} lacks {FORMATS[name].file}; export again")
    if not os.path.exists(vocab_path := os.path.join(path, "vocab.txt")):
        raise FileNotFoundError(f"there is no vocabulary at {vocab_path}; export again")
    text_files = find_text_files(path)
    vocab = Vocab.load(text_files["vocab.txt"])
    if vocab.fingerprint != fingerprint:
        raise ValueError(
            f"{text_files['vocab.txt']} is not the vocabulary that was exported; export again"
        )
    check_files(path, sums, listed_in=MANIFEST, way_out="copy the folder again, or export again")
    return Predictor(
        run=any_size(FORMATS[name].predictor_runner(model_path), shape),
        kind=find_kind(task.kind),
        labels=task.labels,
        tokenizer=tokenizer_of(text_files, task),
        max_seq_length=task.max_seq_length or longest,
        num_texts=task.num_texts,
    )
