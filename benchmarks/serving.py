"""Measure answers of a classifier of pairs: in process, over HTTP, and by transformers (PyTorch).

  python benchmarks/serving.py --checkpoint=lcqmc_output \\
      --against_python=/path/with/torch/and/transformers/bin/python

The checkpoint is exported to ONNX and TFLite, of which the service serves ONNX; transformers
computes a model of the same sizes with random weights. Every measurement answers one pair of 32
tokens at a time, its tokenization included: first in a process, by one thread; then by
scripts/serve.py on this machine, to 1, 8 and 32 clients that ask again as soon as they have an
answer. The offline rate is that of a list of pairs answered by all cores in one call. Everything is
measured in turns, so that other work on the machine slows down all of it; medians over the turns.
"""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence

from measuring import program_environment
from project import ROOT, cli
from single_answers import make_pair

from albert_zh.flags import REQUIRED, option
from albert_zh.util.processor import processor_name

_HERE = ROOT / "benchmarks"
_MODEL = "pairs"
_OFFLINE_PAIRS = 512


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """Flags of this benchmark."""

    checkpoint: str = option(REQUIRED, "Output directory of a fine-tuning on pairs.")
    against_python: str | None = option(
        None, "Python with torch and transformers. Default: they are not measured."
    )
    clients: str = option("1,8,32", "Numbers of clients that ask at the same time.")
    seconds: float = option(5.0, "Length of a measurement.", above=0)
    rounds: int = option(3, "Turns.", at_least=1)


def main(options: BenchmarkOptions) -> None:
    clients = [int(each) for each in options.clients.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        export = os.path.join(folder, _MODEL)
        _export(options.checkpoint, export)
        rows: dict[str, list[dict[str, float]]] = defaultdict(list)
        with contextlib.ExitStack() as stack:
            address = stack.enter_context(_service(export))
            for _ in range(options.rounds):
                for name, command in _programs(options, export).items():
                    rows[name].append(_result(command))
                for count in clients:
                    spec = {"clients": count, "seconds": options.seconds, "pair": make_pair()}
                    command = [sys.executable, str(_HERE / "serving_clients.py"), address]
                    rows[f"service, clients: {count}"].append(
                        _result([*command, json.dumps(spec, ensure_ascii=False)])
                    )
    print(f"{processor_name()}\n")
    print("| program | p50 ms | p95 ms | pairs/s |\n|---|---:|---:|---:|")
    for name, found in rows.items():
        cells = [_median(found, key) for key in ("p50", "p95", "rate")]
        print(f"| {name} | {' | '.join('' if cell is None else f'{cell:.2f}' for cell in cells)} |")


def _programs(options: BenchmarkOptions, export: str) -> dict[str, list[str]]:
    seconds = str(options.seconds)
    own = [sys.executable, str(_HERE / "serving_in_process.py")]
    programs = {
        "TFLite int8, in process, one thread": [*own, "single", export, "tflite_int8", seconds],
        "ONNX, in process, one thread": [*own, "single", export, "onnx", seconds],
        "TensorFlow, in process, one thread": [*own, "single", options.checkpoint, "", seconds],
        "ONNX, offline, all cores": [*own, "offline", export, "onnx", str(_OFFLINE_PAIRS)],
    }
    if options.against_python:
        script = str(_HERE / "serving_transformers.py")
        command = [options.against_python, script, export, seconds]
        programs["transformers, in process, one thread"] = command
    return programs


def _export(checkpoint: str, export: str) -> None:
    script = str(ROOT / "scripts" / "export_model.py")
    flags = [f"--checkpoint={checkpoint}", f"--export_dir={export}", "--formats=onnx,tflite_int8"]
    subprocess.run(
        [sys.executable, script, *flags],
        check=True,
        env=program_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def _service(export: str) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "scripts" / "serve.py"), "--port=0"]
    command.append(f"--models={_MODEL}={export}")
    command.append("--format=onnx")
    with subprocess.Popen(
        command, env=program_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr:
                if "listening on http://" in line:
                    host = line.partition("http://")[2].partition(";")[0]
                    yield f"{host}/v1/models/{_MODEL}/similarity"
                    break
            else:
                raise ValueError("the service did not start")
        finally:
            process.terminate()


def _result(command: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(command, env=program_environment(), capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{command[1]} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _median(rows: Sequence[dict[str, float]], key: str) -> float | None:
    found = [row[key] for row in rows if key in row]
    return statistics.median(found) if found else None


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
