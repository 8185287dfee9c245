"""A model that can be exported: fine-tuned, pretrained, or an encoder alone."""

from collections.abc import Sequence
from typing import Any, Protocol

import tensorflow as tf

from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import TaskMeta, VocabularyIdentity
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.config import ModelConfig
from albert_zh.export.options import SourceOptions
from albert_zh.inference.functions import ModelFunction
from albert_zh.inference.load import is_fine_tuned, load_model, lower_cases
from albert_zh.inference.predictor import Arrays
from albert_zh.inference.pretrained import load_pretrained
from albert_zh.text.tokenizers import Tokenizer


class Source(Protocol):
    """The surface of `FineTunedModel` and `PretrainedModel` that exports use."""

    prefix: str
    step: int | None
    config: ModelConfig
    task: TaskMeta | None
    model: tf.Module
    text_files: dict[str, str]

    @property
    def do_lower_case(self) -> bool: ...

    @property
    def tokenizer(self) -> Tokenizer: ...

    def vocabulary(self) -> VocabularyIdentity: ...

    def new_model(self) -> tf.Module: ...

    def functions(self, model: tf.Module) -> tuple[ModelFunction, ...]: ...

    def outputs(self, batch: Arrays) -> Arrays: ...


def inputs_of(functions: Sequence[ModelFunction]) -> dict[str, int]:
    """Number of axes of all inputs, by name."""
    return {name: axes for each in functions for name, axes in each.inputs.items()}


def load_source(
    path: str,
    *,
    is_encoder: bool = False,
    config_file: str | None = None,
    vocab_file: str | None = None,
    spm_model_file: str | None = None,
    labels: Sequence[str] | None = None,
    do_lower_case: bool | None = None,
) -> Source:
    """Read a model of any kind.

    Args:
        path: A checkpoint, or a folder that stands for one.
        is_encoder: Leave out the head, if there is one.
        config_file: As of `load_model`, and so are the next three.
        vocab_file: The vocabulary.
        spm_model_file: The SentencePiece model.
        labels: Names of the classes of a published classifier.
        do_lower_case: As in the training; None: as noted, or else True.

    Raises:
        FileNotFoundError: There is no such checkpoint or vocabulary.
        ValueError: A weight is missing or unused, or the arguments do not fit the model.
    """
    prefix = find_checkpoint(path)
    files: dict[str, Any] = {
        "config_file": config_file,
        "vocab_file": vocab_file,
        "spm_model_file": spm_model_file,
    }
    if is_fine_tuned(prefix) and not is_encoder:
        return load_model(prefix, labels=labels, do_lower_case=do_lower_case, **files)
    if labels:
        raise ValueError(f"{prefix} has no classes that --labels could name")
    meta = load_meta(prefix)
    noted = meta.task.do_lower_case if meta and meta.task else None
    case = lower_cases(noted, do_lower_case, prefix) is not False
    return load_pretrained(prefix, is_encoder=is_encoder, do_lower_case=case, **files)


def source_of(options: SourceOptions) -> Source:
    """Read the model that flags name."""
    return load_source(
        options.checkpoint,
        is_encoder=options.head == "encoder",
        config_file=options.config_file,
        vocab_file=options.vocab_file,
        spm_model_file=options.spm_model_file,
        labels=options.label_names,
        do_lower_case=options.do_lower_case,
    )
