"""Times of one exported file, in a process of its own: the child of `export.benchmark`.

  python latency.py '{"format": "onnx", "path": "my_export/model.onnx", "threads": 1}'

It writes `{"ready": true}`, then answers each line of its input, `{"shape": [1, 32], "seconds": 2}`
and further facts about the inputs, with a line of JSON. It imports no more than the format needs;
for transformers, another Python may run it.
"""

import importlib
import json
import os
import resource
import sys
import time

try:
    import numpy as np
except ImportError:  # Some Python that was named; `main` tells it.
    np = None

_LEAST = 10  # runs of a measurement
_WARM_UP = 3


def main():
    spec = json.loads(sys.argv[1])
    began = time.perf_counter()
    try:
        if np is None:
            raise ImportError(f"{sys.executable} has no numpy")
        run = _runner(spec["format"], spec["path"], spec["threads"])
    except (ImportError, OSError, ValueError) as error:
        _answer({"error": f"{error}; leave it out of --formats, or see --against_python"})
        return
    loaded = time.perf_counter() - began
    _answer({"ready": True})
    for line in sys.stdin:
        wanted = json.loads(line)
        batch = inputs_of(wanted)
        start = time.perf_counter()
        run(batch)
        first = loaded + time.perf_counter() - start
        times = times_of(run, batch, seconds=wanted["seconds"])
        _answer({"seconds": times, "peak_mb": _peak_mb(), "until_first": first})


def times_of(run, batch, *, seconds):
    """Seconds of each run with a batch, for so many seconds and ten runs at least."""
    for _ in range(_WARM_UP):
        run(batch)
    times = []
    while len(times) < _LEAST or sum(times) < seconds:
        start = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - start)
    return times


def inputs_of(wanted):
    """Inputs of the wanted shape, `[B, L]` or `[B, choices, L]`: two texts and no padding."""
    random = np.random.default_rng(0)
    shape = wanted["shape"]
    batch = {
        "input_ids": random.integers(0, wanted["vocab_size"], shape),
        "input_mask": np.ones(shape),
        "segment_ids": np.broadcast_to(np.arange(shape[-1]) >= shape[-1] // 2, shape),
    }
    if wanted["masks"]:
        batch["masked_lm_positions"] = random.integers(0, shape[-1], [shape[0], wanted["masks"]])
    return {name: np.ascontiguousarray(value, np.int32) for name, value in batch.items()}


def _runner(name, path, threads):
    if name == "transformers":
        return _transformers(path, threads)
    if name.startswith(("tflite", "onnx")):
        from albert_zh.export import runtimes

        load = runtimes.litert_runner if name.startswith("tflite") else runtimes.onnx_runner
        return load(path, threads=threads)
    from albert_zh.util.tensorflow_start import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return importlib.import_module(f"albert_zh.export.formats.{name}").load_first(path)


def _transformers(path, threads):
    import torch
    import transformers

    torch.set_num_threads(threads)
    with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
        (architecture,) = json.load(file)["architectures"]
    model = getattr(transformers, architecture).from_pretrained(path).eval()
    names = {
        "input_ids": "input_ids",
        "input_mask": "attention_mask",
        "segment_ids": "token_type_ids",
    }

    def run(batch):
        with torch.inference_mode():
            model(**{names[name]: torch.from_numpy(batch[name]).long() for name in names})

    return run


def _peak_mb():
    """Memory of this process at its peak."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    except OSError:  # no Linux; there the number below would include the process that started this
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _answer(values):
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
