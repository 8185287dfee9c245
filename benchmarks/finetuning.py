"""Measure how fast fine-tuning is, beside padding as published and transformers (PyTorch).

  python benchmarks/finetuning.py --data_dir=lcqmc --vocab_file=vocab.txt \\
      --against_python=/path/with/torch/and/transformers/bin/python \\
      --against_checkout=/path/of/another/clone

First the start: seconds until the first training step is done, with all examples of the train file
and nothing cached. Then the speed. Every program fine-tunes tiny on LCQMC from random weights, as a
user would: run_classifier.py of this project; the same with all batches padded to --max_seq_length,
as the published toolkit does; run_classifier.py of the other clone; and a loop around transformers
that pads each batch to its longest example. The programs take turns, so that other work on the
machine slows down all of them.

Speed and processor time are those of the steps between the first and the last row of the history:
start-up is over by then, and after some hundred steps so is the compilation for most lengths. The
last columns compare examples/s and processor time per example, as medians over the turns. Linux
only: it reads /proc.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from measuring import program_environment
from project import ROOT, cli

from albert_zh.flags import REQUIRED, option
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.splits import find_files
from albert_zh.util.processor import processor_name

_TASK = "lcqmc"
_OWN = (sys.executable, str(ROOT / "run_classifier.py"))
_ROWS = 5  # of the history; what comes before the first of them is not counted
_POLL_SECONDS = 0.02
_START_HEADER = """\
| examples | until the first step | user | kernel |
|---:|---:|---:|---:|"""
_HEADER = """\
| precision | program | examples/s | user ms/example | kernel ms/example | kernel | we gain: \
wall | processor |
|---|---|---:|---:|---:|---:|---:|---:|"""


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """Flags of this benchmark."""

    data_dir: str = option(REQUIRED, "Directory with LCQMC's train file.")
    vocab_file: str = option(REQUIRED, "Vocabulary of the model, one entry a line.")
    bert_config_file: str = option(
        str(ROOT / "albert_config" / "albert_config_tiny.json"), "Configuration of the model."
    )
    precisions: str = option("float32", "Types of the layers, comma-separated.")
    against_checkout: str = option(
        "", "Another clone of this project, such as of an earlier commit; empty: none."
    )
    against_python: str = option(
        "",
        "Python that has torch and transformers[sentencepiece], to measure them too; empty: none.",
    )
    train_batch_size: int = option(64, "Examples per step.", at_least=1)
    max_seq_length: int = option(128, "Most tokens per example.", at_least=1)
    examples: int = option(
        20_000, "Examples taken from the beginning of the train file.", at_least=1
    )
    steps: int = option(
        150, "Steps of a turn; those of its first fifth are not counted.", at_least=1
    )
    rounds: int = option(3, "Turns of every program.", at_least=1)
    starts: int = option(2, "Starts with the whole train file.", at_least=0)


@dataclasses.dataclass(frozen=True)
class Turn:
    """Numbers of one training, from the first row of its history to the last."""

    seconds: float
    user_seconds: float
    kernel_seconds: float
    examples: int

    @property
    def examples_per_second(self) -> float:
        return self.examples / self.seconds

    @property
    def processor_seconds(self) -> float:
        """Per example."""
        return (self.user_seconds + self.kernel_seconds) / self.examples

    @property
    def kernel_share(self) -> float:
        return self.kernel_seconds / (self.user_seconds + self.kernel_seconds)


def main(options: BenchmarkOptions) -> None:
    print(f"{processor_name()}\n")
    print(_START_HEADER, flush=True)
    for _ in range(options.starts):
        print(start_row(options), flush=True)
    print(f"\n{_HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        small = dataclasses.replace(options, data_dir=write_examples(options, directory))
        for precision in options.precisions.split(","):
            for line in rows(small, precision):
                print(line, flush=True)


def write_examples(options: BenchmarkOptions, directory: str) -> str:
    """Copies the first examples, so that a turn need not tokenize all of them."""
    source = find_files(find_task(_TASK), data_dir=options.data_dir, split="train")[0]
    target = pathlib.Path(directory, os.path.basename(source))
    with open(source, "rb") as lines:
        target.write_bytes(b"".join(itertools.islice(lines, options.examples)))
    return directory


def rows(options: BenchmarkOptions, precision: str) -> list[str]:
    """Lines of the table for one precision."""
    programs = {
        "albert_zh": _OWN,
        f"all padded to {options.max_seq_length}": [
            sys.executable,
            str(ROOT / "benchmarks" / "finetuning_padded.py"),
        ],
    }
    if options.against_checkout:
        script = os.path.join(options.against_checkout, "run_classifier.py")
        programs["other clone"] = [sys.executable, script]
    if options.against_python:
        script = str(ROOT / "benchmarks" / "finetuning_transformers.py")
        programs["transformers"] = [options.against_python, script]
    turns: dict[str, list[Turn]] = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, command in programs.items():
            turns[name].append(train(command, options, precision))
    ours = turns["albert_zh"]
    return [f"| {precision} | {name} | {_cells(ours, theirs)} |" for name, theirs in turns.items()]


def _cells(ours: Sequence[Turn], turns: Sequence[Turn]) -> str:
    def median(values) -> float:
        return statistics.median(values)

    pairs = list(zip(ours, turns, strict=True))
    wall = median(a.examples_per_second / b.examples_per_second for a, b in pairs)
    processor = median(b.processor_seconds / a.processor_seconds for a, b in pairs)
    return " | ".join(
        [
            f"{median(turn.examples_per_second for turn in turns):.1f}",
            f"{median(1000 * turn.user_seconds / turn.examples for turn in turns):.2f}",
            f"{median(1000 * turn.kernel_seconds / turn.examples for turn in turns):.2f}",
            f"{median(turn.kernel_share for turn in turns):.1%}",
            *(["", ""] if turns is ours else [f"{wall:.2f}x", f"{processor:.2f}x"]),
        ]
    )


def start_row(options: BenchmarkOptions) -> str:
    """A line of the first table."""
    source = find_files(find_task(_TASK), data_dir=options.data_dir, split="train")[0]
    with open(source, "rb") as lines:
        examples = sum(1 for _ in lines) - 1  # the header
    with tempfile.TemporaryDirectory() as directory:
        begin = time.monotonic()
        with _started(_OWN, options, directory, log_steps=1) as process:
            while process.poll() is None:
                if _last_step(pathlib.Path(directory, "history.jsonl")):
                    now, user, kernel = _clocks(process.pid)
                    return f"| {examples:,} | {now - begin:.1f} s | {user:.1f} s | {kernel:.1f} s |"
                time.sleep(_POLL_SECONDS)
    raise AssertionError("a program that fails is reported when it ends")


def train(command: Sequence[str], options: BenchmarkOptions, precision: str) -> Turn:
    """One training of one program, from its start to its last row."""
    every = max(1, options.steps // _ROWS)
    # A few steps more: the process is still there when its last row is seen.
    epochs = (options.steps + every) * options.train_batch_size / options.examples
    with (
        tempfile.TemporaryDirectory() as directory,
        _started(
            command,
            options,
            directory,
            log_steps=every,
            num_train_epochs=epochs,
            precision=precision,
        ) as process,
    ):
        turn = _watch(process, pathlib.Path(directory, "history.jsonl"), options, every)
    assert turn is not None, "a program that ends early is reported when it ends"
    return turn


@contextlib.contextmanager
def _started(
    command: Sequence[str], options: BenchmarkOptions, directory: str, **flags
) -> Iterator[subprocess.Popen]:
    """A training of a program, ended with the block.

    Raises:
        ValueError: It has ended by itself before, with an error.
    """
    flags = {
        "task_name": _TASK,
        "data_dir": options.data_dir,
        "vocab_file": options.vocab_file,
        "bert_config_file": os.path.abspath(options.bert_config_file),
        "output_dir": directory,
        "do_train": True,
        "max_seq_length": options.max_seq_length,
        "train_batch_size": options.train_batch_size,
        # The first step is saved in any case.
        "save_checkpoints_steps": 10 * options.steps,
        **flags,
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in flags.items())],
            stdout=log,
            stderr=log,
            env=program_environment(),
        )
        try:
            yield process
        finally:
            code = process.poll()
            if code is None:
                process.kill()
                process.wait()
            elif code:
                log.seek(0)
                raise ValueError(
                    f"{' '.join(command)} ended with code {code}:\n"
                    + log.read()[-2000:].decode(errors="replace")
                )


def _watch(
    process: subprocess.Popen, history: pathlib.Path, options: BenchmarkOptions, every: int
) -> Turn | None:
    """Follows a history until its last row; None if the program ends before."""
    first: tuple[float, float, float] | None = None
    while process.poll() is None:
        done = _last_step(history)
        if done >= every and first is None:
            first, start = _clocks(process.pid), done
        if done >= every * _ROWS and first is not None:
            seconds, user, kernel = (
                after - before for before, after in zip(first, _clocks(process.pid), strict=True)
            )
            return Turn(seconds, user, kernel, (done - start) * options.train_batch_size)
        time.sleep(_POLL_SECONDS)
    return None


def _last_step(history: pathlib.Path) -> int:
    """Step of the last complete row; 0 where there is none."""
    if not history.exists():
        return 0
    complete = history.read_text(encoding="utf-8").rpartition("\n")[0]
    return json.loads(complete.splitlines()[-1])["step"] if complete else 0


def _clocks(pid: int) -> tuple[float, float, float]:
    """Seconds of wall, user and kernel time of a process."""
    fields = (
        pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    )
    ticks = os.sysconf("SC_CLK_TCK")
    return time.monotonic(), int(fields[11]) / ticks, int(fields[12]) / ticks


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
