"""The identity of a run: the facts that all of its checkpoints share.

```
config  vocabulary  task           the model
initial_weights                    a fingerprint of the checkpoint it began with, or "random"
training_data  random_seed  ...    the data and their order
```
A directory holds one run. What is unknown on one side is taken for the same.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from absl import logging

from albert_zh.checkpoint.loading import load_meta, read_step
from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.meta import GONE, INITIAL_WEIGHTS, RANDOM, CheckpointMeta
from albert_zh.checkpoint.paths import checkpoints_in, newest_by_state
from albert_zh.checkpoint.vocabulary_check import check_vocabulary

AIDS = "training_aids"  # those that are on, with their settings

_MAY_BE_UNKNOWN = frozenset({"vocabulary", INITIAL_WEIGHTS})


def resumed_identity(
    checkpoints: CheckpointManager, identity: CheckpointMeta, sources: Mapping[str, str]
) -> CheckpointMeta:
    """The identity of the run in a directory: the given one, with what only its checkpoints know.

    Args:
        checkpoints: Those of the directory.
        identity: What the flags tell.
        sources: Files whose fingerprints are in the identity, by key, for messages.

    Raises:
        ValueError: The directory holds another run, or checkpoints of no run.
    """
    latest, directory = checkpoints.latest(), checkpoints.directory
    meta = load_meta(latest) if latest else None
    if meta is None:
        _check_foreign(checkpoints)
        if latest and identity.vocabulary:
            check_vocabulary(latest, identity.vocabulary.fingerprint)
        return identity
    # Earlier versions had no aids.
    stored, own = {AIDS: {}, **meta.identity()}, json.loads(json.dumps(identity.identity()))
    if not identity.training and meta.task and identity.task:
        # An evaluation may read more or less of each text.
        stored["task"]["max_seq_length"] = own["task"]["max_seq_length"]
    if meta.task and identity.task and meta.task.num_texts is None:
        own["task"].pop("num_texts", None)  # Earlier versions did not store it.
    for key, value in own.items():
        if stored.get(key) != value and not _is_unknown(key, stored.get(key), value):
            difference = _difference(key, stored.get(key), value, sources)
            raise ValueError(
                f"{directory} holds another run: {difference}. In a run, the model, the data and "
                "their order stay the same; choose another "
                f"--output_dir (--init_checkpoint={latest} starts from its weights)"
            )
    if (meta.vocabulary is None) != (identity.vocabulary is None):
        logging.warning(
            "%s: no manifest told the vocabulary of the %s, so it is taken for that of the %s",
            directory,
            *(("run", "records") if meta.vocabulary is None else ("records", "run")),
        )
    training = dict(identity.training)
    if training.get(INITIAL_WEIGHTS) in (None, GONE) and INITIAL_WEIGHTS in stored:
        training[INITIAL_WEIGHTS] = stored[INITIAL_WEIGHTS]
    return dataclasses.replace(
        identity, vocabulary=identity.vocabulary or meta.vocabulary, training=training
    )


def _is_unknown(key: str, stored: Any, own: Any) -> bool:
    """True where nothing tells whether the two are the same."""
    if key not in _MAY_BE_UNKNOWN:
        return False
    return None in (stored, own) or (own == GONE and stored != RANDOM)


def _difference(key: str, stored: Any, own: Any, sources: Mapping[str, str]) -> str:
    """Name the values, or those inside them, that differ."""
    if isinstance(stored, dict) and isinstance(own, dict):
        for name in stored | own:
            if stored.get(name) != own.get(name):
                return _difference(f"{key}: {name}", stored.get(name), own.get(name), sources)
    whole = key.removesuffix(": fingerprint")
    if sources.get(whole) and stored not in (None, RANDOM) and own != GONE:
        return f"{sources[whole]} is not its {whole.replace('_', ' ')}"
    return f"its {key} is {stored}, this one's is {own}"


def _check_foreign(checkpoints: CheckpointManager) -> None:
    """Raise ValueError for checkpoints of other programs that are no `model.ckpt-N` to resume."""
    steps, directory = checkpoints.steps(), checkpoints.directory
    own = {f"model.ckpt-{step}" for step in steps}
    for name in checkpoints_in(directory):
        prefix = os.path.join(directory, name)
        if ".ckpt" not in name or name in own:
            continue
        start = f"start from it with --init_checkpoint={prefix} and another --output_dir"
        if not steps:
            raise ValueError(
                f"{prefix} is no checkpoint of a run, so it cannot be resumed; {start}"
            )
        if name.endswith("-best") and (read_step(prefix) or 0) > steps[-1]:
            raise ValueError(
                f"{prefix} is of step {read_step(prefix)}, the newest to resume of step "
                f"{steps[-1]}; {start}, or move it away"
            )
    newest = newest_by_state(directory)
    if steps and newest and os.path.basename(newest) != f"model.ckpt-{steps[-1]}":
        raise ValueError(
            f"{directory}/checkpoint names {os.path.basename(newest)}, but there is a newer "
            f"model.ckpt-{steps[-1]}; move the newer ones away to go on from the named one, or "
            "the file `checkpoint` to go on from the newest"
        )
    if steps:
        logging.warning(
            "%s names no model; taking it for a checkpoint of this run", checkpoints.latest()
        )
