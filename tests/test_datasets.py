"""Rows of the catalog: facts of datasets, and the files that their benchmarks accept."""

import collections
import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from albert_zh.tasks.catalog import TASKS, find_task
from albert_zh.tasks.dataset import Settings
from albert_zh.tasks.examples import ChoiceExample, Entity, Example, Split, TaggingExample
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import TextPrediction
from albert_zh.tasks.kinds.tagging import TagPrediction
from albert_zh.tasks.listing import list_tasks
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.submissions import blank_object

DATA = os.environ.get("ALBERT_ZH_TEST_DATA")


def submitted(task, examples, predictions, path="test.json"):
    """Content of the benchmark's file, by its name."""
    submission = task.submission
    return submission.name_for(path), submission.content(examples, predictions, task.labels)


def predicted(labels):
    return [LabelPrediction(label, ()) for label in labels]


# ---- facts


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lcqmc", Settings(64, 128, 5, 1e-4)),
        ("afqmc", Settings(16, 128, 3, 2e-5)),
        ("iflytek", Settings(32, 128, 10, 2e-5)),
        ("cmrc2018", Settings(32, 512, 3, 2e-4)),
    ],
)
def test_published_settings_are_those_of_the_readme(name, settings):
    assert TASKS[name].dataset.settings == settings


def test_every_row_tells_where_it_comes_from():
    published = {name: task for name, task in TASKS.items() if name != "sentence_pair"}
    for name, task in published.items():
        assert task.dataset.source.startswith("http"), name
        assert task.dataset.licence, name
        assert "train" in task.dataset.sizes, name


@pytest.mark.parametrize(
    "name", ["sentence_pair", "lcqmc_pair", "cola", "mnli", "mrpc", "xnli", "wsc", "copa", "CSL"]
)
def test_names_of_published_scripts_are_known(name):
    assert find_task(name).name == name.lower()


def test_list_of_tasks_has_a_row_for_each_with_sizes_files_and_source():
    lines = list_tasks().splitlines()
    for name in TASKS:
        assert any(line.startswith(f"{name} ") for line in lines), name
    place = next(place for place, line in enumerate(lines) if line.startswith("tnews "))
    assert lines[place].split()[1:6] == ["classification,", "15", "53,360", "10,000", "10,000"]
    assert "test.json, test1.1.json, test.txt|tsv|csv" in lines[place + 1]
    assert lines[place + 2].strip() == TASKS["tnews"].dataset.source
    assert max(map(len, lines)) <= 130


def test_script_lists_tasks_without_tensorflow():
    script = os.path.join(os.path.dirname(__file__), "..", "run_classifier.py")
    command = [sys.executable, "-X", "importtime", script, "--list_tasks"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "lcqmc" in done.stdout
    assert "tensorflow.python" not in done.stderr


# ---- submissions


def test_label_lines_have_ids_as_numbers_and_labels_as_texts():
    examples = [Example("好", id="2415"), Example("坏", id="07"), Example("没有")]
    name, content = submitted(TASKS["tnews"], examples, predicted(["100", "116", "104"]))
    assert name == "tnews11_predict.json"
    assert [json.loads(line) for line in content.splitlines()] == [
        {"id": 2415, "label": "100"},
        {"id": "07", "label": "116"},
        {"id": 2, "label": "104"},
    ]


@pytest.mark.parametrize(
    ("task", "path", "name"),
    [
        ("tnews", "tnews/test1.0.json", "tnews10_predict.json"),
        ("tnews", "tnews/test1.1.json", "tnews11_predict.json"),
        ("c3", "test1.0.json", "c310_predict.json"),
        ("chid", "test1.0.json", "chid10_predict.json"),
        ("chid", "test1.1.json", "chid11_predict.json"),
        ("wsc", "test.json", "cluewsc11_predict.json"),
        ("csl", "test.json", "csl_predict.json"),
        ("c3", "test1.1.json", "c311_predict.json"),
        ("ocnli", "test.json", "ocnli_50k_predict.json"),
    ],
)
def test_file_read_tells_the_name_to_submit(task, path, name):
    assert TASKS[task].submission.name_for(path) == name


def test_number_of_examples_tells_an_older_test_file_of_the_same_name():
    submission = TASKS["cluewsc2020"].submission
    assert submission.name_for("test.json", num_examples=290) == "cluewsc10_predict.json"
    assert submission.name_for("test.json", num_examples=2_574) == "cluewsc11_predict.json"


def test_entity_lines_count_the_last_character():
    examples = [TaggingExample("小明和小明", id="0")]
    found = [TagPrediction((Entity(0, 2, "name"), Entity(3, 5, "name")))]
    name, content = submitted(TASKS["cluener"], examples, found)
    assert name == "cluener_predict.json"
    expected = {"id": 0, "text": "小明和小明", "label": {"name": {"小明": [[0, 1], [3, 4]]}}}
    assert json.loads(content) == expected


def test_blank_object_has_numbers_of_choices():
    examples = [ChoiceExample("", "", ("甲", "乙", "丙", "丁"), id="#idiom000378#")]
    assert json.loads(blank_object(examples, predicted(["3"]), ())) == {"#idiom000378#": 3}


def test_blanks_that_share_candidates_take_each_once_the_likeliest_first():
    first, second = ("甲", "乙", "丙"), ("甲", "乙")
    examples = [
        ChoiceExample(text, "", choices, label, text)
        for text, choices, label in (("a", first, "1"), ("b", second, "0"), ("c", first, "0"))
    ]
    rows = [[0.6, 0.4, 0.0], [0.7, 0.3, 0.0], [0.9, 0.1, 0.0]]
    predictions = [LabelPrediction("0", np.array(row)) for row in rows]
    assert json.loads(blank_object(examples, predictions, ())) == {"a": 1, "b": 0, "c": 0}
    scores = TASKS["chid"].measure(examples, predictions, TASKS["chid"].labels)
    assert scores == {"accuracy_one_to_one": 1.0}


def test_task_writes_the_files_of_its_kind_and_of_its_benchmark():
    split = Split("test", "afqmc/test.json", (Example("好", "坏", id="0"),))
    files = TASKS["afqmc"].prediction_files(split, predicted(["1"]))
    assert json.loads(files["afqmc_predict.json"]) == {"id": 0, "label": "1"}
    assert "submit_results.tsv" in files
    assert "afqmc_predict.json" not in TASKS["lcqmc"].prediction_files(split, predicted(["1"]))


def test_questions_that_clue_numbers_have_these_ids(tmp_path):
    asked = {"question": "谁？", "choice": ["甲", "乙"]}
    rows = [[["好"], [{**asked, "id": 5}, {**asked, "id": 6}], "m-1"], [["坏"], [asked], "m-2"]]
    (tmp_path / "test1.1.json").write_text(json.dumps(rows))
    split = read_split(TASKS["c3"], data_dir=str(tmp_path), split="test")
    assert [example.id for example in split.examples] == ["5", "6", None]
    assert any("1 of its examples have no id; in c311_predict.json" in n for n in split.notes)


# ---- real files


def majority(examples):
    return collections.Counter(each.label for each in examples).most_common(1)[0]


@pytest.mark.skipif(DATA is None, reason="ALBERT_ZH_TEST_DATA is not set")
def test_cmnli_dev_is_scored_over_the_rows_on_which_people_agreed():
    task = TASKS["cmnli"]
    split = read_split(task, data_dir=os.path.join(DATA, "cmnli"), split="dev")
    label, count = majority(split.examples)
    logits = np.zeros([len(split.examples), 3])
    logits[:, task.labels.index(label)] = 1
    ids = np.array([task.labels.index(each.label) for each in split.examples])
    features = types.SimpleNamespace(targets={"label_ids": ids})
    scores = task.scores({"logits": logits}, features, split.examples)
    assert len(split.examples) == 12_241
    assert scores["accuracy"] == count / 12_241


@pytest.mark.skipif(DATA is None, reason="ALBERT_ZH_TEST_DATA is not set")
def test_drcd_dev_is_scored_by_the_rules_of_clue():
    task = TASKS["drcd"]
    split = read_split(task, data_dir=os.path.join(DATA, "drcd"), split="dev")
    right = [TextPrediction(each.answers[-1].text, 0.0) for each in split.examples]
    assert task.measure(split.examples, right, ()) == {
        "exact_match": 100,
        "f1": 100,
        "average": 100,
    }
    right[: len(right) // 2] = [TextPrediction("", 0.0)] * (len(right) // 2)
    scores = task.measure(split.examples, right, ())
    assert scores == {"exact_match": 50, "f1": 50, "average": 50}
