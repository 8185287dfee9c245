"""From a model here to a folder that transformers reads.

```
my_albert_hf/
    config.json  model.safetensors
    vocab.txt  tokenizer_config.json          of WordPiece models
    tokenizer.json  spiece.model              instead of vocab.txt, of SentencePiece models
```
"""

import os
from typing import Protocol

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.checkpoint.names import is_weight
from albert_zh.config import ModelConfig, Pooling
from albert_zh.exchange.architectures import (
    Architecture,
    architecture_of_kind,
    architecture_of_pretrained,
)
from albert_zh.exchange.configuration import to_config_json
from albert_zh.exchange.google_form import google_config, to_google_form
from albert_zh.exchange.names import to_theirs
from albert_zh.exchange.tensor_files import SAFETENSORS, write_safetensors
from albert_zh.exchange.tokenizer_files import write_tokenizer
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.files import write_json

CONFIG = "config.json"


class Model(Protocol):
    """The parts of a loaded model that are written."""

    prefix: str  # of the checkpoint
    config: ModelConfig
    task: TaskMeta | None
    text_files: dict[str, str]

    @property
    def do_lower_case(self) -> bool: ...

    @property
    def tokenizer(self) -> Tokenizer: ...


def write_folder(model: Model, directory: str, *, without_head: bool = False) -> Architecture:
    """Write a model for transformers.

    Args:
        model: The model; its weights are read from its checkpoint.
        directory: An existing folder, empty.
        without_head: Leave out the head, which transformers may have no place for.

    Returns:
        The class of transformers that it is.

    Raises:
        ValueError: No model of transformers equals it.
    """
    task = None if without_head else model.task
    config = google_config(model.config)
    stored = [name for name in read_shapes(model.prefix) if is_weight(name)]
    architecture = _architecture(task, [] if without_head else stored)
    pairs = architecture.pairs(config)
    arrays = to_google_form(read_arrays(model.prefix, stored), model.config)
    tokenizer = model.tokenizer
    write_safetensors(os.path.join(directory, SAFETENSORS), to_theirs(arrays, pairs))
    values = to_config_json(config, architecture, task, tokenizer.vocab)
    write_json(os.path.join(directory, CONFIG), values)
    write_tokenizer(
        directory,
        text_files=model.text_files,
        tokenizer=tokenizer,
        do_lower_case=model.do_lower_case,
        longest=config.max_position_embeddings,
    )
    return architecture


def _architecture(task: TaskMeta | None, stored: list[str]) -> Architecture:
    if task is None:
        return architecture_of_pretrained(stored)
    if task.pooling is Pooling.MEAN and task.kind in ("classification", "regression", "choice"):
        raise ValueError(
            "the model's head reads the mean of all tokens (--use_pooled_output=False), and no "
            "ALBERT of transformers does; fine-tune with --use_pooled_output=True, or write the "
            "encoder alone with --head=encoder"
        )
    return architecture_of_kind(task.kind)
