"""Measure the speed and memory of create_pretraining_data.py on several numbers of cores.

  python benchmarks/data_creation.py --input_file=corpus.txt --segmenters=jieba,rjieba --workers=1,2

Each combination is a run of the script with the published settings (512 tokens, 51 prediction
targets, 10 passes), on as many cores as it has workers. Two columns compare its speed with that of
the published script, which processed 0.25 MB/s of text per pass on one core of a comparable
machine, and with the first run with the same number of passes over the same text. Memory is that of
the largest process of a run.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from project import ROOT, cli

from albert_zh.flags import option

_PUBLISHED_MB_PER_S = 0.25  # MB of text per second, times passes; TensorFlow 1.15, one core


@dataclass(frozen=True)
class BenchmarkOptions:
    """Flags of the runs."""

    input_file: str = option(
        str(ROOT / "data" / "news_zh_1.txt"), "Comma-separated list of corpora."
    )
    vocab_file: str = option(str(ROOT / "albert_config" / "vocab.txt"), "Vocabulary.")
    segmenters: str = option("jieba", "Comma-separated list of segmenters.")
    workers: str = option("1", "Comma-separated list of numbers of worker processes.")
    passes: str = option("10", "Comma-separated list of values of --dupe_factor.")
    compact: bool = option(False, "Write records without padding, which takes less disk.")


@dataclass(frozen=True)
class Measurement:
    """Size, time and memory of one run of the script."""

    corpus: str
    segmenter: str
    workers: int
    passes: int
    text_mb: float
    instances: int
    seconds: float
    peak_mb: float  # of the largest process

    @property
    def speed(self) -> float:
        """MB of text per second, times passes."""
        return self.text_mb * self.passes / self.seconds


def main(options: BenchmarkOptions) -> None:
    print(
        f"{'corpus':24} {'MB':>6} {'segmenter':9} {'passes':>6} {'workers':>7} {'s':>7}"
        f" {'MB/s x pass':>11} {'instances/s':>11} {'peak MB':>7} {'published':>9} {'first':>6}"
    )
    first: dict[tuple[str, int], Measurement] = {}
    for run in _all_runs(options):
        base = first.setdefault((run.corpus, run.passes), run)
        print(
            f"{run.corpus:24} {run.text_mb:6.1f} {run.segmenter:9}"
            f" {run.passes:6} {run.workers:7} {run.seconds:7.1f}"
            f" {run.speed:11.2f} {run.instances / run.seconds:11.0f}"
            f" {run.peak_mb:7.0f} {run.speed / _PUBLISHED_MB_PER_S:8.1f}x"
            f" {run.speed / base.speed:5.2f}x",
            flush=True,
        )


def _all_runs(options: BenchmarkOptions) -> Iterator[Measurement]:
    for corpus in options.input_file.split(","):
        for passes in map(int, options.passes.split(",")):
            for segmenter in options.segmenters.split(","):
                for workers in map(int, options.workers.split(",")):
                    yield _run(options, corpus, segmenter, workers, passes)


def _run(
    options: BenchmarkOptions, corpus: str, segmenter: str, workers: int, passes: int
) -> Measurement:
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            str(ROOT / "create_pretraining_data.py"),
            f"--input_file={corpus}",
            f"--output_file={directory}/records-*.tfrecord",
            f"--vocab_file={options.vocab_file}",
            "--do_whole_word_mask=True",
            "--max_seq_length=512",
            "--max_predictions_per_seq=51",
            "--masked_lm_prob=0.10",
            f"--segmenter={segmenter}",
            f"--num_workers={workers}",
            f"--dupe_factor={passes}",
            f"--compact={options.compact}",
        ]
        seconds, peak_mb = _measure(command, cores=workers)
        manifest = pathlib.Path(directory, "manifest.json").read_text(encoding="utf-8")
    counts = json.loads(manifest)["record_sets"][0]["counts"]
    return Measurement(
        corpus=os.path.basename(corpus),
        segmenter=segmenter,
        workers=workers,
        passes=passes,
        text_mb=os.path.getsize(corpus) / 1e6,
        instances=counts["instances"],
        seconds=seconds,
        peak_mb=peak_mb,
    )


def _measure(command: list[str], *, cores: int) -> tuple[float, float]:
    """Seconds of the command on the first `cores` cores, and MB of its largest process."""
    usable = sorted(os.sched_getaffinity(0))[:cores]
    if len(usable) < cores:
        raise ValueError(f"{cores} workers need {cores} cores; this machine has {len(usable)}")
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, usable),
    )
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        raise ValueError(f"{' '.join(command)} failed:\n{errors.decode()}")
    return seconds, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
