"""A vocabulary, a corpus and a pair task small enough for whole runs, and checks of such runs."""

import contextlib
import itertools
import json
import os
import random

import numpy as np
import pytest

from albert_zh.checkpoint.files import read_arrays, read_meta, read_shapes, write_checkpoint
from albert_zh.checkpoint.names import POSITIONS
from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.options import DataOptions
from albert_zh.creation.plan import make_plan
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.masking.options import MaskingOptions
from albert_zh.records.tfrecord import scan_frames

CITIES = ["京", "沪", "杭", "蓉", "渝", "汉"]
QUESTIONS = ["冷", "热", "远", "贵"]
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*_SPECIAL, *CITIES, *QUESTIONS, *"今天去坐车吗多少钱很有雨。"]


def write_vocabulary(directory) -> str:
    path = os.path.join(directory, "vocab.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(VOCABULARY) + "\n")
    return path


def write_config(directory, *, name="config.json", **changes) -> str:
    values = {
        "vocab_size": len(VOCABULARY),
        "embedding_size": 8,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 32,
        "num_hidden_groups": 1,
    }
    values.update(changes)
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({key: value for key, value in values.items() if value is not None}, file)
    return path


BRIGHTMART = {"ln_type": "postln", "num_hidden_groups": None}


def write_corpus(directory) -> str:
    """Thirty documents of four sentences."""
    path = os.path.join(directory, "corpus.txt")
    rng = random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(30):
            for word in rng.sample(QUESTIONS, 4):
                file.write(f"今天去{rng.choice(CITIES)}很{word}吗。\n")
            file.write("\n")
    return path


def record_maker(directory, **options) -> RecordMaker:
    """Makes short records with the vocabulary, three passes over the text."""
    made = DataOptions(
        input_file="",
        output_file="",
        vocab_file=write_vocabulary(directory),
        max_seq_length=24,
        dupe_factor=3,
        **options,
    )
    return make_plan(made, ReadingOptions(), MaskingOptions()).maker


def payloads_of(path) -> list[bytes]:
    """Payloads of all records of a file, which has no damage."""
    frames = list(scan_frames(str(path)))
    assert not any(each.problem for each in frames)
    return [each.payload for each in frames]


def write_task(directory, *, labels=("0", "1")) -> str:
    """Texts whose label stands in the first text: any model learns it."""
    rows = [
        f"{city}{question}\t{other}\t{labels[city in CITIES[:3]]}\n"
        for city, question, other in itertools.product(CITIES, QUESTIONS, QUESTIONS)
    ]
    random.Random(2).shuffle(rows)
    for name, part in (("train", rows[:64]), ("dev", rows[64:80]), ("test", rows[80:])):
        with open(os.path.join(directory, f"{name}.txt"), "w", encoding="utf-8") as file:
            file.writelines(part)
    return str(directory)


def fine_tuning_options(directory, output_dir, **changes) -> ClassifierOptions:
    """Training for one pass over the task in a directory that holds its files and a vocabulary."""
    given = {
        "bert_config_file": write_config(directory),
        "vocab_file": os.path.join(directory, "vocab.txt"),
        "data_dir": str(directory),
        "task_name": "lcqmc",
        "output_dir": str(output_dir),
        "do_train": True,
        "max_seq_length": 16,
        "train_batch_size": 8,
        "num_train_epochs": 1.0,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 4,
        "log_steps": 1,
    }
    return ClassifierOptions(**{**given, **changes})


def arrays(prefix) -> dict[str, np.ndarray]:
    """Everything a checkpoint holds."""
    return read_arrays(str(prefix), read_shapes(str(prefix)))


def write_half_trained(prefix: str, path: str) -> np.ndarray:
    """Write a copy of a checkpoint, as if half its positions were trained after a warm start.

    Returns:
        The position table as it would be with all of them trained, `[positions, width]`.
    """
    stored = arrays(prefix)
    number, width = stored[POSITIONS].shape
    whole = np.sin(0.7 * np.arange(number)[:, None] + np.arange(width))
    half = number // 2
    stored[POSITIONS] = np.float32(np.concatenate([whole[:half], 0.2 * whole[half:]]))
    write_checkpoint(path, stored, read_meta(prefix))
    return whole


def assert_same(checkpoint: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(checkpoint) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(checkpoint[name], value, err_msg=name)


@contextlib.contextmanager
def killed_at(step: int):
    """Gives a function to call with every row, which ends the training inside at a step.

    The row of that step is neither recorded then, nor its checkpoint saved.
    """

    class Killed(Exception):
        pass

    def die_late(row) -> None:
        if row["step"] >= step:
            raise Killed

    with pytest.raises(Killed):
        yield die_late
