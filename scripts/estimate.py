"""Estimate the cost of pretraining a model: parameters, operations, memory and time.

  python scripts/estimate.py --bert_config_file=albert_config/albert_config_base.json \\
      --max_seq_length=128,512 --device_memory=16 --peak_tflops=120 --mfu=0.4

Nothing is trained, and no accelerator is needed. The largest micro batch is how many examples a
device can compute at once. run_pretraining.py splits any --train_batch_size into micro
batches.

  python scripts/estimate.py --published

This compares the published table of the largest batches on a 12 GB GPU with our estimates.
"""

from dataclasses import dataclass
from typing import NamedTuple

from project import ROOT, cli

from albert_zh.config import ModelConfig
from albert_zh.estimates import (
    PRECISIONS,
    largest_micro_batch,
    memory_parts,
    parameters,
    training_flops,
    training_seconds,
)
from albert_zh.flags import option
from albert_zh.train.rules.table import RULES
from albert_zh.util.progress import duration

CONFIGS = ROOT / "albert_config"
GIB = 2**30


@dataclass(frozen=True)
class EstimateOptions:
    """Flags of the estimate."""

    bert_config_file: str | None = option(
        None, "JSON file with the model configuration.", alias="albert_config_file", is_file=True
    )
    max_seq_length: str = option(
        "128,512", "Tokens per example; separate several lengths by commas."
    )
    max_predictions_per_seq: int | None = option(
        None, "Prediction targets per example. Default: 15 % of the length.", at_least=0
    )
    device_memory: float = option(16.0, "Memory of one device for training, in GiB.", above=0)
    precision: str = option("float32", "Number type of the layers.", choices=PRECISIONS)
    recompute: bool = option(False, "Gradient checkpointing: less memory, a third more work.")
    optimizer: str = option(
        "lamb", "Optimizer; it stores moments of every parameter.", choices=list(RULES)
    )
    train_batch_size: int = option(4096, "Examples per optimizer step.", at_least=1)
    num_train_steps: int = option(125000, "Optimizer steps.", at_least=1)
    peak_tflops: float | None = option(
        None,
        "Total TFLOP/s of all devices in matrix products, to estimate the time. "
        "run_pretraining.py logs the measured value.",
        above=0,
    )
    mfu: float = option(
        0.4,
        "Share of the peak that the training reaches (model FLOPs utilisation).",
        above=0,
        at_most=1,
    )
    published: bool = option(
        False, "Only compare the published table of largest batches with our estimates."
    )


class Measured(NamedTuple):
    """Memory of fine-tuning in float32, from two batch sizes."""

    fixed: float  # bytes, for any batch size
    per_example: float  # bytes

    def batch(self, memory: int) -> int:
        """Largest batch that fits into the memory."""
        return int((memory - self.fixed) / self.per_example)


# README of brightmart's albert_zh: length -> largest batch. The figures come from the README of
# google's BERT of 2018: https://github.com/google-research/bert#out-of-memory-issues
PUBLISHED = {
    "base": {64: 64, 128: 32, 256: 16, 320: 14, 384: 12, 512: 6},
    "large": {64: 12, 128: 6, 256: 2, 320: 1, 384: 0, 512: 0},
    "xlarge": {},
    "xxlarge": {},
}
LENGTHS = tuple(PUBLISHED["base"])
PUBLISHED_MEMORY = 12 * GIB
# Peak memory of a process over three steps on two CPU cores, minus its memory before the first
# step, plus weights and moments.
MEASURED = {
    ("base", 128): Measured(fixed=652e6, per_example=93.0e6),
    ("base", 512): Measured(fixed=647e6, per_example=484.3e6),
    ("large", 128): Measured(fixed=1621e6, per_example=246.1e6),
}

NOTE = """\
published  README of albert_zh, which repeats google's table of BERT-Base and BERT-Large (float32,
           TensorFlow 1.11, Titan X); these have dropout, and 10 and 20 times the weights
estimate   these models in float32, without dropout, not compiled by XLA
measured   * computed from the memory of fine-tuning on a CPU at two batch sizes
bfloat16, recompute   the estimate with --precision=bfloat16, with --recompute"""


def main(options: EstimateOptions) -> None:
    if options.published:
        print(published_table())
        return
    if not options.bert_config_file:
        raise ValueError("give a model with --bert_config_file, or use --published")
    config = ModelConfig.from_json_file(options.bert_config_file)
    print(f"{options.bert_config_file}: {parameters(config):,} parameters")
    for length in parse_lengths(options.max_seq_length, config):
        print(f"\n{report(options, config, length)}")


def parse_lengths(text: str, config: ModelConfig) -> list[int]:
    """Parse a comma-separated list of lengths.

    Raises:
        ValueError: An item is not a number, or the model has too few positions for it.
    """
    limit = config.max_position_embeddings
    lengths = []
    for item in text.split(","):
        if not item.strip().isdecimal() or not 1 <= int(item) <= limit:
            raise ValueError(
                f"--max_seq_length={text}: {item!r} is not a length; give numbers from 1 to "
                f"{limit}, the positions of the model, separated by commas"
            )
        lengths.append(int(item))
    return lengths


def report(options: EstimateOptions, config: ModelConfig, length: int) -> str:
    """Lines with the cost of training on examples of one length."""
    masks = options.max_predictions_per_seq
    masks = round(0.15 * length) if masks is None else masks
    lengths = {"max_seq_length": length, "max_predictions_per_seq": masks}
    flops = training_flops(config, **lengths)
    lines = [
        f"length {length}, {masks} prediction targets",
        f"  {flops / 1e9:,.1f} GFLOPs per example, forward and backward",
        *_memory(options, config, lengths),
    ]
    if options.peak_tflops:
        seconds = training_seconds(
            flops,
            peak=options.peak_tflops * 1e12,
            mfu=options.mfu,
            steps=options.num_train_steps,
            batch=options.train_batch_size,
        )
        lines.append(
            f"  {options.num_train_steps:,} steps of {options.train_batch_size:,} examples at "
            f"{options.mfu:.0%} of {options.peak_tflops:g} TFLOP/s: {duration(seconds)}"
        )
    return "\n".join(lines)


def _memory(options: EstimateOptions, config: ModelConfig, lengths: dict[str, int]) -> list[str]:
    settings = {**lengths, "precision": options.precision, "recompute": options.recompute}
    settings["optimizer"] = options.optimizer
    most = largest_micro_batch(config, memory=int(options.device_memory * GIB), **settings)
    micro_batch = min(most, options.train_batch_size)
    parts = memory_parts(config, micro_batch=max(1, micro_batch), **settings)
    if micro_batch:
        title = f"  micro batch of {micro_batch:,} in {options.device_memory:g} GiB"
    else:
        title = f"  a single example needs more than {options.device_memory:g} GiB"
    lines = [f"    {size / GIB:9.3f} GiB  {name}" for name, size in parts.items()]
    return [title, *lines, f"    {sum(parts.values()) / GIB:9.3f} GiB  total"]


def published_table() -> str:
    """Table of the largest fine-tuning batches in 12 GB: published, estimated and measured."""
    lines = ["model    length  published  estimate  measured  bfloat16  recompute"]
    for name, published in PUBLISHED.items():
        config = ModelConfig.from_json_file(str(CONFIGS / f"albert_config_{name}.json"))
        for length in LENGTHS:
            measured = MEASURED.get((name, length))
            row = (
                published.get(length, "-"),
                _fits(config, length),
                f"{measured.batch(PUBLISHED_MEMORY)} *" if measured else "",
                _fits(config, length, precision="bfloat16"),
                _fits(config, length, recompute=True),
            )
            lines.append("{:8}{:7}{:>11}{:>10}{:>10}{:>10}{:>11}".format(name, length, *row))
    return "\n".join([*lines, "", NOTE])


def _fits(config: ModelConfig, length: int, **settings) -> int:
    return largest_micro_batch(
        config,
        memory=PUBLISHED_MEMORY,
        max_seq_length=length,
        max_predictions_per_seq=0,
        accumulate=False,
        **settings,
    )


if __name__ == "__main__":
    cli.run(main, EstimateOptions)
