"""Averaged outputs of several models, of every kind."""

import json

import numpy as np
import pytest
import small
import tensorflow as tf
from small import fine_tuning_options

import albert_zh
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.run import fine_tune
from albert_zh.finetuning.series import fine_tune_all
from albert_zh.inference.ensemble import Ensemble, load_members

pytestmark = pytest.mark.usefixtures("module_eager")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ensemble")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    """A folder with two trained models, of different sizes."""
    directory = tmp_path_factory.mktemp("runs")
    deep = small.write_config(data, name="deep.json", num_hidden_layers=3)
    for name, changes in (("run_1", {}), ("run_2", {"bert_config_file": deep, "random_seed": 5})):
        options = fine_tuning_options(data, directory / name, do_eval=True, **changes)
        fine_tune(options)
    return directory


def of_ensemble(data, runs, output_dir, **changes) -> ClassifierOptions:
    """The least that a user gives."""
    given = {"output_dir": str(output_dir), "ensemble": f"{runs}/run_*", "data_dir": str(data)}
    return ClassifierOptions(**{**given, **changes})


def test_logits_are_the_mean_of_those_of_the_members():
    members = [lambda inputs: inputs, lambda inputs: 3 * inputs + 1]
    np.testing.assert_allclose(Ensemble(members)(inputs=tf.constant([1.0, 2.0])), [2.5, 4.5])


def test_predictions_are_those_of_the_mean_logits(data, runs, tmp_path):
    options = of_ensemble(data, runs, tmp_path / "out", do_eval=True, do_predict=True)
    options.check()
    fine_tune_all(options)
    rows = [json.loads(line) for line in (tmp_path / "out" / "test.predictions.jsonl").open()]
    pairs = [(row["text_a"], row["text_b"]) for row in rows]
    logits = np.mean(
        [
            [np.log(each.probabilities) for each in albert_zh.load(str(path)).predict(pairs)]
            for path in sorted(runs.iterdir())
        ],
        axis=0,
    )
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted = [[row["probabilities"][label] for label in ("0", "1")] for row in rows]
    np.testing.assert_allclose(predicted, expected, atol=1e-5)
    facts = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert facts["checkpoint"].startswith(f"the ensemble of {runs}/run_1/model.ckpt-")
    scores = json.loads((tmp_path / "out" / "ensemble.json").read_text())
    assert set(scores["scores"]) == {"accuracy", "loss"}
    assert len(scores["checkpoints"]) == 2


def test_scores_of_another_ensemble_are_kept(data, runs, tmp_path):
    fine_tune_all(of_ensemble(data, runs, tmp_path, do_eval=True))
    first = (tmp_path / "ensemble.json").read_bytes()
    fine_tune_all(of_ensemble(data, runs, tmp_path, do_eval=True))
    assert not (tmp_path / "earlier_evaluations").exists()
    others = f"{runs}/run_1/model.ckpt-4,{runs}/run_2/model.ckpt-4"
    fine_tune_all(of_ensemble(data, runs, tmp_path, do_eval=True, ensemble=others))
    assert (tmp_path / "earlier_evaluations" / "1" / "ensemble.json").read_bytes() == first


def test_folds_predict_together(data, tmp_path):
    fine_tune_all(
        fine_tuning_options(
            data, tmp_path, do_eval=True, do_predict=True, num_folds=2, num_train_epochs=0.5
        )
    )
    facts = json.loads((tmp_path / "predictions.json").read_text())
    assert facts["checkpoint"].startswith(f"the ensemble of {tmp_path}/fold_1/model.ckpt-")
    assert len((tmp_path / "test.predictions.jsonl").read_text().splitlines()) == 16
    # Only the test file of the folder is read: the models trained on parts of the other.
    options = of_ensemble(data, tmp_path, tmp_path / "new", ensemble=f"{tmp_path}/fold_*")
    assert options.completed().num_folds is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task_name": "ocnli"}, "does not fit ocnli: its labels are 0, 1, those of this task"),
        ({"ensemble": "nowhere,there"}, "--ensemble: there is no checkpoint nowhere"),
        ({"do_eval": False}, "nothing to do: set --do_eval=True or --do_predict=True"),
        ({"do_train": True}, "leave out --do_train, --init_checkpoint"),
    ],
)
def test_mistakes_are_named(data, runs, tmp_path, changes, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        fine_tune_all(of_ensemble(data, runs, tmp_path, **{"do_eval": True, **changes}))


def test_models_that_read_differently_are_refused(data, runs, tmp_path):
    options = fine_tuning_options(data, tmp_path / "short", max_seq_length=12, num_train_epochs=0.5)
    fine_tune(options)
    with pytest.raises(ValueError, match="cannot be averaged: they differ in longest examples"):
        load_members([str(runs / "run_1"), options.output_dir])
