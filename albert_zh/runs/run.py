"""A training run: its directory, where its weights come from, and its training.

What `run_pretraining.py` and `run_classifier.py` share. Weights come from, in this order:

1. the newest checkpoint of the output directory: the run goes on where it stopped;
2. `--init_checkpoint`: the weights alone, with new moments, from step 0;
3. nowhere: random values, a function of the seed.

Of several workers all read the directory, and the chief alone writes into it.
"""

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh import estimates
from albert_zh.checkpoint.files import read_shapes
from albert_zh.checkpoint.loading import load_exactly, load_initial, load_meta
from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.names import GLOBAL_STEP, LoadPlan
from albert_zh.config import ModelConfig
from albert_zh.model.heads import catalog
from albert_zh.model.scope import named_variables
from albert_zh.runs.history import History
from albert_zh.runs.options import RunOptions
from albert_zh.train.agreement import agree, of_chief
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.devices import is_accelerated, local_devices, memory_limit, should_compile
from albert_zh.train.loop import Hooks, LoopOptions, Stretch, Workload, train
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.precision import Precision
from albert_zh.train.rules import Rule
from albert_zh.train.schedules import ScheduleOptions, polynomial_decay_with_warmup
from albert_zh.train.step import Objective, Trainer
from albert_zh.train.stopping import StopSignals
from albert_zh.train.strategy import distribute_batches, is_chief
from albert_zh.train.summaries import SummaryWriter
from albert_zh.train.watchdog import Watchdog
from albert_zh.util.object_files import write_json
from albert_zh.variants import variant_of

# What a row of the history says of itself rather than of the training.
_NOT_CURVES = ("step", "steps", "spike")


@dataclasses.dataclass(frozen=True)
class Lengths:
    """Of an example, in tokens."""

    max_seq_length: int
    max_predictions_per_seq: int = 0  # 0 without masked LM


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """What is measured while training, at step 0, in between and at the end."""

    scores: Callable[[int], Mapping[str, float]]  # of the model, at a step; "loss" is judged by
    every: int | None = None  # steps; None: at every checkpoint


def optimizer_options(rule: Rule, config: ModelConfig) -> OptimizerOptions:
    """The rule as the configuration's lineage applied it, under the slot names it stored."""
    variant = variant_of(config)
    if rule is Rule.ADAMW:
        return OptimizerOptions(rule)
    return OptimizerOptions(
        rule, slots=variant.lamb_slots, adapts_excluded=variant.lamb_adapts_excluded
    )


@dataclasses.dataclass(frozen=True)
class Training:
    """What `Run.fit` does with a model."""

    objective: Objective  # of the model
    rule: Rule  # applied as the lineage of the model did
    schedule: ScheduleOptions  # its end is the run's
    batches: Callable[[int], tf.data.Dataset]  # global ones from a step on, endless
    plan: BatchPlan  # how they are parted, of `Run.batch_plan`
    workload: Workload  # of a step
    facts: Mapping[str, Any]  # for `run.json`, beside what is known here
    variables: Sequence[tf.Variable] | None = None  # trained; None: all that can be
    held_out: HeldOut | None = None
    # Where the batch of a step count stands in the data.
    describe_batch: Callable[[int], str] = "batch {}".format


class Run:
    """One output directory: checkpoints and history of the same model, data and task."""

    def __init__(
        self,
        options: RunOptions,
        *,
        identity: CheckpointMeta,
        strategy: tf.distribute.Strategy | None = None,
    ):
        """
        Args:
            options: The run's flags, kept in `options.json` and in each checkpoint's meta file.
            identity: What the checkpoints of a run have in common (model configuration,
                vocabulary, task, data and their order, weights it began with). A run that only
                reads checkpoints may leave out what does not matter to it.
            strategy: Where to train; on one device when left out.

        Raises:
            ValueError: The directory holds a run of another identity, or foreign checkpoints.
        """
        self._options = options
        self._strategy = strategy or tf.distribute.get_strategy()
        self._identity, self._config = identity, identity.config
        self._history = History(options.output_dir)
        self._summaries: SummaryWriter | None = None
        self._start = LoadPlan({}, [], [], {})
        self.is_chief = is_chief(self._strategy)
        self.checkpoints = CheckpointManager(
            options.output_dir,
            keep_max=options.keep_checkpoint_max,
            keep_every_hours=options.keep_checkpoint_every_n_hours,
        )
        self._check_directory()

    def start(self, model: tf.Module, *, grow_positions: bool = False) -> None:
        """Fills the model from the initial checkpoint, if there is one and nothing to resume.

        Args:
            model: One of `model.heads.catalog`, with random values. Its head may keep them.
            grow_positions: Whether the model may have more positions than are stored; the further
                ones keep their random values.
        """
        options = self._options
        if self.checkpoints.latest():
            return
        if not options.init_checkpoint:
            logging.info("starting from random weights, seed %d", options.random_seed)
            return
        self._start = load_initial(
            named_variables(model),
            options.init_checkpoint,
            self._config,
            own_head=model.stored_names,
            other_heads=[
                name
                for other in catalog.MODELS
                for name in other.stored_names
                if name not in model.stored_names
            ],
            from_group_0=options.init_from_group0,
            grow_positions=grow_positions,
        )

    def batch_plan(self, global_batch: int, lengths: Lengths) -> BatchPlan:
        """How a step's examples are parted: over the replicas, and what each computes at once.

        A resumed run parts them as it did before, so that it ends with the same bits.

        Raises:
            ValueError: The batch does not divide, or not even one example fits.
        """
        options, replicas = self._options, self._strategy.num_replicas_in_sync
        if options.micro_batch_size:
            return BatchPlan.make(
                global_batch, num_replicas=replicas, micro_batch=options.micro_batch_size
            )
        before = self.checkpoints.latest_meta().batch_plan or {}
        if before.get("num_replicas") == replicas and before.get("global_batch") == global_batch:
            return BatchPlan.make(
                global_batch, num_replicas=replicas, micro_batch=before["micro_batch"]
            )
        memory = of_chief(self._strategy, memory_limit() or 0)
        if not memory:
            return BatchPlan.make(global_batch, num_replicas=replicas)
        limit = estimates.largest_micro_batch(
            self._config,
            memory=memory,
            **dataclasses.asdict(lengths),
            precision=options.precision,
            recompute=options.recomputes(self._config),
        )
        if limit < 1:
            raise ValueError(
                f"training takes more memory than the {memory / 1e9:.1f} GB of a device, even one "
                "example at a time; set --recompute=True or --precision=bfloat16, or choose "
                "shorter records or a smaller model (--micro_batch_size=1 tries all the same)"
            )
        return BatchPlan.within(global_batch, num_replicas=replicas, limit=limit)

    def fit(self, model: tf.Module, training: Training) -> bool:
        """Trains from the newest checkpoint, or from step 0, to the last step.

        Args:
            model: Filled by `start`.
            training: Of the model.

        Returns:
            Whether it came to the last step; False where it was asked to stop.

        Raises:
            ValueError: Loss or gradients are not finite any more, or workers see different
                checkpoints.
            OSError: A checkpoint could not be written.
        """
        loop = self._loop_options(training)
        watchdog = Watchdog(self._options.stall_minutes)
        trainer, weights = self._trainer(model, training)
        unrecorded = self._resume(weights, trainer.state)
        step = int(trainer.step.read_value())
        rows = self._history.cut_back(step) if self.is_chief else []
        hooks = self._hooks({**weights, **trainer.state}, training)
        with StopSignals(self._strategy) as stop, watchdog:
            if step < loop.until:
                self._write_report(training, step)
            if not self.checkpoints.latest():
                hooks.save(step, unrecorded)  # A directory that cannot be written is found out now.
            if training.held_out and self._is_to_evaluate(step, rows, loop):
                hooks.evaluate(step)
            ended = train(
                trainer,
                iter(distribute_batches(self._strategy, training.batches(step))),
                loop,
                hooks,
                strategy=self._strategy,
                workload=training.workload,
                stop=stop,
                watchdog=watchdog,
                earlier_rows=[row for row in rows if "steps" in row],
                stretch=unrecorded,
            )
        if self._summaries:
            self._summaries.close()
        agree(self._strategy, False)  # No worker looks for the last checkpoint before it is saved.
        return ended

    def _loop_options(self, training: Training) -> LoopOptions:
        options, held_out = self._options, training.held_out
        save_every = options.save_checkpoints_steps
        return LoopOptions(
            until=training.schedule.num_train_steps,
            save_every=save_every,
            log_every=options.log_steps,
            evaluate_every=(held_out and held_out.every) or save_every,
            iterations_per_loop=options.iterations_per_loop,
            skip_bad_steps=options.on_nan == "skip",
        )

    def _trainer(
        self, model: tf.Module, training: Training
    ) -> tuple[Trainer, dict[str, tf.Variable]]:
        """What trains, and the weights and moments that it trains."""
        options = self._options
        variables = training.variables or model.trainable_variables
        with self._strategy.scope():
            optimizer = Optimizer(variables, optimizer_options(training.rule, self._config))
        trainer = Trainer(
            objective=training.objective,
            optimizer=optimizer,
            schedule=polynomial_decay_with_warmup(training.schedule),
            seed=options.random_seed,
            strategy=self._strategy,
            plan=training.plan,
            precision=options.computes_in(),
            xla=should_compile(options.xla),
        )
        return trainer, {**named_variables(model), **named_variables(optimizer)}

    def _hooks(self, state: Mapping[str, tf.Variable], training: Training) -> Hooks:
        def save(step: int, unrecorded: Stretch) -> None:
            if self.is_chief:
                self._save(step, state, training.plan, unrecorded)

        def evaluate(step: int) -> None:
            if training.held_out:
                self._note_held_out(step, training.held_out.scores(step))

        return Hooks(save, self.record, evaluate, training.describe_batch)

    def _resume(
        self, weights: Mapping[str, tf.Variable], counters: Mapping[str, tf.Variable]
    ) -> Stretch:
        """Fills everything from the newest checkpoint, if there is one; what it had not recorded.

        Raises:
            ValueError: Workers find different checkpoints.
        """
        prefix = self.checkpoints.latest()
        step = self.checkpoints.steps()[-1] if prefix else 0
        if agree(self._strategy, step != of_chief(self._strategy, step)):
            raise ValueError(
                f"{self._options.output_dir} is at step {step} for this worker, at another step "
                "for others; all workers have to read the same directory"
            )
        if not prefix:
            return Stretch()
        stored = read_shapes(prefix)
        # Counters of the loss scale begin anew where another precision was used before.
        kept = {name: counters[name] for name in counters if name in stored}
        load_exactly({**weights, GLOBAL_STEP: counters[GLOBAL_STEP], **kept}, prefix)
        logging.info("resuming from %s", prefix)
        unrecorded = self.checkpoints.latest_meta().unrecorded
        return Stretch.from_json(unrecorded) if unrecorded else Stretch()

    def _save(
        self,
        step: int,
        state: Mapping[str, tf.Variable],
        plan: BatchPlan,
        stretch: Stretch,
    ) -> None:
        arrays = {
            name: variable.read_value() for name, variable in state.items() if name != GLOBAL_STEP
        }
        meta = dataclasses.replace(
            self._identity,
            batch_plan=dataclasses.asdict(plan),
            options=dataclasses.asdict(self._options),
            unrecorded=stretch.to_json(),
        )
        self.checkpoints.save(step, arrays, meta)

    def _is_to_evaluate(
        self, step: int, rows: Sequence[Mapping[str, Any]], loop: LoopOptions
    ) -> bool:
        """Whether the run before was killed between saving a step and evaluating it."""
        is_due = loop.is_due(step, loop.evaluate_every)
        is_done = any(row["step"] == step and "held_out_loss" in row for row in rows)
        # The chief alone has rows.
        return agree(self._strategy, self.is_chief and is_due and not is_done)

    def _note_held_out(self, step: int, scores: Mapping[str, float]) -> None:
        """Records what was measured, after noting whether it is the best."""
        if not self.is_chief:
            return
        best = self.checkpoints.best()
        is_best = best is None or scores["loss"] < best.get("loss", math.inf)
        if is_best and step in self.checkpoints.steps():
            self.checkpoints.note_best(step, scores)
        self.record({"step": step, **{f"held_out_{key}": scores[key] for key in scores}})
        logging.info("held out at step %d: %s", step, dict(scores))

    def _write_report(self, training: Training, step: int) -> None:
        """Leaves the flags and what came of them in the directory, and in the log."""
        if not self.is_chief:
            return
        directory, options, plan = self._options.output_dir, self._options, training.plan
        report = {
            "devices": [device.name for device in local_devices()],
            "replicas": self._strategy.num_replicas_in_sync,
            "precision": options.precision,
            "xla": should_compile(options.xla),
            "recompute": options.recomputes(self._config),
            "batch_plan": {**dataclasses.asdict(plan), "micro_steps": plan.micro_steps},
            "first_step": step,
            "last_step": training.schedule.num_train_steps,
            "started_at_random": [*self._start.missing, *self._start.misshapen],
            "grown": self._start.grown,
            "not_used": self._start.unused,
            **training.facts,
        }
        write_json(os.path.join(directory, "options.json"), dataclasses.asdict(options))
        write_json(os.path.join(directory, "run.json"), report)
        if options.computes_in() is Precision.FLOAT16 and not is_accelerated():
            logging.warning("processors emulate float16, slowly; --precision=bfloat16 is for them")
        lines = (f"  {name.replace('_', ' ')}: {_shown(report[name])}" for name in report)
        logging.info("%s/run.json:\n%s", directory, "\n".join(lines))

    def record(self, row: Mapping[str, Any]) -> None:
        """Adds a row to `history.jsonl` and to TensorBoard's files."""
        if not self.is_chief:
            return
        self._history.append(row)
        self._summaries = self._summaries or SummaryWriter(self._options.output_dir)
        points = {name: row[name] for name in row if name not in _NOT_CURVES}
        known = {name: value for name, value in points.items() if value is not None}
        self._summaries.write(row["step"], known)

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
        meta = load_meta(latest)
        if meta is None:
            logging.warning("%s says nothing of its model; it is taken as this one's", latest)
            return
        stored, identity = meta.identity(), json.loads(json.dumps(self._identity.identity()))
        for key, value in identity.items():
            if stored.get(key) != value:
                raise ValueError(
                    f"{directory} holds another run: its {key} is {stored.get(key)}, this one's is "
                    f"{value}. Of a run, the model, the data and their order stay the same; choose "
                    f"another --output_dir (--init_checkpoint={latest} starts from its weights)"
                )


def _shown(value: Any) -> str:
    """A value of the report for people."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case list():
            return ", ".join(map(_shown, value)) or "none"
        case dict():
            named = (f"{name.replace('_', ' ')} {_shown(value[name])}" for name in value)
            return ", ".join(named) or "none"
    return str(value)
