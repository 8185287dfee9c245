"""Measure speed and memory of a pretraining step, beside transformers (PyTorch).

  python benchmarks/pretraining.py --against_python=/path/with/torch/and/transformers/bin/python

It prints a table. A program's share of the peak is its model FLOPs (`estimates.training_flops`)
over what matrix products of the same type reach in the same process, measured between the steps.
transformers takes the same step: sizes, made-up batch, dropout, AdamW, gradients clipped; once as
it is, once with nothing but the masked positions projected to the vocabulary. The programs of a
row take turns, so that other work on the machine slows down all of them; the last column is the
median over the turns. Memory is the largest that the process ever had, its framework in it.
"""

import dataclasses
import json
import math
import os
import statistics
import subprocess
import sys

from measuring import program_environment
from pretraining_step import OURS, THEIRS, THEIRS_GATHERED, Case, Measured
from project import ROOT, cli

from albert_zh.config import ModelConfig
from albert_zh.estimates import training_flops
from albert_zh.flags import option

_MASKED = 0.15  # share of the tokens, as published
_HEADER = """\
| model | length | batch | precision | program | examples/s | of the peak | memory MB | we gain |
|---|---:|---:|---|---|---:|---:|---:|---:|"""


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """Cases to measure."""

    models: str = option("tiny,base", "Configurations in albert_config, comma-separated.")
    lengths: str = option("128,512", "Tokens of an example, comma-separated.")
    precisions: str = option("float32,bfloat16", "Types of the layers, comma-separated.")
    batch_tokens: int = option(4096, "Tokens of a batch.", at_least=1)
    against_python: str = option(
        "", "Python that has torch and transformers, to measure them too; empty: ours alone."
    )
    threads: int = option(0, "Of every program; 0: as many as there are cores.", at_least=0)
    rounds: int = option(5, "How often the programs take turns.", at_least=1)
    seconds: float = option(5.0, "Of steps in a turn of a program; one step at least.", at_least=0)


class Child:
    """A process with one program in it."""

    def __init__(self, python: str, case: Case):
        self.case = case
        self._process = subprocess.Popen(
            [python, str(ROOT / "benchmarks" / "pretraining_step.py"), json.dumps(vars(case))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=program_environment(),
        )
        self._read()

    def measure(self, seconds: float) -> Measured:
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return Measured(**json.loads(self._read()))

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise ValueError(f"{self.case.program} ended with code {code}; its error is above")
        return line


def main(options: BenchmarkOptions) -> None:
    print(_HEADER, flush=True)
    for precision in options.precisions.split(","):
        for model in options.models.split(","):
            for length in options.lengths.split(","):
                for line in rows(model, int(length), precision, options):
                    print(line, flush=True)


def rows(model: str, length: int, precision: str, options: BenchmarkOptions) -> list[str]:
    """The lines of the table for one step."""
    path = ROOT / "albert_config" / f"albert_config_{model}.json"
    case = Case(
        program=OURS,
        config_file=str(path),
        max_seq_length=length,
        max_predictions_per_seq=math.ceil(_MASKED * length),
        batch_size=max(1, options.batch_tokens // length),
        precision=precision,
        threads=options.threads or len(os.sched_getaffinity(0)),
    )
    turns = measure(case, options)
    flops = case.batch_size * training_flops(
        ModelConfig.from_json_file(str(path)),
        max_seq_length=length,
        max_predictions_per_seq=case.max_predictions_per_seq,
    )
    ours = [statistics.median(turn.seconds) for turn in turns[OURS]]
    lines = []
    for program, measured in turns.items():
        seconds = [statistics.median(turn.seconds) for turn in measured]
        median = statistics.median(seconds)
        times = statistics.median(b / a for a, b in zip(ours, seconds, strict=True))
        shares = [
            flops / (second * turn.peak) for second, turn in zip(seconds, measured, strict=True)
        ]
        lines.append(
            f"| {model} | {length} | {case.batch_size} | {precision} | {program} "
            f"| {case.batch_size / median:.2f} | {statistics.median(shares):.0%} "
            f"| {measured[-1].peak_mb:,.0f} | {'' if program == OURS else f'{times:.2f}x'} |"
        )
    return lines


def measure(case: Case, options: BenchmarkOptions) -> dict[str, list[Measured]]:
    """The turns of every program."""
    children = [Child(sys.executable, case)]
    try:
        for program in (THEIRS, THEIRS_GATHERED) if options.against_python else ():
            theirs = dataclasses.replace(case, program=program)
            children.append(Child(options.against_python, theirs))
        turns: dict[str, list[Measured]] = {child.case.program: [] for child in children}
        for _ in range(options.rounds):
            for child in children:
                turns[child.case.program].append(child.measure(options.seconds))
    finally:
        for child in children:
            child.close()
    return turns


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
