"""A kind of task is a row: a made-up one is read, trained, scored, submitted, loaded, exported.

It takes one piece for text (the Kind), one for TensorFlow (the KindModel), and a task.
"""

import dataclasses
import json
import os

import numpy as np
import pytest
import small
import tensorflow as tf

import albert_zh
from albert_zh.export.bundle import export_model
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference import kinds
from albert_zh.inference.kinds import KindModel
from albert_zh.inference.load import load_model
from albert_zh.model.albert import Albert
from albert_zh.model.heads.sequence import SequenceHead
from albert_zh.objectives.inputs import dropout_seeds, model_inputs
from albert_zh.tasks import catalog
from albert_zh.tasks.examples import Example, Split, text_example
from albert_zh.tasks.kinds import table
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.tasks.task import Columns, Kind, Task
from albert_zh.train.metrics import Outcome, mean_of

# --- text: how many of the cities are in the south, a number; two windows of each text


def read(task: Task, path: str, split: str) -> Split:
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return Split(split, path, tuple(Example(text, label=number) for number, text in rows))


def featurize(examples, *, labels, tokenizer, max_seq_length, progress=None):
    """Two rows an example: the whole text, and its second half."""
    texts = [half for each in examples for half in (each.text_a, each.text_a[1:])]
    numbers = np.array([int(each.label) for each in examples for _ in range(2)], np.int32)
    features = featurize_texts(
        [(text,) for text in texts],
        targets={"numbers": numbers},
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
        progress=progress,
    )
    return dataclasses.replace(features, example_ids=np.repeat(np.arange(len(examples)), 2))


def decode(outputs, features, examples, labels) -> list[float]:
    sums = np.bincount(features.example_ids, weights=outputs["numbers"])
    return list(sums / 2)


def score(outputs, features, labels) -> dict[str, float]:
    error = np.mean((outputs["numbers"] - features.targets["numbers"]) ** 2)
    return {"loss": float(error), "nearness": -float(error)}


def submission(examples, predictions, labels) -> dict[str, str]:
    return {"numbers.json": json.dumps([round(number, 3) for number in predictions])}


COUNTING = Kind(
    name="counting",
    featurize=featurize,
    targets={"numbers": ()},
    decode=decode,
    score=score,
    submission=submission,
    row=lambda example, prediction, labels: {"prediction": prediction},
    mistake=lambda example, prediction: None,
    example=text_example,
    num_texts=lambda task: 1,
)

# --- TensorFlow: a head of one number


class Counter(tf.Module):
    stored_names = ("output_",)

    def __init__(self, config, task, **settings):
        super().__init__()
        self.albert = Albert(config, **settings)
        self.head = SequenceHead(self.albert.scope, config, classes=1)

    def __call__(self, input_ids, input_mask, segment_ids, *, seeds=None):
        encoded = self.albert(input_ids, input_mask, segment_ids, seeds=seeds)
        return self.logits_of(encoded, input_mask)

    def logits_of(self, encoded, input_mask, *, seeds=None):
        return self.head(encoded.pooled)


def objective(model, batch, dropout_seed=None) -> Outcome:
    logits = model(**model_inputs(batch), seeds=dropout_seeds(dropout_seed))
    errors = tf.square(logits[:, 0] - tf.cast(batch["numbers"], tf.float32))
    loss = {"counting_loss": mean_of(errors)}
    return Outcome(losses=loss, metrics=loss)


COUNTING_MODEL = KindModel(
    build=Counter,
    objective=objective,
    outputs=lambda logits: {"numbers": logits[:, 0]},
    output_names=("numbers",),
)

# --- the catalog: a row

TASK = Task(
    name="cities",
    kind=COUNTING,
    read=read,
    files={split: (f"{split}.tsv",) for split in ("train", "dev", "test")},
    columns=Columns(text_a=1, text_b=None, label=0),
    labels=("number",),
    metric="nearness",
)


@pytest.fixture(autouse=True)
def added(monkeypatch):
    monkeypatch.setattr(catalog, "TASKS", {**catalog.TASKS, TASK.name: TASK})
    monkeypatch.setattr(table, "KINDS", {**table.KINDS, COUNTING.name: COUNTING})
    monkeypatch.setitem(kinds.KIND_MODELS, COUNTING.name, COUNTING_MODEL)


def test_made_up_kind_goes_all_the_way(tmp_path):
    random = np.random.default_rng(3)
    for split, size in (("train", 64), ("dev", 9), ("test", 5)):
        with open(tmp_path / f"{split}.tsv", "w", encoding="utf-8") as file:
            for _ in range(size):
                cities = random.choice(small.CITIES, 3)
                number = sum(city in "杭蓉渝" for city in cities)
                file.write(f"{number}\t{''.join(cities)}\n")
    small.write_vocabulary(tmp_path)
    fine_tune(
        small.fine_tuning_options(
            tmp_path,
            tmp_path / "out",
            task_name="cities",
            do_eval=True,
            do_predict=True,
            train_batch_size=16,
            num_train_epochs=4.0,
        )
    )
    with open(tmp_path / "out" / "numbers.json") as file:
        written = json.load(file)
    assert len(written) == 5
    with open(tmp_path / "out" / "best_checkpoint.json") as file:
        best = json.load(file)
    assert best["checkpoint"] != "model.ckpt-0"
    assert best["eval_nearness"] == -best["eval_loss"]

    with open(tmp_path / "test.tsv", encoding="utf-8") as file:
        texts = [line.split("\t")[1].strip() for line in file]
    predictor = albert_zh.load(str(tmp_path / "out"))
    featurized = [Example(text, label="0") for text in texts]
    assert predictor.kind.name == "counting"
    outputs = [round(number, 3) for number in predictor.predict_examples(featurized)]
    assert outputs == pytest.approx(written, abs=2e-3)

    export_model(
        load_model(str(tmp_path / "out")),
        export_dir=str(tmp_path / "export"),
        formats=["frozen_graph", "saved_model"],
    )
    exported = albert_zh.load(str(tmp_path / "export"))
    assert exported.predict_examples(featurized) == pytest.approx(written, abs=2e-3)
    assert os.path.exists(tmp_path / "export" / "task.json")
