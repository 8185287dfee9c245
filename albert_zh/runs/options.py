"""The flags that every training script has, and what they mean for the engine."""

import dataclasses

from albert_zh.checkpoint.paths import check_checkpoint_exists
from albert_zh.config import ModelConfig
from albert_zh.flags import REQUIRED, option
from albert_zh.train.cluster import StrategyOptions, TpuAddress, parse_workers
from albert_zh.train.precision import Precision

# Flags beside the batch sizes of which there is no 0.
_COUNTS = frozenset({"save_checkpoints_steps", "iterations_per_loop", "log_steps", "eval_steps"})

# Hidden size from which layers are computed twice rather than kept: that of xlarge.
_WIDE = 2048


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
    keep_checkpoint_max: int = option(
        5, "Newest checkpoints that are kept; 0 keeps all. The best one is kept, too."
    )
    keep_checkpoint_every_n_hours: float | None = option(
        None, "Keep a checkpoint of every so many hours for ever."
    )
    iterations_per_loop: int = option(
        1000, "At most so many steps in one call to the device. Fewer are taken on slow devices."
    )
    log_steps: int = option(
        100, "Steps that a row of history.jsonl and a point in TensorBoard sum up."
    )
    random_seed: int = option(12345, "Seed of start weights, dropout and order of the data.")
    micro_batch_size: int | None = option(
        None,
        "Examples that one device computes at once; gradients of the others of a step are added "
        "up. Default: as many as its memory is estimated to hold.",
    )
    precision: str = option(
        "float32",
        "What layers compute in. Weights, moments, normalisation, softmax and losses are float32 "
        "always.",
        choices=[precision.value for precision in Precision],
    )
    xla: str = option(
        "auto",
        "Compile the training step with XLA. auto: on GPUs and TPUs; it makes CPUs slower.",
        choices=["auto", "true", "false"],
    )
    recompute: bool | None = option(
        None,
        "Compute layers a second time in the backward pass rather than keep them: a third more "
        "work, a fraction of the memory. Default: from hidden size 2048 on (xlarge, xxlarge).",
    )
    on_nan: str = option(
        "stop",
        "What to do when loss or gradients are no finite numbers; weights are left alone then. "
        "stop: end with an error. skip: log it and go on with the next batch.",
        choices=["stop", "skip"],
    )
    stall_minutes: float = option(
        15.0, "Show where the program stands when no step has ended for so long; 0 never does."
    )
    worker_hosts: str | None = option(
        None,
        "host:port of every process of a training on several machines, separated by commas; all "
        "get the same flags but for --task_index, and share --output_dir.",
    )
    task_index: int | None = option(None, "Which of --worker_hosts this process is, from 0.")
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
            value = getattr(self, field.name)
            counts = field.name.endswith("batch_size") or field.name in _COUNTS
            if counts and value is not None and value < 1:
                raise ValueError(f"--{field.name}={value}: it must be at least 1")

    def check(self) -> None:
        """Fails if a file that a flag names is missing or damaged; needs no TensorFlow."""
        ModelConfig.from_json_file(self.bert_config_file)
        if self.init_checkpoint:
            check_checkpoint_exists(self.init_checkpoint)

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

    def recomputes(self, config: ModelConfig) -> bool:
        """True if the backward pass computes layers a second time."""
        return config.hidden_size >= _WIDE if self.recompute is None else self.recompute
