"""Records and options for pretraining runs of seconds, and what such runs leave."""

import json
import os

import small
from processes import run_script

from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.pretraining.options import PretrainingOptions

ROOT = os.path.join(os.path.dirname(__file__), "..")
LENGTHS = {"max_seq_length": 16, "max_predictions_per_seq": 3}

# What the clock tells in a row of the history; all else is a function of the run.
_CLOCK = {"seconds", "examples_per_second", "tokens_per_second", "mfu"}


def create_records(corpus: str, vocab: str, output: str, **changes) -> str:
    flags = {"input_file": corpus, "output_file": output, "vocab_file": vocab, "dupe_factor": 2}
    flags |= {"segmenter": "none", "num_workers": 1, **(changes or LENGTHS)}
    command = [f"--{name}={value}" for name, value in flags.items()]
    run_script("create_pretraining_data.py", *command).check_returncode()
    return output


def write_data(directory) -> None:
    """Vocabulary, corpus, records in one file, in four, and for dynamic masking."""
    vocab = small.write_vocabulary(directory)
    corpus = small.write_corpus(directory)
    dynamic = {"masking": "dynamic", "max_seq_length": 16, "compact": True, "compress": "gzip"}
    for name, flags in (
        ("records.tfrecord", LENGTHS),
        ("shard-*.tfrecord", {**LENGTHS, "num_shards": 4}),
        ("dynamic.tfrecord", dynamic),
    ):
        create_records(corpus, vocab, os.path.join(directory, name), **flags)


def write_config(data, **changes) -> str:
    return small.write_config(data, **{"num_hidden_layers": 1, **changes})


def options(data, output_dir, **changes) -> PretrainingOptions:
    given = {
        "bert_config_file": write_config(data),
        "input_file": os.path.join(data, "records.tfrecord"),
        "output_dir": str(output_dir),
        "do_train": True,
        "train_batch_size": 8,
        "num_train_steps": 6,
        "num_warmup_steps": 2,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 2,
        "log_steps": 1,
        "peak_flops": 1e12,
    }
    return PretrainingOptions(**{**given, **changes})


def dynamic(data, output_dir, **changes) -> PretrainingOptions:
    """Options of a run that masks its records itself."""
    records, vocab = (os.path.join(data, name) for name in ("dynamic.tfrecord", "vocab.txt"))
    given = {"input_file": records, "vocab_file": vocab, "masking": "ngram", **changes}
    return options(data, output_dir, **given)


def history(directory) -> list[dict]:
    with open(os.path.join(directory, "history.jsonl")) as file:
        return [json.loads(line) for line in file]


def assert_same_runs(directory, expected) -> None:
    """Same history, clock aside, and same last checkpoint, bit for bit."""
    rows, wanted = (
        [{name: row[name] for name in row if name not in _CLOCK} for row in history(run)]
        for run in (directory, expected)
    )
    assert rows == wanted
    ends = [CheckpointManager(str(run)).latest() for run in (directory, expected)]
    assert os.path.basename(ends[0]) == os.path.basename(ends[1])
    small.assert_same(small.arrays(ends[0]), small.arrays(ends[1]))
