"""Several trainings in one directory: seeds, folds, grids."""

import gc
import json

import pytest
import small
import tensorflow as tf
from small import arrays, assert_same, fine_tuning_options

import albert_zh
from albert_zh.finetuning import series
from albert_zh.finetuning.run import fine_tune
from albert_zh.finetuning.series import fine_tune_all, sweep
from albert_zh.finetuning.sweep_options import SweepOptions, read_grid

pytestmark = pytest.mark.usefixtures("module_eager")

SEEDS = {"do_eval": True, "do_predict": True, "num_seeds": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("series")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


@pytest.fixture(scope="module")
def seeds(data, tmp_path_factory):
    """Output directory of two seeds."""
    directory = tmp_path_factory.mktemp("seeds") / "out"
    assert fine_tune_all(fine_tuning_options(data, directory, **SEEDS))
    return directory


def scores(directory) -> dict:
    return json.loads((directory / "scores.json").read_text())


def count_runs(monkeypatch, **settings) -> list[str]:
    """Directories of the runs that are done from now on."""
    done = []

    def run(options, **given):
        done.append(options.output_dir.rpartition("/")[2])
        return fine_tune(options, **given, **settings)

    monkeypatch.setattr(series, "fine_tune", run)
    return done


def test_each_seed_is_the_run_of_that_seed(data, seeds, tmp_path):
    fine_tune(fine_tuning_options(data, tmp_path, do_eval=True, random_seed=12346))
    end = "model.ckpt-8"
    assert_same(arrays(seeds / "seed_12346" / end), arrays(tmp_path / end))
    noted = scores(seeds)["runs"]["seed_12346"]
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (noted["checkpoint"], noted["dev"]) == (
        metrics["best"]["checkpoint"],
        metrics["best"]["scores"],
    )
    assert scores(seeds)["runs"]["seed_12345"]["dev"] != noted["dev"]
    assert {"accuracy", "loss"} == set(noted["test"])


def test_directory_predicts_with_the_best_seed(data, seeds):
    best = seeds / scores(seeds)["best"]
    assert (seeds / "test_results.tsv").read_bytes() == (best / "test_results.tsv").read_bytes()
    texts = [("京冷", "热"), ("杭远", "贵")]
    of_directory, of_best = (
        [each.probabilities.tolist() for each in albert_zh.load(str(path)).predict(texts)]
        for path in (seeds, best)
    )
    assert of_directory == of_best
    fine_tune_all(fine_tuning_options(data, seeds, do_train=False, do_predict=True, task_name=None))


def test_seeds_reproduce_bit_for_bit_after_a_kill(data, seeds, tmp_path, monkeypatch):
    options = fine_tuning_options(data, tmp_path / "out", **SEEDS)

    def die_in_the_second(options, **given):
        on_row = die_late if options.random_seed == 12346 else None
        return fine_tune(options, **given, on_row=on_row)

    monkeypatch.setattr(series, "fine_tune", die_in_the_second)
    with small.killed_at(6) as die_late:
        fine_tune_all(options)
    assert list(scores(tmp_path / "out")["runs"]) == ["seed_12345"]
    done = count_runs(monkeypatch)
    assert fine_tune_all(options)
    assert done == ["seed_12346", "out"], "what is finished is not done again"
    for name in ("scores.json", "scores.md", "scores.tsv"):
        assert (tmp_path / "out" / name).read_bytes() == (seeds / name).read_bytes()
    for seed in ("seed_12345", "seed_12346"):
        end = f"{seed}/model.ckpt-8"
        assert_same(arrays(tmp_path / "out" / end), arrays(seeds / end))


def test_stop_ends_the_series(data, tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(series, "fine_tune", lambda options, **given: done.append(options))
    assert not fine_tune_all(fine_tuning_options(data, tmp_path, **SEEDS))
    assert len(done) == 1


def test_folds_predict_every_example_of_the_training_file_once(data, tmp_path):
    assert fine_tune_all(fine_tuning_options(data, tmp_path, do_eval=True, num_folds=2))
    lines = (data / "train.txt").read_text(encoding="utf-8").splitlines()
    rows = (tmp_path / "out_of_fold.predictions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(row) for row in rows]
    assert [[each["text_a"], each["text_b"], each["label"]] for each in rows] == [
        line.split("\t") for line in lines
    ]
    hits = sum(each["label"] == each["prediction"] for each in rows) / len(rows)
    assert hits == pytest.approx(scores(tmp_path)["mean"]["dev"]["accuracy"])
    metrics = json.loads((tmp_path / "fold_1" / "metrics.json").read_text())
    assert [metrics["data"][split]["rows"] for split in ("train", "dev")] == [32, 32]
    # A fold alone is the same run.
    alone = fine_tuning_options(data, tmp_path / "fold_1", do_train=False, do_eval=True)
    assert (alone.completed().num_folds, alone.completed().fold) == (2, 1)


# ---- grids


def count_steps() -> int:
    """Compiled steps of trainings in memory."""
    gc.collect()
    graphs = [each for each in gc.get_objects() if isinstance(each, tf.Graph)]
    return sum(getattr(graph, "name", "") == "_one_step" for graph in graphs)


def sweep_options(data, output_dir, grid: str, **changes) -> SweepOptions:
    given = vars(fine_tuning_options(data, output_dir, do_eval=True, **changes))
    return SweepOptions(**given, grid=grid)


def test_grid_is_trained_point_by_point_and_the_best_one_predicts(data, tmp_path, monkeypatch):
    done = count_runs(monkeypatch)
    options = sweep_options(data, tmp_path / "out", "learning_rate=1e-4,1e-2", do_predict=True)
    options.check()
    assert sweep(options)
    points = ["learning_rate=0.0001", "learning_rate=0.01"]
    assert done == [*points, "out"]
    note = scores(tmp_path / "out")
    assert [note["runs"][point]["flags"] for point in points] == [
        {"learning_rate": 0.0001},
        {"learning_rate": 0.01},
    ]
    assert not any("test" in run for run in note["runs"].values()), "test data choose nothing"
    facts = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert facts["checkpoint"] == note["runs"][note["best"]]["checkpoint"]
    assert "better there than elsewhere" in (tmp_path / "out" / "scores.md").read_text()
    done.clear()
    assert sweep(sweep_options(data, tmp_path / "out", "learning_rate=1e-4,1e-2,1e-3"))
    assert done == ["learning_rate=0.001"]
    with pytest.raises(ValueError, match=r"leave out, such as learning_rate=0\.0001; ask for them"):
        sweep_options(data, tmp_path / "out", "train_batch_size=4,8").check()
    with pytest.raises(ValueError, match="holds the runs of several points; give their"):
        fine_tuning_options(data, tmp_path / "out").check()


def test_points_of_a_grid_may_be_several_seeds(data, tmp_path):
    grid = "learning_rate=1e-4,1e-2"
    tf.config.run_functions_eagerly(False)
    before = count_steps()
    assert sweep(sweep_options(data, tmp_path, grid, num_seeds=2, num_train_epochs=0.5))
    assert count_steps() <= before + 1, "memory does not grow with the runs"
    note = scores(tmp_path)
    point = scores(tmp_path / note["best"])
    noted = note["runs"][note["best"]]
    assert noted["dev"] == point["mean"]["dev"]
    assert noted["standard_deviation"] == point["standard_deviation"]
    assert noted["checkpoint"] == f"{point['best']}/{point['runs'][point['best']]['checkpoint']}"
    header, first, *_ = (tmp_path / "scores.tsv").read_text().splitlines()
    cells = dict(zip(header.split("\t"), first.split("\t"), strict=True))
    assert cells["runs"] == "2"
    assert albert_zh.load(str(tmp_path)).predict([("京冷", "热")])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("learning_rat=1", "--grid: unknown flag --learning_rat; did you mean --learning_rate"),
        ("learning_rate=1e-4,fast", "--grid: --learning_rate=fast: it must be a number"),
        ("learning_rate=-1", "--grid: --learning_rate=-1.0: it must be at least 0"),
        ("optimizer=sgd", "--grid: --optimizer=sgd: choose one of"),
        ("learning_rate", "--grid: learning_rate has no values; write FLAG=VALUE,VALUE"),
        ("learning_rate=1e-3,0.001", "has a value twice"),
        ("learning_rate=1 learning_rate=2", "names learning_rate twice"),
        ("random_seed=1,2", "seeds are repetitions, not choices; give --num_seeds"),
        ("do_eval=True", "do_eval is the same for all points; leave it out of the grid"),
        ("dev_fraction=0.1,0.3", "scores with another dev_fraction could not be compared; give -"),
        ("kind=classification,regression", "scores with another kind could not be compared"),
        ("dev_file=a,b", "scores with another dev_file could not be compared"),
        ("task_name=lcqmc,afqmc", "scores with another task_name could not be compared"),
        ("albert_config_file=setup.cfg,x", "--bert_config_file=setup.cfg: there is no such file"),
        (" ", "--grid is empty"),
    ],
)
def test_grid_of_another_form_is_refused(grid, message):
    with pytest.raises(ValueError, match=message):
        read_grid(grid)


def test_grid_of_paths_makes_names_of_folders(data, tmp_path):
    other = small.write_config(tmp_path, name="a.json", num_hidden_layers=1)
    options = sweep_options(data, tmp_path / "out", f"bert_config_file={other},{data}/config.json")
    assert [name.count("/") for name in options.series().runs] == [0, 0]


def test_training_files_of_a_grid_need_one_validation_set(data, tmp_path):
    grid = f"train_file={data}/train.txt,{data}/dev.txt"
    assert len(sweep_options(data, tmp_path / "out", grid).series().runs) == 2
    with pytest.raises(ValueError, match="each train_file would have a validation set of its own"):
        sweep_options(data, tmp_path / "out", grid, dev_fraction=0.1).series()
