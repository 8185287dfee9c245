"""Training aids of a fine-tuning: what they need of the run, its data and its teachers."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from albert_zh.aids.class_weights import inverse_frequency
from albert_zh.aids.composition import aided
from albert_zh.aids.distillation import Teacher
from albert_zh.aids.learning_rates import learning_rate_factors
from albert_zh.aids.options import INVERSE_FREQUENCY
from albert_zh.checkpoint.fingerprint import weights_fingerprint
from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.finetuning.data import Data
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.inference.load import load_model
from albert_zh.tasks.features import Features
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.train.metrics import Objective


def aids_identity(options: ClassifierOptions) -> dict[str, Any]:
    """The aids that are on, which stay the same when a run resumes; teachers by their weights."""
    chosen = options.chosen_aids()
    if options.teacher_model:
        prefixes = [find_checkpoint(path, flag="teacher_model") for path in options.teacher_paths()]
        chosen["teacher_model"] = [weights_fingerprint(prefix) for prefix in prefixes]
    return chosen


def aided_objective(
    options: ClassifierOptions, model: tf.Module, data: Data, meta: TaskMeta, tokenizer: Tokenizer
) -> Objective:
    """The objective of a training, with the aids that the flags ask for.

    Call it in the scope of the strategy.

    Raises:
        ValueError, OSError: A teacher is missing or does not fit.
    """
    kind_model = KIND_MODELS[meta.kind]
    return aided(
        functools.partial(kind_model.objective, model),
        model,
        options,
        class_weights=_class_weights(options, data.features["train"], meta),
        teachers=[_teacher(options, path, meta, tokenizer) for path in options.teacher_paths()],
    )


def rate_factors(options: ClassifierOptions, model: tf.Module) -> dict[str, float]:
    """Factors of the learning rate that the flags ask for, by name of the variable."""
    decay, head_factor = options.layerwise_lr_decay or 1.0, options.head_lr_factor or 1.0
    return learning_rate_factors(model, decay=decay, head_factor=head_factor)


def _class_weights(
    options: ClassifierOptions, features: Features, meta: TaskMeta
) -> list[float] | None:
    if not options.class_weights:
        return None
    is_tagging = meta.kind == "tagging"
    if options.class_weights == INVERSE_FREQUENCY:
        labels = features.token_targets["tags"] if is_tagging else features.targets["label_ids"]
        weights = inverse_frequency(labels[labels >= 0], KIND_MODELS[meta.kind].classes(meta))
    else:
        given = options.given_class_weights(kind=meta.kind, labels=meta.labels)
        weights = [given.get(label, 1.0) for label in meta.labels]
        if is_tagging:  # Outside, and begin and inside of each type.
            weights = [given.get("O", 1.0), *np.repeat(weights, 2).tolist()]
    logging.info("weights of the classes: %s", ", ".join(f"{weight:.3g}" for weight in weights))
    return weights


def _teacher(
    options: ClassifierOptions, path: str, meta: TaskMeta, tokenizer: Tokenizer
) -> Teacher:
    loaded = load_model(path, dtype=tf.as_dtype(options.precision))
    theirs = loaded.task
    if difference := theirs.difference(kind=meta.kind, labels=meta.labels):
        raise ValueError(f"--teacher_model={path}: {difference}; name a model of the same task")
    same_case = theirs.do_lower_case in (None, meta.do_lower_case)
    if loaded.vocabulary().fingerprint != tokenizer.vocab.fingerprint or not same_case:
        raise ValueError(
            f"--teacher_model={path} splits texts into other tokens: its vocabulary or "
            "--do_lower_case differs; a teacher has to read the same tokens as its student"
        )
    loaded.config.check_length(options.max_seq_length, source=f"--teacher_model={path}")
    logging.info("teacher: %s", loaded.prefix)
    kind_model = KIND_MODELS[meta.kind]
    return Teacher(functools.partial(kind_model.objective, loaded.model), loaded.model.albert)
