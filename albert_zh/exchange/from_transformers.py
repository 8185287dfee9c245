"""From a folder of transformers to a model here: of google's lineage, ready to use or to train.

```
my_albert/
    model.ckpt.*                 weights, configuration, task
    albert_config.json  vocab.txt or spm.model
```
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.files import write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.names import plan_load
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.exchange.architectures import (
    ARCHITECTURES,
    ENCODER,
    MASKED_LM,
    PRETRAINING,
    Architecture,
    find_architecture,
)
from albert_zh.exchange.configuration import model_config, task_meta
from albert_zh.exchange.google_form import without_identity
from albert_zh.exchange.names import HEAD, POOLER, PREFIX, SENTENCE_ORDER, Pair, to_ours
from albert_zh.exchange.options import FromTransformersOptions
from albert_zh.exchange.tensor_files import Tensors, read_folder
from albert_zh.exchange.to_transformers import CONFIG
from albert_zh.exchange.tokenizer_files import copy_vocabulary, lower_cases
from albert_zh.inference.functions import ModelFunction, pretrained_functions, task_functions
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.model.heads.encoder import EncoderModel
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.util.files import write_json
from albert_zh.util.json_objects import read_object
from albert_zh.util.new_directory import check_is_new, new_directory

# Parts that classes of transformers may lack; they get start values.
_OPTIONAL = (POOLER, SENTENCE_ORDER)
_DECODER = "predictions.decoder."  # the word table and the bias of the masked-LM head again
_WORDS, _BIAS = "embeddings.word_embeddings.weight", "predictions.bias"
_BUFFER = "embeddings.position_ids"  # the numbers from 0, in files of older versions


@dataclasses.dataclass(frozen=True)
class ImportedModel:
    """A model of transformers, as one here."""

    config: ModelConfig
    task: TaskMeta | None
    arrays: dict[str, np.ndarray]  # by our names
    architecture: Architecture
    file: str  # with the tensors
    started: tuple[str, ...]  # names of arrays that the folder lacks, and that have start values

    def functions(self) -> tuple[ModelFunction, ...]:
        """The functions of the model, with its weights."""
        model = _new_model(self.config, self.architecture, self.task)
        for name, variable in named_variables(model).items():
            variable.assign(self.arrays[name])
        if self.task is None:
            return pretrained_functions(model)
        return task_functions(KIND_MODELS[self.task.kind], model)


def import_folder(options: FromTransformersOptions) -> list[str]:
    """Write the model as a checkpoint here; return the lines to print.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The model has no equal here, or a file is damaged.
    """
    folder, output_dir = options.model_dir, options.output_dir
    check_is_new(output_dir)
    model = read_model(folder, without_head=options.head == "encoder")
    with new_directory(output_dir, overwrite=False) as directory:
        files = copy_vocabulary(
            folder,
            directory,
            vocab_file=options.vocab_file,
            spm_model_file=options.spm_model_file,
        )
        tokenizer = load_tokenizer(files.get("vocab.txt"), spm_model_file=files.get("spm.model"))
        model.config.check_vocabulary_size(
            len(tokenizer.vocab), source=f"the vocabulary of {folder}"
        )
        write_json(os.path.join(directory, "albert_config.json"), model.config.to_dict())
        meta = CheckpointMeta(
            config=model.config,
            vocabulary=vocabulary_identity(tokenizer.vocab),
            task=model.task,
            converted={"transformers": model.architecture.name, "file": model.file},
        )
        write_checkpoint(os.path.join(directory, "model.ckpt"), model.arrays, meta.to_json())
    lines = [
        f"wrote {os.path.join(output_dir, 'model.ckpt')}, from {model.architecture.name} in "
        f"{os.path.join(folder, model.file)}: {len(model.arrays)} arrays"
    ]
    if model.started:
        lines.append(f"  not there, so at their start values: {', '.join(model.started)}")
    return lines


def read_model(folder: str, *, without_head: bool = False) -> ImportedModel:
    """The model in a folder of transformers.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The model has no equal here, or a file is damaged.
    """
    path = os.path.join(folder, CONFIG)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{folder} holds no {CONFIG}; is it a model of transformers?")
    values = read_object(path)
    try:
        config = model_config(values)
        # Their mapping is always there; one that changes nothing is left out later.
        config = dataclasses.replace(
            config, maps_embeddings=config.embedding_size == config.hidden_size
        )
        tensors, file = read_folder(folder)
        architecture = _architecture(values, tensors, without_head=without_head)
        tensors = _without_repetitions(tensors, architecture, without_head=without_head)
        task, rows = None, None
        if architecture.head:
            head = tensors.get(f"{architecture.head}.weight", np.zeros([0, 0]))
            task, rows = task_meta(
                values, architecture, classes=len(head), do_lower_case=lower_cases(folder)
            )
        variables = named_variables(_new_model(config, architecture, task))
        pairs = architecture.pairs(config)
        present = _check(tensors, pairs, variables)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    arrays = {name: variable.numpy() for name, variable in variables.items()}
    arrays |= to_ours(tensors, present)
    if rows is not None:
        arrays |= {name: arrays[name][rows] for name in arrays if name.startswith(HEAD)}
    started = sorted({pair.ours for pair in pairs} - {pair.ours for pair in present})
    arrays, config = without_identity(arrays, config)
    return ImportedModel(config, task, arrays, architecture, file, tuple(started))


def _architecture(
    values: Mapping[str, Any], tensors: Tensors, *, without_head: bool
) -> Architecture:
    if without_head:
        return ARCHITECTURES[ENCODER]
    found = find_architecture(values.get("architectures") or [])
    if found.name == MASKED_LM:
        # Here the two heads go together.
        return ARCHITECTURES[PRETRAINING]
    return found


def _without_repetitions(
    tensors: Tensors, architecture: Architecture, *, without_head: bool
) -> Tensors:
    """The tensors under the names of the class, each once."""
    has_head = architecture.name != ENCODER
    if without_head and any(name.startswith(PREFIX) for name in tensors):
        tensors = {
            name.removeprefix(PREFIX): array
            for name, array in tensors.items()
            if name.startswith(PREFIX)
        }
    before = PREFIX if has_head else ""
    for name, original in (("weight", before + _WORDS), ("bias", _BIAS)):
        repeated = tensors.get(_DECODER + name)
        if repeated is not None and not np.array_equal(repeated, tensors.get(original)):
            raise ValueError(
                f"{_DECODER}{name} differs from {original}; models here have one array for both"
            )
    return {
        name: array
        for name, array in tensors.items()
        if name != before + _BUFFER and not name.startswith(_DECODER)
    }


def _new_model(config: ModelConfig, architecture: Architecture, task: TaskMeta | None) -> tf.Module:
    if task is not None:
        return KIND_MODELS[task.kind].build(config, task)
    return EncoderModel(config) if architecture.name == ENCODER else PretrainingModel(config)


def _check(tensors: Tensors, pairs: list[Pair], variables: Mapping[str, tf.Variable]) -> list[Pair]:
    """The pairs whose tensors are there.

    Raises:
        ValueError: One is missing that may not be, or has another shape, or is left over.
    """
    wanted = {}
    for pair in pairs:
        shape = tuple(variables[pair.ours].shape)
        wanted[pair.theirs] = shape[::-1] if pair.is_transposed else shape
    plan = plan_load(wanted, {name: array.shape for name, array in tensors.items()})
    optional = {pair.theirs for pair in pairs if pair.ours.startswith(_OPTIONAL)}
    missing = [name for name in plan.missing if name not in optional]
    if complaint := dataclasses.replace(plan, missing=missing).complaint():
        raise ValueError(f"its tensors do not fit its {CONFIG}:\n{complaint}")
    return [pair for pair in pairs if pair.theirs in tensors]
