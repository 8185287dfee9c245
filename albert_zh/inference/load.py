"""From a run directory or a checkpoint to a model in use.

```
lcqmc_output/
    best_checkpoint.json                 names model.ckpt-200: that one is taken
    model.ckpt-200.index  .data-...      the weights
    model.ckpt-200.meta.json             configuration, task
    model.ckpt-300.index  ...            the newest, taken where none is named best
    vocab.txt  spm.model                 the vocabulary; the second of SentencePiece models only
```
"""

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.files import read_shapes
from albert_zh.checkpoint.loading import load_meta, load_weights, origin_step
from albert_zh.checkpoint.meta import TaskMeta, VocabularyIdentity
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.vocabulary_check import (
    check_vocabulary,
    vocabulary_identity,
)
from albert_zh.config import ModelConfig, Pooling
from albert_zh.inference.functions import (
    ModelFunction,
    run_functions,
    task_functions,
    vector_function,
)
from albert_zh.inference.kinds import KIND_MODELS, KindModel
from albert_zh.inference.predictor import Arrays, Predictor, Runner
from albert_zh.inference.predictors import task_predictor
from albert_zh.inference.runners import function_runner, model_runner
from albert_zh.inference.text_files import find_text_files, tokenizer_of
from albert_zh.model.scope import named_variables
from albert_zh.tasks.kinds.table import find_kind
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab

_HEAD = "output_weights"  # [classes, hidden], of a classifier


@dataclasses.dataclass(frozen=True)
class FineTunedModel:
    """A model with the weights of a checkpoint, and what belongs to it."""

    prefix: str  # of the checkpoint
    step: int | None  # None: the checkpoint holds no global_step
    config: ModelConfig
    task: TaskMeta
    model: tf.Module
    text_files: dict[str, str]  # vocab.txt, and spm.model where there is one -> path
    runtime = "TensorFlow"
    has_masked_lm = False

    @property
    def kind_model(self) -> KindModel:
        return KIND_MODELS[self.task.kind]

    @property
    def do_lower_case(self) -> bool:
        return self.task.do_lower_case is not False

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return tokenizer_of(self.text_files, self.task.do_lower_case)

    def vocabulary(self) -> VocabularyIdentity:
        if {"vocab.txt", "spm.model"} <= set(self.text_files):  # Only texts need SentencePiece.
            return vocabulary_identity(Vocab.load(self.text_files["vocab.txt"]))
        return vocabulary_identity(self.tokenizer.vocab)

    def new_model(self) -> tf.Module:
        """Another model of the same form, with start values."""
        return self.kind_model.build(self.config, self.task)

    def functions(self, model: tf.Module) -> tuple[ModelFunction, ...]:
        """Functions of this model, or of a `new_model`; the first is what it is for."""
        return task_functions(self.kind_model, model)

    def outputs(self, batch: Arrays) -> Arrays:
        """Named outputs of a batch of inputs, those of the encoder too."""
        return run_functions(self.functions(self.model), batch)

    @property
    def longest(self) -> int:
        return self.task.max_seq_length or self.config.max_position_embeddings

    def head_runner(self) -> Runner:
        """The named outputs of the task's head."""
        return model_runner(self.model, self.kind_model)

    def vector_runner(self, pooling: str, layer: int | None) -> Runner:
        """Vectors of texts, as `SentenceEncoder` describes them."""
        return function_runner(vector_function(self.model, pooling, layer))

    def predictor(self) -> Predictor:
        """The model in use."""
        return task_predictor(self)


def load_model(
    path: str,
    *,
    config_file: str | None = None,
    vocab_file: str | None = None,
    spm_model_file: str | None = None,
    labels: Sequence[str] | None = None,
    do_lower_case: bool | None = None,
    dtype: tf.DType = tf.float32,
) -> FineTunedModel:
    """Read a fine-tuned model; every weight has to be there, and only training state beside.

    Args:
        path: Output directory of run_classifier.py (its best checkpoint is taken, else the
            newest), another folder with a checkpoint, or a checkpoint.
        config_file: The model's JSON file; needed where no `meta.json` stands beside the
            checkpoint, as with the published code's.
        vocab_file: The model's vocabulary; by default the `vocab.txt` beside the checkpoint, or
            else the pieces of the SentencePiece model.
        spm_model_file: The model's SentencePiece model; by default the `spm.model` beside the
            checkpoint, if there is one.
        labels: Names of the classes; numbers from 0 where neither this nor `meta.json` tells.
        do_lower_case: Lower-case texts and strip accents; by default as noted, or else True.
        dtype: Type that the layers compute in.

    Raises:
        FileNotFoundError: There is no such checkpoint or vocabulary.
        ValueError: It is no fine-tuned model, or contradicts `meta.json` or the arguments.
    """
    prefix = find_checkpoint(path)
    config, task = _description(prefix, config_file, labels, do_lower_case)
    find_kind(task.kind)
    model = KIND_MODELS[task.kind].build(config, task, dtype=dtype)
    load_weights(named_variables(model), prefix, config)
    text_files = find_text_files(os.path.dirname(prefix), vocab_file, spm_model_file)
    loaded = FineTunedModel(prefix, origin_step(prefix), config, task, model, text_files)
    check_text_files(prefix, config, loaded.vocabulary(), text_files)
    return loaded


def check_text_files(
    prefix: str,
    config: ModelConfig,
    vocabulary: VocabularyIdentity,
    text_files: Mapping[str, str],
) -> None:
    """Raise ValueError if a vocabulary from these files is not that of a checkpoint."""
    check_vocabulary(prefix, vocabulary.fingerprint)
    source = text_files.get("vocab.txt") or text_files["spm.model"]
    config.check_vocabulary_size(vocabulary.size, source=source)


def is_fine_tuned(prefix: str) -> bool:
    """True for a checkpoint with the head of a task."""
    return _HEAD in read_shapes(prefix)


def _description(
    prefix: str,
    config_file: str | None,
    labels: Sequence[str] | None,
    do_lower_case: bool | None,
) -> tuple[ModelConfig, TaskMeta]:
    """Configuration and task of a checkpoint, checked against its arrays."""
    meta = load_meta(prefix)
    given = ModelConfig.from_json_file(config_file) if config_file else None
    classes = read_shapes(prefix).get(_HEAD, (None,))[0]
    if meta is not None and meta.config is not None and meta.task is not None:
        config, task = meta.config, meta.task
        _check_agreement(prefix, config, task, given, labels)
    elif classes is None:
        raise ValueError(
            f"{prefix} is no fine-tuned classifier: it holds no {_HEAD}; fine-tune it with "
            "run_classifier.py first"
        )
    else:
        config, task = _published_description(prefix, given, labels, classes)
    expected = KIND_MODELS[task.kind].classes(task) if task.kind in KIND_MODELS else classes
    if classes not in (None, expected):
        raise ValueError(
            f"{prefix} tells {classes} classes apart, but there are {len(task.labels)} labels: "
            f"{', '.join(task.labels)}"
        )
    case = lower_cases(task.do_lower_case, do_lower_case, prefix)
    return config, dataclasses.replace(task, do_lower_case=case)


def _published_description(
    prefix: str, config: ModelConfig | None, labels: Sequence[str] | None, classes: int
) -> tuple[ModelConfig, TaskMeta]:
    """Configuration and task of a published checkpoint: a classifier of the pooled output."""
    if config is None:
        raise ValueError(
            f"{prefix} has no {os.path.basename(prefix)}.meta.json beside it, so its sizes are not "
            "known; give the JSON file of the model with --config_file"
        )
    logging.warning(
        "%s has no meta.json: its head is taken for a classifier of the pooled output", prefix
    )
    names = tuple(labels or map(str, range(classes)))
    return config, TaskMeta(
        name=None,
        labels=names,
        max_seq_length=None,
        pooling=Pooling.POOLED,
        do_lower_case=None,
    )


def _check_agreement(
    prefix: str,
    config: ModelConfig,
    task: TaskMeta,
    given: ModelConfig | None,
    labels: Sequence[str] | None,
) -> None:
    if given not in (None, config):
        raise ValueError(
            f"--config_file differs from the configuration in {prefix}.meta.json; leave it out"
        )
    if labels and tuple(labels) != task.labels:
        raise ValueError(
            f"--labels={','.join(labels)} differs from {prefix}.meta.json, which has "
            f"{','.join(task.labels)}; leave it out"
        )


def lower_cases(noted: bool | None, given: bool | None, prefix: str) -> bool | None:
    """The case that a checkpoint notes, or else the given one.

    Raises:
        ValueError: They differ.
    """
    if noted is not None and given not in (None, noted):
        raise ValueError(
            f"--do_lower_case={given} differs from {prefix}.meta.json, which has {noted}; leave it "
            "out"
        )
    return given if noted is None else noted
