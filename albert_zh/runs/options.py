"""Flags of every training script."""

import dataclasses
import os

from albert_zh.checkpoint.paths import check_checkpoint_exists, run_steps
from albert_zh.checkpoint.positions import TRAINED_POSITIONS_HELP
from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, check_bounds, option
from albert_zh.train.cluster import StrategyOptions, TpuAddress, parse_workers
from albert_zh.train.precision import Precision

# Hidden size of xlarge; from here on activations are recomputed, not stored.
_WIDE = 2048


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Flags of every training script."""

    bert_config_file: str = option(
        REQUIRED,
        "JSON file with the model configuration; published weights come with one.",
        alias="albert_config_file",
        is_file=True,
    )
    output_dir: str = option(
        REQUIRED,
        "Directory for checkpoints and results. A run that is already there is resumed.",
    )
    init_checkpoint: str | None = option(
        None,
        "Checkpoint to start from, such as albert_tiny_zh/albert_model.ckpt; or a folder, which "
        "stands for its best or newest one. Checkpoints of brightmart's and google's code load "
        "too. Default: random weights.",
    )
    init_from_group0: bool = option(
        False, "Copy group 0 of --init_checkpoint to layer groups it lacks."
    )
    trained_positions: int | None = option(None, TRAINED_POSITIONS_HELP, at_least=1)
    save_checkpoints_steps: int = option(1000, "Steps between checkpoints.", at_least=1)
    keep_checkpoint_max: int = option(
        5,
        "Number of newest checkpoints to keep; 0 keeps all, for good. The best one is always kept.",
        at_least=0,
    )
    keep_checkpoint_every_n_hours: float | None = option(
        None, "Keep one checkpoint per this many hours forever.", above=0
    )
    iterations_per_loop: int = option(
        1000, "Maximum steps per device call; fewer on slow devices.", at_least=1
    )
    log_steps: int = option(
        100, "Steps per row of history.jsonl and per point in TensorBoard.", at_least=1
    )
    random_seed: int = option(
        12345,
        "Seed of initial weights, dropout and data order.",
        at_least=0,
        at_most=2**32 - 1,
    )
    micro_batch_size: int | None = option(
        None,
        "Examples that one device computes at once. The gradients of a step are summed over its "
        "micro batches. Default: as many as the memory of the device is estimated to hold.",
        at_least=1,
    )
    precision: str = option(
        "float32",
        "Number type of the layers. Weights, moments, normalisation, softmax and losses are "
        "always float32.",
        choices=[precision.value for precision in Precision],
    )
    xla: str = option(
        "auto",
        "Compile the training step with XLA. auto: on TPUs, and on GPUs in pretraining; not in "
        "fine-tuning there, where each length takes a minute or more, nor on CPUs, which it slows.",
        choices=["auto", "true", "false"],
    )
    recompute: bool | None = option(
        None,
        "Recompute activations in the backward pass (gradient checkpointing): a third more work, a "
        "fraction of the memory. Default: True from hidden size 2048 on (xlarge, "
        "xxlarge).",
    )
    on_nan: str = option(
        "stop",
        "What to do if loss or gradients are not finite; weights are never updated then. stop: end "
        "with an error. skip: log it and go on with the next batch.",
        choices=["stop", "skip"],
    )
    stall_minutes: float = option(
        15.0,
        "Minutes without a finished step before stack traces are printed; 0: never.",
        at_least=0,
    )
    worker_hosts: str | None = option(
        None,
        "host:port of each process when training on several machines, comma-separated. All "
        "processes get the same flags, except --task_index, and share --output_dir.",
    )
    task_index: int | None = option(
        None, "Index of this process in --worker_hosts, from 0.", at_least=0
    )
    use_tpu: bool = option(False, "Train on a TPU.")
    tpu_name: str | None = option(
        None,
        "Name or address of the TPU, such as grpc://10.240.1.2:8470. Default: the TPU of this "
        "machine.",
        alias="master",
    )
    tpu_zone: str | None = option(None, "Zone of the TPU, if its name does not determine it.")
    gcp_project: str | None = option(None, "Project of the TPU, if it is not this machine's.")
    num_tpu_cores: int | None = option(None, "Number of cores that the TPU must have.", at_least=1)

    def __post_init__(self):
        check_bounds(type(self), vars(self))

    def check(self) -> None:
        """Fail if a file that a flag names is missing or damaged; without TensorFlow."""
        if os.path.exists(self.output_dir) and not os.path.isdir(self.output_dir):
            raise ValueError(
                f"--output_dir={self.output_dir} is a file; name a folder, which may be new"
            )
        if self.trained_positions and not self.init_checkpoint:
            raise ValueError("--trained_positions needs --init_checkpoint, which it describes")
        ModelConfig.from_json_file(self.bert_config_file)
        if self.init_checkpoint and "://" not in self.output_dir and not run_steps(self.output_dir):
            check_checkpoint_exists(self.init_checkpoint, flag="init_checkpoint")

    def strategy_options(self) -> StrategyOptions:
        """The devices and machines to train on.

        Raises:
            ValueError: The flags of the workers are malformed.
        """
        tpu = None
        if self.use_tpu:
            tpu = TpuAddress(self.tpu_name, self.tpu_zone, self.gcp_project, self.num_tpu_cores)
        return StrategyOptions(tpu, parse_workers(self.worker_hosts, self.task_index))

    def computes_in(self) -> Precision:
        return Precision(self.precision)

    def should_recompute(self, config: ModelConfig) -> bool:
        """True if the backward pass recomputes activations."""
        return config.hidden_size >= _WIDE if self.recompute is None else self.recompute
