"""Answers of a predictor in this process: started by serving.py.

  serving_in_process.py single MODEL FORMAT SECONDS     one pair at a time, one thread
  serving_in_process.py offline EXPORT FORMAT PAIRS     a list of pairs, all cores

The format of a checkpoint is "".
"""

import json
import sys
import time

from project import cli  # noqa: F401  # the clone comes first on the path
from single_answers import make_pair, measure

import albert_zh
from albert_zh.export.reading import is_export


def main() -> None:
    kind, path, form, amount = sys.argv[1:]
    if kind == "offline":
        model = albert_zh.load(path, format_name=form)
        pairs = [make_pair()] * int(amount)
        model.predict(pairs)
        start = time.perf_counter()
        model.predict(pairs)
        result = {"rate": len(pairs) / (time.perf_counter() - start)}
    else:
        model = _load(path, form)
        result = measure(lambda: model.predict([make_pair()]), seconds=float(amount))
    print(json.dumps(result))


def _load(path: str, form: str):
    if is_export(path):
        return albert_zh.load(path, format_name=form, threads=1)
    from albert_zh.util.tensorflow_start import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return albert_zh.load(path)


if __name__ == "__main__":
    main()
