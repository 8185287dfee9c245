"""Files that show what a model gets wrong on the validation set."""

import csv

import numpy as np
import pytest

from albert_zh.finetuning import pictures
from albert_zh.finetuning.analysis import write_analysis
from albert_zh.finetuning.data import Data
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.custom import custom_task
from albert_zh.tasks.examples import Answer, Entity, Example, ReadingExample, Split, TaggingExample
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import TextPrediction
from albert_zh.tasks.kinds.regression import NumberPrediction
from albert_zh.tasks.kinds.tagging import TagPrediction
from albert_zh.tasks.scorers.labels import confusion, label_scores
from albert_zh.tasks.task import Keys
from albert_zh.util.optional_packages import load_extra

pytestmark = pytest.mark.pictures

PNG = b"\x89PNG"


def analysed(directory, task, examples, predictions) -> dict[str, list[dict]]:
    """The tables that are written, by name; the pictures by name, without rows."""
    split = Split("dev", "dev.csv", tuple(examples))
    write_analysis(str(directory), Data(task, {"dev": split}, {}, (), xla=False), predictions)
    tables = {}
    for path in directory.iterdir():
        if path.suffix == ".tsv":
            with open(path, encoding="utf-8", newline="") as file:
                tables[path.name] = list(csv.DictReader(file, delimiter="\t"))
        else:
            assert path.read_bytes().startswith(PNG)
            tables[path.name] = []
    return tables


def classified(*pairs) -> tuple[list[Example], list[LabelPrediction]]:
    """Examples with a label each, and predictions with the probability of 服务."""
    examples = [Example(f"文{n}", label=label) for n, (label, _) in enumerate(pairs)]
    predictions = [
        LabelPrediction("服务" if share > 0.5 else "$5", np.float32([share, 1 - share]))
        for _, share in pairs
    ]
    return examples, predictions


TASK = custom_task(Keys(("text",)), ("服务", "$5"))
PAIRS = (("服务", 0.875), ("服务", 0.25), ("$5", 0.125), ("$5", 0.96875), ("服务", 0.625))


def test_mistakes_stand_with_the_surest_first_and_labels_are_counted(tmp_path):
    tables = analysed(tmp_path, TASK, *classified(*PAIRS))
    assert tables["errors.tsv"] == [
        {"id": "3", "text": "文3", "label": "$5", "prediction": "服务", "probability": "0.96875"},
        {"id": "1", "text": "文1", "label": "服务", "prediction": "$5", "probability": "0.75"},
    ]
    assert tables["confusion_matrix.tsv"] == [
        {"label": "服务", "服务": "2", "$5": "1"},
        {"label": "$5", "服务": "1", "$5": "1"},
    ]
    (service, other) = tables["labels.tsv"]
    assert (service["label"], service["support"], service["predicted"]) == ("服务", "3", "3")
    assert service["precision"] == service["recall"] == "0.6667"
    assert float(other["f1"]) == 0.5
    assert {"labels.png", "confusion_matrix.png"} <= set(tables)


@pytest.mark.parametrize(
    ("predictions", "is_warned"),
    [((0.9, 0.9, 0.9), True), ((0.9, 0.1, 0.1), True), ((0.9, 0.9, 0.1), False)],
)
def test_model_no_better_than_the_commonest_label_is_a_warning(
    tmp_path, caplog, predictions, is_warned
):
    right = ("服务", "服务", "$5")
    with caplog.at_level("WARNING", logger="absl"):
        analysed(tmp_path, TASK, *classified(*zip(right, predictions, strict=True)))
    line = "one that always answers 服务, which is right on 66.7 % of dev"
    assert (line in caplog.text) == is_warned


def test_examples_of_one_label_do_not_tell_how_good_the_model_is(tmp_path, caplog):
    with caplog.at_level("WARNING", logger="absl"):
        analysed(tmp_path, TASK, *classified(("服务", 0.9), ("服务", 0.9)))
    assert "always answers" not in caplog.text


def test_no_mistakes_are_an_empty_table(tmp_path):
    tables = analysed(tmp_path, TASK, *classified(("服务", 0.9), ("$5", 0.1)))
    assert tables["errors.tsv"] == []
    assert (tmp_path / "errors.tsv").read_text().startswith("id\ttext\tlabel\tprediction")


def test_marked_parts_are_counted_by_type_and_none(tmp_path):
    examples = [TaggingExample("我在北京", (Entity(2, 4, "address"),))]
    predictions = [TagPrediction((Entity(0, 1, "name"),))]
    tables = analysed(tmp_path, find_task("cluener"), examples, predictions)
    (row,) = tables["errors.tsv"]
    assert (row["missing"], row["too_many"]) == ("北京 2 4 address", "我 0 1 name")
    counts = {row["label"]: row for row in tables["confusion_matrix.tsv"]}
    assert counts["address"]["(none)"] == counts["(none)"]["name"] == "1"


def test_answers_that_are_wrong_are_listed(tmp_path):
    examples = [ReadingExample("谁", "小明来", (Answer("小明", 0),)) for _ in range(2)]
    predictions = [TextPrediction("小明", 1.0), TextPrediction("来", 2.0)]
    tables = analysed(tmp_path, find_task("cmrc2018"), examples, predictions)
    assert list(tables) == ["errors.tsv"]
    assert [row["prediction"] for row in tables["errors.tsv"]] == ["来"]


def test_numbers_are_listed_by_their_distance_and_drawn(tmp_path):
    task = custom_task(Keys(("text",)), (), kind="regression")
    examples = [Example("一", label="1"), Example("二", label="2")]
    predictions = [NumberPrediction(1.25), NumberPrediction(0.5)]
    tables = analysed(tmp_path, task, examples, predictions)
    assert [row["error"] for row in tables["errors.tsv"]] == ["-1.5", "0.25"]
    assert set(tables) == {"errors.tsv", "numbers.png"}


def test_without_matplotlib_one_line_tells_and_no_old_picture_stays(tmp_path, monkeypatch, caplog):
    def missing(module, *, purpose):
        return load_extra("no_such_package", purpose=purpose)

    analysed(tmp_path, TASK, *classified(*PAIRS))
    monkeypatch.setattr(pictures, "load_extra", missing)
    with caplog.at_level("INFO", logger="absl"):
        tables = analysed(tmp_path, TASK, *classified(*PAIRS))
    assert set(tables) == {"errors.tsv", "labels.tsv", "confusion_matrix.tsv"}
    assert (
        "no labels.png and confusion_matrix.png: a picture of an evaluation needs the package"
        in caplog.text
    )


@pytest.mark.parametrize("num_labels", [1, 3, 119])
def test_pictures_of_few_and_of_many_labels(tmp_path, num_labels):
    labels = [f"类别{number}" for number in range(num_labels)]
    counts = np.random.default_rng(1).integers(0, 9, [num_labels] * 2)
    pictures.draw_confusion(str(tmp_path / "c.png"), counts, labels)
    scores = label_scores(np.pad(counts, (0, 1)), labels)
    pictures.draw_label_scores(str(tmp_path / "l.png"), scores)
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(PNG)


def test_scores_of_labels_agree_with_hand_counts():
    labels = ["a", "b", "c"]
    counts = confusion([("a", "a"), ("a", "b"), ("b", "b"), (None, "b"), ("a", None)], labels)
    assert counts.tolist() == [[1, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    rows = label_scores(counts, labels)
    assert rows[0][1:] == (1.0, 1 / 3, 0.5, 3, 1)
    assert rows[1][1:] == (1 / 3, 1.0, 0.5, 1, 3)
    assert rows[2][1:] == (0.0, 0.0, 0.0, 0, 0)
