"""Real data: what is right, as features and back, is what the files say."""

import pathlib

import numpy as np
import pytest

from albert_zh.tasks.catalog import TASKS
from albert_zh.tasks.splits import read_split
from albert_zh.text.tokenizers import load_tokenizer

VOCABULARY = pathlib.Path(__file__).parent.parent / "albert_config" / "vocab.txt"


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(str(VOCABULARY))


def test_answers_of_cmrc2018_come_back_from_their_windows(test_data_dir, tokenizer):
    task = TASKS["cmrc2018"]
    split = read_split(task, data_dir=str(test_data_dir / "cmrc2018"), split="train")
    assert len(split.examples) == 10_121
    assert "21 answers do not stand where answer_start says" in split.notes[0]
    found = 0
    for begin in range(0, len(split.examples), 500):  # Logits of all at once take gigabytes.
        examples = split.examples[begin : begin + 500]
        features = task.kind.featurize(
            examples, labels=task.labels, tokenizer=tokenizer, max_seq_length=512
        )
        outputs = {}
        for end, name in enumerate(("start_logits", "end_logits")):
            outputs[name] = np.zeros([len(features), features.lengths.max()], np.float32)
            places = features.targets["answer_spans"][:, end]
            outputs[name][np.arange(len(features)), places] = np.where(places, 9, 0)
        predictions = task.kind.decode(outputs, features, examples, task.labels)
        # The official score leaves outer blanks out, too.
        found += sum(
            prediction.text == example.answers[0].text.strip()
            for prediction, example in zip(predictions, examples, strict=True)
        )
    assert found == 10_117  # The others begin inside of a number or a word, or are too long.


@pytest.mark.parametrize(("split", "share"), [("train", 0.9997), ("dev", 0.9996)])
def test_parts_of_cluener_come_back_from_their_tags(test_data_dir, tokenizer, split, share):
    task = TASKS["cluener"]
    examples = read_split(task, data_dir=str(test_data_dir / "cluener"), split=split).examples
    features = task.kind.featurize(
        examples, labels=task.labels, tokenizer=tokenizer, max_seq_length=128
    )
    tags = features.token_targets["tags"]
    logits = np.zeros([len(features), features.lengths.max(), tags.max() + 1], np.float32)
    for row in range(len(features)):
        own = tags[features.row(row)]
        logits[row, np.arange(len(own)), np.maximum(own, 0)] = 1
    predictions = task.kind.decode({"tag_logits": logits}, features, examples, task.labels)
    same = sum(
        len({*prediction.entities} & {*example.entities})
        for prediction, example in zip(predictions, examples, strict=True)
    )
    # Parts that overlap others, or end inside of a number or a word, do not come back.
    assert same / sum(len({*example.entities}) for example in examples) > share
