"""A fine-tuned classifier as training left it: found, read, checked against what is known of it.

lcqmc_output/
    best_checkpoint.json                 names model.ckpt-200: that one is taken
    model.ckpt-200.index  .data-...      the weights
    model.ckpt-200.meta.json             configuration, labels, pooling
    model.ckpt-300.index  ...            the newest, taken where none is named best
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.files import read_meta, read_shapes
from albert_zh.checkpoint.loading import load_weights, read_step
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.config import ModelConfig, Pooling
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables

_HEAD = "output_weights"  # [classes, hidden]


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a checkpoint's arrays do not tell."""

    config: ModelConfig
    labels: tuple[str, ...]  # a label's place is its id
    pooling: Pooling = Pooling.POOLED
    task_name: str | None = None  # None, here and below: not recorded
    max_seq_length: int | None = None  # tokens, of the training
    do_lower_case: bool | None = None

    def task(self) -> dict[str, Any]:
        """All but the configuration, as JSON values."""
        return TaskMeta(
            name=self.task_name,
            labels=self.labels,
            max_seq_length=self.max_seq_length,
            pooling=self.pooling,
            do_lower_case=self.do_lower_case,
        ).to_json()


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """A classifier with the weights of a checkpoint."""

    prefix: str  # of the checkpoint
    step: int | None  # None: the checkpoint holds no global_step
    facts: Facts
    model: Classifier

    def outputs(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the model makes of a batch of `[B, L] int32` inputs, without any export."""
        inputs = {name: tf.constant(value) for name, value in batch.items()}
        logits = self.model(**inputs)
        encoded = self.model.albert(**inputs)
        return {
            "logits": logits.numpy(),  # [B, C]
            "probabilities": tf.nn.softmax(logits).numpy(),  # [B, C]
            "pooled_output": encoded.pooled.numpy(),  # [B, D]
            "sequence_output": encoded.sequence.numpy(),  # [B, L, D]
        }


def read_fine_tuned(
    prefix: str, *, config_file: str | None = None, labels: Sequence[str] | None = None
) -> FineTuned:
    """Reads a classifier; every weight has to be there, and nothing but them and training state.

    Args:
        prefix: The checkpoint, without its ending.
        config_file: The model's JSON file; needed where no `meta.json` stands beside the
            checkpoint, as with the published code's.
        labels: Names of the classes; numbers from 0 where neither this nor `meta.json` tells.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is no classifier, or it contradicts what `meta.json` or the arguments say.
    """
    stored = read_shapes(prefix)
    if _HEAD not in stored:
        raise ValueError(
            f"{prefix} is no fine-tuned classifier: it holds no {_HEAD}; fine-tune it with "
            "run_classifier.py first"
        )
    facts = _facts(prefix, stored[_HEAD][0], config_file=config_file, labels=labels)
    model = Classifier(facts.config, len(facts.labels), pooling=facts.pooling)
    load_weights(named_variables(model), prefix, facts.config)
    return FineTuned(prefix, read_step(prefix), facts, model)


def _facts(
    prefix: str, classes: int, *, config_file: str | None, labels: Sequence[str] | None
) -> Facts:
    meta = read_meta(prefix)
    given = ModelConfig.from_json_file(config_file) if config_file else None
    if meta is not None:
        facts = _facts_of_meta(prefix, meta)
        _check_agreement(prefix, facts, given, labels)
    elif given is not None:
        facts = Facts(given, tuple(labels or map(str, range(classes))))
    else:
        raise ValueError(
            f"{prefix} has no {os.path.basename(prefix)}.meta.json beside it, so its sizes are not "
            "known; give the JSON file of the model with --config_file"
        )
    if len(facts.labels) != classes:
        raise ValueError(
            f"{prefix} tells {classes} classes apart, but there are {len(facts.labels)} labels: "
            f"{', '.join(facts.labels)}"
        )
    return facts


def _facts_of_meta(prefix: str, meta: Mapping[str, Any]) -> Facts:
    try:
        typed = CheckpointMeta.from_json(meta)
        if typed.config is None or typed.task is None:
            raise ValueError("it has no config or no task")
        return Facts(
            config=typed.config,
            labels=typed.task.labels,
            pooling=typed.task.pooling,
            task_name=typed.task.name,
            max_seq_length=typed.task.max_seq_length,
            do_lower_case=typed.task.do_lower_case,
        )
    except ValueError as error:
        raise ValueError(
            f"{prefix}.meta.json does not describe a classifier ({error}); if it is damaged, move "
            "it away and give --config_file and --labels"
        ) from None


def _check_agreement(
    prefix: str, facts: Facts, config: ModelConfig | None, labels: Sequence[str] | None
) -> None:
    if config not in (None, facts.config):
        raise ValueError(
            f"--config_file differs from the configuration in {prefix}.meta.json; leave it out"
        )
    if labels and tuple(labels) != facts.labels:
        raise ValueError(
            f"--labels={','.join(labels)} differs from {prefix}.meta.json, which has "
            f"{','.join(facts.labels)}; leave it out"
        )
