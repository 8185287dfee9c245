"""A training run: its options, its directory, and where its weights come from.

What `run_pretraining.py` and `run_classifier.py` share. Weights come from, in this order:

1. the newest checkpoint of the output directory: the run goes on where it stopped;
2. `--init_checkpoint`: the weights alone, with new moments, from step 0;
3. nowhere: random values, a function of the seed.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.files import (
    read_arrays,
    read_meta,
    read_shapes,
    write_json,
)
from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.names import GLOBAL_STEP, initial_plan, plan_load
from albert_zh.config import ModelConfig
from albert_zh.model.scope import named_variables
from albert_zh.options import REQUIRED, option
from albert_zh.text.vocab import Vocab
from albert_zh.train.loop import LoopOptions, train
from albert_zh.train.optimizers import Optimizer, OptimizerOptions, Rule
from albert_zh.train.schedules import ScheduleOptions, polynomial_decay_with_warmup
from albert_zh.train.step import Objective, Trainer
from albert_zh.train.strategy import TpuAddress
from albert_zh.variants import variant_of

_OWN_VOCABULARY = os.path.join(os.path.dirname(__file__), "..", "albert_config", "vocab.txt")

# Flags beside the batch sizes of which there is no 0.
_COUNTS = frozenset({"save_checkpoints_steps", "iterations_per_loop"})


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Flags of every training script."""

    bert_config_file: str = option(
        REQUIRED,
        "JSON file with the sizes of the model; for published weights, the file they came with.",
        alias="albert_config_file",
    )
    output_dir: str = option(
        REQUIRED, "Where checkpoints and results go. A directory with checkpoints is resumed."
    )
    init_checkpoint: str | None = option(
        None,
        "Checkpoint to start from, without its ending, such as albert_tiny_zh/albert_model.ckpt; "
        "brightmart's and google's load. Random weights when left out.",
    )
    init_from_group0: bool = option(
        False, "Fill layer groups that --init_checkpoint does not hold from its group 0."
    )
    save_checkpoints_steps: int = option(1000, "Steps between checkpoints.")
    keep_checkpoint_max: int = option(5, "Newest checkpoints that are kept; 0 keeps all.")
    iterations_per_loop: int = option(
        1000, "At most so many steps in one call to the device. Fewer are taken on slow devices."
    )
    random_seed: int = option(12345, "Seed of start weights, dropout and order of the data.")
    use_tpu: bool = option(False, "Train on a TPU.")
    tpu_name: str | None = option(
        None,
        "Name or address of the TPU, such as grpc://10.240.1.2:8470; the one of this machine "
        "when left out.",
        alias="master",
    )
    tpu_zone: str | None = option(None, "Zone of the TPU, where its name alone does not tell.")
    gcp_project: str | None = option(None, "Project of the TPU, where it is not the machine's.")
    num_tpu_cores: int | None = option(
        None, "Cores the TPU is expected to have; another number is an error."
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            counts = field.name.endswith("batch_size") or field.name in _COUNTS
            if counts and getattr(self, field.name) < 1:
                value = getattr(self, field.name)
                raise ValueError(f"--{field.name}={value}: it must be at least 1")

    def tpu_address(self) -> TpuAddress | None:
        if not self.use_tpu:
            return None
        return TpuAddress(self.tpu_name, self.tpu_zone, self.gcp_project, self.num_tpu_cores)


def optimizer_options(rule: Rule, config: ModelConfig) -> OptimizerOptions:
    """The rule as the configuration's lineage applied it, under the slot names it stored."""
    variant = variant_of(config)
    if rule is Rule.ADAMW:
        return OptimizerOptions(rule)
    return OptimizerOptions(
        rule, slots=variant.lamb_slots, adapts_excluded=variant.lamb_adapts_excluded
    )


class Run:
    """The checkpoints of one output directory, all of the same model, vocabulary and task."""

    def __init__(self, options: RunOptions, *, identity: Mapping[str, Any]):
        """
        Args:
            options: The run's flags, kept in `options.json` and in each checkpoint's meta file.
            identity: What the checkpoints of a run have in common (model configuration,
                vocabulary, task, data, weights it began with), as JSON values. A run that only
                reads checkpoints may leave out what does not matter to it.

        Raises:
            ValueError: The directory holds a run of another identity, or foreign checkpoints.
        """
        self._options = options
        self._identity = json.loads(json.dumps(identity))
        self.checkpoints = CheckpointManager(
            options.output_dir, keep_max=options.keep_checkpoint_max
        )
        self._check_directory()

    def start(
        self, model: tf.Module, *, new_parts: Sequence[str], spare_parts: Sequence[str]
    ) -> None:
        """Fills the model from the initial checkpoint, if there is one and nothing to resume.

        Args:
            model: With random values.
            new_parts: Prefixes of names that may start at random all the same.
            spare_parts: Prefixes of stored names that the model may have no use for.
        """
        prefix = self._options.init_checkpoint
        if self.checkpoints.latest():
            return
        if not prefix:
            logging.info("starting from random weights, seed %d", self._options.random_seed)
            return
        variables = named_variables(model)
        plan = initial_plan(
            {name: tuple(variable.shape) for name, variable in variables.items()},
            read_shapes(prefix),
            ModelConfig.from_dict(self._identity["config"]),
            new_parts=new_parts,
            spare_parts=spare_parts,
            from_group_0=self._options.init_from_group0,
        )
        _assign(variables, prefix, plan.loaded)
        logging.info("loaded %d variables from %s", len(plan.loaded), prefix)
        for name in (*plan.missing, *plan.misshapen):
            logging.warning("%s starts at random: the checkpoint has none that fits", name)

    def fit(
        self,
        model: tf.Module,
        objective: Objective,
        *,
        rule: Rule,
        schedule: ScheduleOptions,
        batches: Callable[[int], tf.data.Dataset],
        strategy: tf.distribute.Strategy,
        after_save: Callable[[int], None] = lambda step: None,
    ) -> None:
        """Trains from the newest checkpoint, or from step 0, to the last step.

        Args:
            model: Filled by `start`.
            objective: Of the model.
            rule: Update rule, applied as the lineage of the model did.
            schedule: Of the learning rate; its end is the run's.
            batches: From a step on, as an uninterrupted run would see them.
            strategy: Where to train; the model was made in its scope.
            after_save: Called with the step of every checkpoint, step 0 included.
        """
        config = ModelConfig.from_dict(self._identity["config"])
        with strategy.scope():
            optimizer = Optimizer(model.trainable_variables, optimizer_options(rule, config))
        trainer = Trainer(
            objective=objective,
            optimizer=optimizer,
            schedule=polynomial_decay_with_warmup(schedule),
            seed=self._options.random_seed,
            strategy=strategy,
        )
        state = {
            **named_variables(model),
            **named_variables(optimizer),
            GLOBAL_STEP: trainer.step,
        }
        if prefix := self.checkpoints.latest():
            load_exactly(state, prefix)
            logging.info("resuming from %s", prefix)
        step = int(trainer.step)
        if step >= schedule.num_train_steps:
            logging.info("at step %d of %d: nothing to train", step, schedule.num_train_steps)
            return

        def save(step: int) -> None:
            self._save(step, state)
            after_save(step)

        self._write_options()
        if not prefix:
            save(step)  # A directory that cannot be written is found out now.
        train(
            trainer,
            iter(strategy.experimental_distribute_dataset(batches(step))),
            LoopOptions(
                until=schedule.num_train_steps,
                save_every=self._options.save_checkpoints_steps,
                iterations_per_loop=self._options.iterations_per_loop,
            ),
            save=save,
            record=self.record,
        )

    def _save(self, step: int, state: Mapping[str, tf.Variable]) -> None:
        arrays = {
            name: variable.read_value() for name, variable in state.items() if name != GLOBAL_STEP
        }
        meta = {**self._identity, "options": dataclasses.asdict(self._options)}
        self.checkpoints.save(step, arrays, meta)

    def _write_options(self) -> None:
        """Leaves the flags in the directory, for whoever looks at it later."""
        path = os.path.join(self._options.output_dir, "options.json")
        write_json(path, dataclasses.asdict(self._options))

    def record(self, row: Mapping[str, Any]) -> None:
        """Appends a line of numbers to `history.jsonl`."""
        path = os.path.join(self._options.output_dir, "history.jsonl")
        with tf.io.gfile.GFile(path, "a") as file:
            file.write(json.dumps(row) + "\n")

    def _check_directory(self) -> None:
        latest, directory = self.checkpoints.latest(), self._options.output_dir
        if latest is None:
            pattern = os.path.join(directory, "*.ckpt*.index")
            foreign = [path for path in tf.io.gfile.glob(pattern) if ".tmp" not in path]
            if foreign:
                raise ValueError(
                    f"{foreign[0]} is no checkpoint of a run, so it cannot be resumed; start from "
                    f"it with --init_checkpoint={foreign[0].removesuffix('.index')} and another "
                    "--output_dir"
                )
            return
        meta = read_meta(latest)
        if meta is None:
            logging.warning("%s says nothing of its model; it is taken as this one's", latest)
            return
        for key, value in self._identity.items():
            if meta.get(key) != value:
                raise ValueError(
                    f"{directory} holds another run: its {key} is {meta.get(key)}, this one's is "
                    f"{value}; choose another --output_dir"
                )


def load_exactly(variables: Mapping[str, tf.Variable], prefix: str) -> None:
    """Fills all variables from a checkpoint that holds them under the same names.

    Raises:
        ValueError: One of them is missing or of another shape.
    """
    stored = read_shapes(prefix)
    wanted = {name: tuple(variable.shape) for name, variable in variables.items()}
    plan = plan_load(wanted, {name: stored[name] for name in stored if name in wanted})
    if complaint := plan.complaint():
        raise ValueError(f"{prefix} does not fit the model and its optimizer:\n{complaint}")
    _assign(variables, prefix, plan.loaded)


def _assign(variables: Mapping[str, tf.Variable], prefix: str, loaded: Mapping[str, str]) -> None:
    arrays = read_arrays(prefix, set(loaded.values()))
    for name, source in loaded.items():
        variables[name].assign(arrays[source])


def check_lengths(max_seq_length: int, config: ModelConfig, *, source: str) -> None:
    """Raises ValueError where the model, configured in `source`, has too few positions."""
    if max_seq_length > config.max_position_embeddings:
        raise ValueError(
            f"max_seq_length {max_seq_length} exceeds max_position_embeddings "
            f"{config.max_position_embeddings} in {source}; lower --max_seq_length or choose "
            "another configuration"
        )


def vocabulary_identity(vocab: Vocab) -> dict[str, Any]:
    """A vocabulary as checkpoints and records remember it."""
    return {"fingerprint": vocab.fingerprint, "size": len(vocab)}


def check_vocabulary_size(size: int, config: ModelConfig, *, source: str) -> None:
    """Raises ValueError unless the model has a row for every entry, and none to spare."""
    if size != config.vocab_size:
        raise ValueError(
            f"{source} has {size:,} entries, the model's configuration says vocab_size "
            f"{config.vocab_size:,}; use the vocabulary and the configuration of one model"
        )


def check_vocabulary(prefix: str, fingerprint: str) -> None:
    """Raises ValueError where a checkpoint was, or must have been, trained with other ids.

    Token ids mean nothing without their vocabulary, and a wrong one of the right size would
    train on without an error.

    Args:
        prefix: The checkpoint to start from.
        fingerprint: Of the vocabulary in use.
    """
    meta = read_meta(prefix) or {}
    beside = os.path.join(os.path.dirname(prefix), "vocab.txt")
    trained_with = (meta.get("vocabulary") or {}).get("fingerprint")
    if trained_with is None and tf.io.gfile.exists(beside):
        trained_with = Vocab.load(beside).fingerprint
    if trained_with is None and fingerprint == Vocab.load(_OWN_VOCABULARY).fingerprint:
        raise ValueError(
            f"{prefix} comes from another toolkit, so it was not trained with this project's "
            "albert_config/vocab.txt; use the vocab.txt that came with it (for pretraining, "
            "create the records with it)"
        )
    if trained_with not in (None, fingerprint):
        where = f" ({beside})" if tf.io.gfile.exists(beside) else ""
        raise ValueError(
            f"{prefix} was trained with another vocabulary than the one in use; use the vocab.txt "
            f"that came with it{where} (for pretraining, create the records with it)"
        )
