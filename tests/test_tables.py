"""Predictions of every kind as rows for people."""

import csv
import io
import json

import numpy as np
import pytest

from albert_zh.tasks.examples import (
    Answer,
    ChoiceExample,
    Entity,
    Example,
    ReadingExample,
    TaggingExample,
)
from albert_zh.tasks.kinds.choice import CHOICE
from albert_zh.tasks.kinds.classification import CLASSIFICATION, LabelPrediction
from albert_zh.tasks.kinds.reading import READING, TextPrediction
from albert_zh.tasks.kinds.regression import REGRESSION, NumberPrediction
from albert_zh.tasks.kinds.tagging import TAGGING, TagPrediction
from albert_zh.tasks.tables import as_json_lines, as_table, prediction_rows

SURE = LabelPrediction("b", np.float32([0.1, 0.9]))
CITY = Entity(2, 4, "地名")
MARKED = {"text": "北京", "start": 2, "end": 4, "type": "地名"}
CASES = {
    "pair": (
        CLASSIFICATION,
        Example("一", "二", label="a", id="q7"),
        SURE,
        {"id": "q7", "text_a": "一", "text_b": "二", "label": "a", "prediction": "b"}
        | {"probabilities": {"a": 0.1, "b": 0.9}},
        "id\ttext_a\ttext_b\tlabel\tprediction\tprobability_a\tprobability_b\n"
        "q7\t一\t二\ta\tb\t0.1\t0.9\n",
    ),
    "unlabelled": (
        CLASSIFICATION,
        Example('一\t"二"'),
        SURE,
        {"id": "0", "text_a": '一\t"二"', "prediction": "b"}
        | {"probabilities": {"a": 0.1, "b": 0.9}},
        'id\ttext_a\tprediction\tprobability_a\tprobability_b\n0\t"一\t""二"""\tb\t0.1\t0.9\n',
    ),
    "choice": (
        CHOICE,
        ChoiceExample("文", "问", ("甲", "乙"), label="b"),
        SURE,
        {"id": "0", "text": "文", "question": "问", "choices": ["甲", "乙"], "label": "b"}
        | {"prediction": "b", "probabilities": {"a": 0.1, "b": 0.9}},
        "id\ttext\tquestion\tchoices\tlabel\tprediction\tprobability_a\tprobability_b\n"
        "0\t文\t问\t甲 | 乙\tb\tb\t0.1\t0.9\n",
    ),
    "regression": (
        REGRESSION,
        Example("一", label="2.5"),
        NumberPrediction(2.25),
        {"id": "0", "text_a": "一", "label": "2.5", "prediction": 2.25},
        "id\ttext_a\tlabel\tprediction\n0\t一\t2.5\t2.25\n",
    ),
    "reading": (
        READING,
        ReadingExample("谁", "小明来了", (Answer("小明", 0),)),
        TextPrediction("明", 3.5, start=1, end=2),
        {"id": "0", "question": "谁", "context": "小明来了", "label": "小明", "prediction": "明"}
        | {"start": 1, "end": 2, "score": 3.5},
        "id\tquestion\tcontext\tlabel\tprediction\tstart\tend\tscore\n"
        "0\t谁\t小明来了\t小明\t明\t1\t2\t3.5\n",
    ),
    "tagging": (
        TAGGING,
        TaggingExample("我在北京", (CITY,)),
        TagPrediction((CITY,)),
        {"id": "0", "text": "我在北京"} | {"label": [MARKED], "prediction": [MARKED]},
        "id\ttext\tlabel\tprediction\n0\t我在北京\t北京 2 4 地名\t北京 2 4 地名\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_prediction_is_an_object_and_a_row(name):
    kind, example, prediction, expected, table = CASES[name]
    rows = prediction_rows(kind, [example], [prediction], ["a", "b"])
    assert json.loads(as_json_lines(rows)) == expected
    assert as_table(rows) == table
    (row,) = csv.DictReader(io.StringIO(as_table(rows)), delimiter="\t")
    assert row["id"] == expected["id"]


def test_partly_labelled_rows_all_have_the_column():
    examples = [Example("一", label="a"), Example("二")]
    rows = prediction_rows(CLASSIFICATION, examples, [SURE, SURE], ["a", "b"])
    assert [row["label"] for row in rows] == ["a", None]
    assert as_table(rows).splitlines()[2] == "1\t二\t\tb\t0.1\t0.9"


@pytest.mark.parametrize(
    ("kind", "example", "prediction", "weight", "cells"),
    [
        (CLASSIFICATION, Example("一", label="a"), SURE, 0.9, {"probability": 0.9}),
        (REGRESSION, Example("一", label="2"), NumberPrediction(1.5), 0.5, {"error": -0.5}),
        (READING, ReadingExample("谁", "甲", ()), TextPrediction("甲", 2.0), 2.0, {}),
        (
            TAGGING,
            TaggingExample("我在北京", (CITY,)),
            TagPrediction((Entity(0, 1, "人名"),)),
            2.0,
            {
                "missing": [MARKED],
                "too_many": [{"text": "我", "start": 0, "end": 1, "type": "人名"}],
            },
        ),
    ],
)
def test_mistakes_have_a_weight_and_are_told(kind, example, prediction, weight, cells):
    assert kind.mistake(example, prediction) == (weight, cells)


@pytest.mark.parametrize(
    ("kind", "example", "prediction"),
    [
        (CLASSIFICATION, Example("一", label="b"), SURE),
        (CHOICE, ChoiceExample("文", "问", ("甲", "乙"), label="b"), SURE),
        (READING, ReadingExample("谁", "甲", (Answer("甲", 0),)), TextPrediction("甲", 2.0)),
        (READING, ReadingExample("谁", "甲", ()), TextPrediction("", 2.0)),
        (TAGGING, TaggingExample("我在北京", (CITY,)), TagPrediction((CITY,))),
    ],
)
def test_right_predictions_are_no_mistakes(kind, example, prediction):
    assert kind.mistake(example, prediction) is None


def test_pairs_of_marked_parts_tell_missing_and_superfluous_ones():
    example = TaggingExample("我在北京城", (Entity(0, 1, "人"), CITY))
    prediction = TagPrediction((Entity(2, 4, "人"), Entity(4, 5, "物")))
    pairs = TAGGING.label_pairs([example], [prediction])
    assert pairs == [("人", None), ("地名", "人"), (None, "物")]
