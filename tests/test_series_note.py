"""The note of several trainings: what is finished, what may go on, means and the best."""

import dataclasses
import json
import math

import pytest

from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.score_tables import write_tables
from albert_zh.finetuning.series_note import best_first, check_series, is_finished, make_note
from albert_zh.util.tables import markdown_table


def options(directory, **changes) -> ClassifierOptions:
    given = {"output_dir": str(directory), "do_train": True, "do_eval": True, "num_seeds": 2}
    return ClassifierOptions(**{**given, **changes})


def run(seed: int, accuracy: float, loss: float = 0.5) -> dict:
    return {
        "flags": {"num_seeds": None, "random_seed": seed},
        "data": {"train": "a", "dev": "b"},
        "checkpoint": "model.ckpt-8",
        "dev": {"accuracy": accuracy, "loss": loss},
    }


RUNS = {"seed_12345": run(12345, 0.7), "seed_12346": run(12346, 0.8, 0.4)}


def written(directory, runs=RUNS, **changes) -> ClassifierOptions:
    """The options of a series whose note stands in a directory."""
    given = options(directory, **changes)
    note = make_note(given.series(), runs, metric="accuracy")
    (directory / "scores.json").write_text(json.dumps(note), encoding="utf-8")
    return given


def test_mean_deviation_and_best_are_those_of_the_finished_runs(tmp_path):
    note = make_note(options(tmp_path, num_seeds=3).series(), RUNS, metric="accuracy")
    assert note["mean"]["dev"] == pytest.approx({"accuracy": 0.75, "loss": 0.45})
    # Of a sample: sqrt((0.05^2 + 0.05^2) / 1).
    assert note["standard_deviation"]["dev"]["accuracy"] == pytest.approx(math.sqrt(0.005))
    assert note["best"] == "seed_12346"
    assert "mean" not in make_note(
        options(tmp_path).series(), {"seed_12345": RUNS["seed_12345"]}, metric="accuracy"
    )


def test_scores_on_test_data_count_where_all_runs_have_them(tmp_path):
    tested = {name: {**each, "test": {"accuracy": 0.5}} for name, each in RUNS.items()}
    series = options(tmp_path).series()
    assert make_note(series, tested, metric="accuracy")["mean"]["test"] == {"accuracy": 0.5}
    del tested["seed_12345"]["test"]
    assert "test" not in make_note(series, tested, metric="accuracy")["mean"]


@pytest.mark.parametrize(
    ("metric", "order"),
    [("accuracy", ["b", "c", "a", "d"]), ("-loss", ["b", "a", "c", "d"])],
)
def test_best_run_has_the_metric_then_the_lower_loss(metric, order):
    scores = {"a": (0.7, 0.2), "c": (0.8, 0.3), "b": (0.8, 0.1), "d": (math.nan, math.nan)}
    runs = {
        name: {"dev": {"accuracy": accuracy, "loss": loss}}
        for name, (accuracy, loss) in scores.items()
    }
    assert best_first(runs, metric) == order


def test_run_is_finished_for_its_flags_and_data(tmp_path):
    note = make_note(options(tmp_path).series(), RUNS, metric="accuracy")
    flags, data = RUNS["seed_12345"]["flags"], RUNS["seed_12345"]["data"]
    assert is_finished(note, "seed_12345", flags=flags, data=data)
    assert is_finished(note, "seed_12345", flags=flags, data={"dev": "b"})
    assert not is_finished(note, "seed_12345", flags=flags, data={**data, "test": "c"})
    assert not is_finished(note, "seed_12345", flags=flags, data={**data, "dev": "other"})
    assert not is_finished(note, "seed_12345", flags={**flags, "random_seed": 1}, data=data)
    assert not is_finished(note, "seed_12347", flags=flags, data=data)
    assert not is_finished(None, "seed_12345", flags=flags, data=data)


def test_series_goes_on_with_more_runs_and_other_work(tmp_path):
    written(tmp_path)
    options(tmp_path, num_seeds=5, do_predict=True, log_steps=7).check_directory()
    options(tmp_path, num_seeds=None, do_train=False).check_directory()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 1e-3}, r"--learning_rate was 5e-05, not 0.001; give those, or choose"),
        ({"random_seed": 7}, r"--random_seed was 12345, not 7"),
        ({"num_seeds": None, "num_folds": 2}, "holds runs of other seeds; choose another"),
        ({"num_seeds": None}, r"holds the runs of several seeds; give --num_seeds, as then"),
    ],
)
def test_directory_of_another_series_is_refused(tmp_path, changes, message):
    written(tmp_path)
    with pytest.raises(ValueError, match=message):
        options(tmp_path, **changes).check_directory()


def test_fewer_runs_than_there_are_lose_none(tmp_path):
    written(tmp_path, {**RUNS, "seed_12347": run(12347, 0.9)}, num_seeds=3)
    with pytest.raises(ValueError, match="leave out, such as seed_12347; ask for them, too"):
        options(tmp_path).check_directory()


def test_directory_of_a_single_run_is_refused(tmp_path):
    (tmp_path / "model.ckpt-8.index").touch()
    with pytest.raises(ValueError, match="holds a single run, so it has no room for more"):
        options(tmp_path).check_directory()


def test_damaged_note_is_named(tmp_path):
    (tmp_path / "scores.json").write_text('{"runs": 1}')
    with pytest.raises(ValueError, match=r"scores\.json is damaged; move it away"):
        options(tmp_path).check_directory()


def test_flag_that_came_later_has_its_default(tmp_path):
    given = written(tmp_path)
    note = json.loads((tmp_path / "scores.json").read_text())
    del note["flags"]["warmup_proportion"]
    (tmp_path / "scores.json").write_text(json.dumps(note))
    check_series(given.series())
    with pytest.raises(ValueError, match=r"--warmup_proportion was 0.1, not 0.2"):
        check_series(dataclasses.replace(given, warmup_proportion=0.2).series())


def test_table_has_a_row_for_each_run(tmp_path):
    note = make_note(options(tmp_path).series(), RUNS, metric="accuracy")
    write_tables(str(tmp_path), note)
    lines = (tmp_path / "scores.md").read_text().splitlines()
    assert lines[:6] == [
        "| run                | checkpoint   | dev accuracy | dev loss |",
        "|:-------------------|:-------------|-------------:|---------:|",
        "| seed_12345         | model.ckpt-8 |       0.7000 |   0.5000 |",
        "| seed_12346         | model.ckpt-8 |       0.8000 |   0.4000 |",
        "| mean               |              |       0.7500 |   0.4500 |",
        "| standard deviation |              |       0.0707 |   0.0707 |",
    ]
    assert "Best on the validation set: seed_12346." in lines[-1]
    rows = [line.split("\t") for line in (tmp_path / "scores.tsv").read_text().splitlines()]
    assert rows[2] == ["seed_12346", "model.ckpt-8", "0.8000", "0.4000"]


def test_runs_that_are_as_good_as_the_best_one_are_named(tmp_path):
    runs = {**RUNS, "seed_12347": run(12347, 0.8), "seed_12348": run(12348, 0.8, 0.3)}
    note = make_note(options(tmp_path, num_seeds=4).series(), runs, metric="accuracy")
    assert (
        "Best on the validation set: seed_12348, by its lower loss; of the same accuracy: "
        "seed_12346, seed_12347."
    ) in write_tables(str(tmp_path), note)


def test_columns_of_texts_and_numbers_line_up():
    assert markdown_table(["a", "number"], [["long text", ""], ["x", "-1.5"]]).splitlines() == [
        "| a         | number |",
        "|:----------|-------:|",
        "| long text |        |",
        "| x         |   -1.5 |",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_seeds": 2, "num_folds": 2}, "two kinds of repetition; give one"),
        ({"num_seeds": 1}, r"--num_seeds=1: it must be at least 2"),
        ({"num_seeds": None, "num_folds": 1}, r"--num_folds=1: it must be at least 2"),
        ({"do_eval": False}, r"--num_seeds compares scores on .*; add --do_eval=True"),
        ({"num_seeds": None, "fold": 3, "num_folds": 2}, "--fold=3 is none of --num_folds=2 folds"),
        ({"num_seeds": None, "fold": 1}, "--fold=1 is none of --num_folds=0 folds"),
        ({"num_seeds": None, "num_folds": 2, "dev_fraction": 0.1}, "leave out --dev_file and"),
    ],
)
def test_flags_that_contradict_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        options(tmp_path, **changes)
