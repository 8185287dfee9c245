"""A pretrained model in use: with its masked-LM head, or the encoder alone."""

import dataclasses
import functools
import os

import tensorflow as tf

from albert_zh.checkpoint.files import read_shapes
from albert_zh.checkpoint.loading import load_initial, load_meta, load_weights, origin_step
from albert_zh.checkpoint.meta import TaskMeta, VocabularyIdentity
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.inference.functions import (
    ModelFunction,
    pretrained_functions,
    run_functions,
    vector_function,
)
from albert_zh.inference.load import check_text_files
from albert_zh.inference.predictor import Arrays, Runner
from albert_zh.inference.runners import function_runner
from albert_zh.inference.text_files import find_text_files, tokenizer_of
from albert_zh.model.heads.catalog import MODELS
from albert_zh.model.heads.encoder import EncoderModel
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.text.tokenizers import Tokenizer

_HEAD = "cls/predictions/"


@dataclasses.dataclass(frozen=True)
class PretrainedModel:
    """A model with the weights of a checkpoint, and what belongs to it."""

    prefix: str  # of the checkpoint
    step: int | None  # None: the checkpoint holds no global_step
    config: ModelConfig
    model: PretrainingModel | EncoderModel
    text_files: dict[str, str]  # vocab.txt, and spm.model where there is one -> path
    runtime = "TensorFlow"
    do_lower_case: bool = True
    task: TaskMeta | None = None  # there is none

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return tokenizer_of(self.text_files, self.do_lower_case)

    def vocabulary(self) -> VocabularyIdentity:
        return vocabulary_identity(self.tokenizer.vocab)

    def new_model(self) -> tf.Module:
        """Another model of the same form, with start values."""
        return type(self.model)(self.config)

    def functions(self, model: tf.Module) -> tuple[ModelFunction, ...]:
        """Functions of this model, or of a `new_model`; the first is what it is for."""
        return pretrained_functions(model)

    @property
    def has_masked_lm(self) -> bool:
        return isinstance(self.model, PretrainingModel)

    @property
    def longest(self) -> int:
        return self.config.max_position_embeddings

    def head_runner(self) -> Runner:
        """The named outputs of the masked-LM head, or of the encoder where there is none."""
        return function_runner(self.functions(self.model)[0])

    def vector_runner(self, pooling: str, layer: int | None) -> Runner:
        """Vectors of texts, as `SentenceEncoder` describes them."""
        return function_runner(vector_function(self.model, pooling, layer))

    def outputs(self, batch: Arrays) -> Arrays:
        """Named outputs of a batch of inputs, of all functions."""
        return run_functions(self.functions(self.model), batch)


def has_masked_lm(prefix: str) -> bool:
    """True for a checkpoint with a masked-LM head."""
    return any(name.startswith(_HEAD) for name in read_shapes(prefix))


def load_pretrained(
    path: str,
    *,
    config_file: str | None = None,
    vocab_file: str | None = None,
    spm_model_file: str | None = None,
    do_lower_case: bool = True,
    is_encoder: bool = False,
) -> PretrainedModel:
    """Read a pretrained model.

    Args:
        path: A checkpoint, or a folder that stands for one.
        config_file: The model's JSON file; needed where no `meta.json` stands beside the
            checkpoint, as with the published code's.
        vocab_file: The vocabulary; by default the `vocab.txt` beside the checkpoint.
        spm_model_file: The SentencePiece model; by default the `spm.model` beside the checkpoint.
        do_lower_case: Lower-case texts and strip accents, as in pretraining.
        is_encoder: Leave out the head, if there is one.

    Raises:
        FileNotFoundError: There is no such checkpoint or vocabulary.
        ValueError: A weight is missing or unused, or a file is of another model.
    """
    prefix = find_checkpoint(path)
    config = _configuration(prefix, config_file)
    files = find_text_files(os.path.dirname(prefix), vocab_file, spm_model_file)
    has_head = has_masked_lm(prefix) and not is_encoder
    model = PretrainingModel(config) if has_head else EncoderModel(config)
    if has_head:
        load_weights(named_variables(model), prefix, config)
    else:
        heads = [name for each in MODELS for name in each.stored_names]
        load_initial(named_variables(model), prefix, config, own_head=(), other_heads=heads)
    loaded = PretrainedModel(prefix, origin_step(prefix), config, model, files, do_lower_case)
    check_text_files(prefix, config, loaded.vocabulary(), files)
    return loaded


def _configuration(prefix: str, config_file: str | None) -> ModelConfig:
    if config_file:
        return ModelConfig.from_json_file(config_file)
    meta = load_meta(prefix)
    if meta is None or meta.config is None:
        raise ValueError(
            f"{prefix} has no {os.path.basename(prefix)}.meta.json beside it, so its sizes are not "
            "known; give the JSON file of the model with --config_file"
        )
    return meta.config
