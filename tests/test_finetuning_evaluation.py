"""Validation while fine-tuning, the best checkpoint, and predictions."""

import json
import math
import os
import shutil
import signal
import threading
import time

import numpy as np
import pytest
import small
import tensorflow as tf
from small import arrays, fine_tuning_options

from albert_zh.finetuning.evaluation import Evaluator
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.run import fine_tune
from albert_zh.runs.spec import Validation

pytestmark = pytest.mark.usefixtures("module_eager")

VALIDATED = {"do_eval": True, "save_checkpoints_steps": 2, "num_train_epochs": 1.5}  # 12 steps
STEPS = [0, 2, 4, 6, 8, 10, 12]
PREDICT = {"do_train": False, "do_predict": True}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("task")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


@pytest.fixture(scope="module")
def validated(data, tmp_path_factory):
    """Output directory of a run that was validated while it trained."""
    directory = tmp_path_factory.mktemp("validated")
    fine_tune(fine_tuning_options(data, directory, **VALIDATED, keep_checkpoint_max=2))
    return directory


def history(directory) -> list[dict]:
    with open(directory / "history.jsonl") as file:
        return [json.loads(line) for line in file]


def scores(directory) -> dict[int, float]:
    """Validation accuracy by step, of the history."""
    return {
        row["step"]: row["validation_accuracy"]
        for row in history(directory)
        if "validation_accuracy" in row
    }


def best(directory) -> dict:
    return json.loads((directory / "best_checkpoint.json").read_text())


def metrics(directory) -> dict:
    return json.loads((directory / "metrics.json").read_text())


def steps(directory) -> list[int]:
    names = (path.name for path in directory.glob("model.ckpt-*.index"))
    return sorted(int(name.split("-")[1].split(".")[0]) for name in names)


def test_every_checkpoint_is_scored_while_training_and_the_best_is_kept(validated):
    by_step = scores(validated)
    assert list(by_step) == STEPS
    chosen = max(STEPS[1:], key=lambda step: (by_step[step], step))
    assert best(validated)["checkpoint"] == f"model.ckpt-{chosen}"
    assert best(validated)["eval_accuracy"] == by_step[chosen]
    assert set(steps(validated)) == {chosen, 10, 12}
    text = (validated / "eval_results_albert_zh.txt").read_text()
    assert [f"model.ckpt-{step} *****" in text for step in STEPS] == [True] * 7


def test_scores_of_the_training_are_those_of_the_saved_checkpoints(data, validated, tmp_path):
    out = shutil.copytree(validated, tmp_path / "out")
    kept, noted = steps(out), best(out)
    (out / "history.jsonl").unlink()
    fine_tune(fine_tuning_options(data, out, **{**VALIDATED, "do_train": False}))
    assert steps(out) == kept
    assert best(out) == noted
    text = (out / "eval_results_albert_zh.txt").read_text()
    recorded = {row["step"]: row for row in history(validated) if "validation_loss" in row}
    for step in kept:
        block = text.split(f"model.ckpt-{step} *****\n")[1]
        assert block.startswith(f"eval_accuracy = {recorded[step]['validation_accuracy']}\n")
        assert f"eval_loss = {recorded[step]['validation_loss']}\n" in block


def test_validation_scores_are_curves_of_tensorboard(validated):
    (path,) = validated.glob("events.out.tfevents.*")
    points = [
        (event.step, value.tag)
        for record in tf.data.TFRecordDataset([str(path)])
        for event in [tf.compat.v1.Event.FromString(record.numpy())]
        for value in event.summary.value
    ]
    assert {(step, "validation_accuracy") for step in STEPS} <= set(points)
    assert not any(tag == "validation_data" for _, tag in points)


def test_validation_changes_no_bit_of_the_training_also_after_a_kill(data, validated, tmp_path):
    plain = {**VALIDATED, "do_eval": False}
    fine_tune(fine_tuning_options(data, tmp_path / "plain", **plain))
    with small.killed_at(7) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path / "killed", **VALIDATED), on_row=on_row)
    fine_tune(fine_tuning_options(data, tmp_path / "killed", **VALIDATED))
    expected = arrays(tmp_path / "plain" / "model.ckpt-12")
    small.assert_same(arrays(validated / "model.ckpt-12"), expected)
    small.assert_same(arrays(tmp_path / "killed" / "model.ckpt-12"), expected)
    timeless = [
        [{k: v for k, v in row.items() if "second" not in k} for row in history(directory)]
        for directory in (validated, tmp_path / "killed")
    ]
    assert timeless[0] == timeless[1]
    assert best(validated) == best(tmp_path / "killed")
    training = [row for row in timeless[0] if "steps" in row]
    assert training == [
        {k: v for k, v in row.items() if "second" not in k} for row in history(tmp_path / "plain")
    ]


def test_of_equal_checkpoints_the_last_is_the_best(data, tmp_path, caplog):
    fine_tune(fine_tuning_options(data, tmp_path, do_eval=True, learning_rate=0.0))
    assert len(set(scores(tmp_path).values())) == 1
    assert best(tmp_path)["checkpoint"] == "model.ckpt-8"
    assert "the untrained" not in caplog.text


def test_untrained_checkpoint_is_never_the_best(data, tmp_path, caplog):
    with small.killed_at(3) as on_row:  # at step 0 alone
        fine_tune(fine_tuning_options(data, tmp_path, do_eval=True), on_row=on_row)
    assert not (tmp_path / "best_checkpoint.json").exists()
    fine_tune(fine_tuning_options(data, tmp_path, do_train=False, do_eval=True))
    assert "the only checkpoint is the untrained model.ckpt-0, so none is the best" in caplog.text
    assert metrics(tmp_path)["best"] is None
    fine_tune(fine_tuning_options(data, tmp_path, **PREDICT))
    assert "model.ckpt-0 is not trained yet, so its predictions are those of chance" in caplog.text
    rows = history(tmp_path)
    assert rows[0]["step"] == 0
    (tmp_path / "history.jsonl").write_text(
        json.dumps({**rows[0], "validation_accuracy": 2.0}) + "\n"
    )
    fine_tune(fine_tuning_options(data, tmp_path, do_eval=True, keep_checkpoint_max=1))
    assert metrics(tmp_path)["best"]["step"] > 0
    assert 0 not in steps(tmp_path)
    assert "no training step improved the model: the untrained model.ckpt-0 has accuracy 2" in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("best_by", "values", "chosen"),
    [
        ("accuracy", {0: 0.9, 2: 0.5, 4: 0.5, 6: 0.4}, 4),
        ("accuracy", {0: 0.9, 2: math.nan, 4: 0.1}, 4),
        ("accuracy", {0: 0.9}, None),
        ("-loss", {0: 0.1, 2: 0.4, 4: 0.5}, 2),
    ],
)
def test_best_of_fine_tuned_checkpoints(best_by, values, chosen):
    validation = Validation(None, best_by=best_by, metric_prefix="eval_", starts_trained=False)
    metrics = {step: {best_by.removeprefix("-"): value} for step, value in values.items()}
    note = validation.best_of(metrics)
    assert (note and note["checkpoint"]) == (chosen and f"model.ckpt-{chosen}")
    backwards = validation.best_of(dict(reversed(metrics.items())))
    assert backwards == note, "the order of the evaluations does not matter"


def test_scores_that_json_does_not_have_are_null_and_never_the_best():
    validation = Validation(metrics=None)
    assert validation.row(2, {"loss": math.nan}) == {"step": 2, "validation_loss": None}
    assert validation.note(2, {"loss": math.inf}) == {"checkpoint": "model.ckpt-2", "loss": None}
    assert validation.best_of({2: {"loss": 0.5}, 4: {"loss": None}})["checkpoint"] == "model.ckpt-2"


def test_pretrained_weights_at_step_0_can_be_the_best():
    by_loss = Validation(metrics=None)
    assert by_loss.best_of({0: {"loss": 0.4}, 2: {"loss": 0.5}})["checkpoint"] == "model.ckpt-0"


@pytest.mark.parametrize(
    ("values", "is_over"),
    [
        ({0: 0.9, 2: 0.1}, False),
        ({2: 0.5, 4: 0.4}, False),
        ({2: 0.5, 4: 0.4, 6: 0.5}, True),
        ({2: 0.5, 4: 0.4, 6: 0.6, 8: 0.1}, False),
        ({2: math.nan, 4: math.nan, 6: 0.1}, False),
        ({}, False),
    ],
)
def test_training_is_over_after_evaluations_without_a_better_one(values, is_over):
    validation = Validation(None, best_by="accuracy", starts_trained=False, patience=2)
    assert validation.is_over({step: {"accuracy": each} for step, each in values.items()}) == (
        is_over
    )


# Evaluations of a rate of 0 are all equal, so the second is no better than the first.
STOPPING = {
    **{"do_eval": True, "eval_steps": 3, "early_stopping": 1, "learning_rate": 0.0},
    **{"num_train_epochs": 1.5, "save_checkpoints_steps": 2, "keep_checkpoint_max": 0},
}


def timeless(directory) -> list[dict]:
    return [{k: v for k, v in row.items() if "second" not in k} for row in history(directory)]


def test_training_that_gets_no_better_ends_early_also_after_a_kill(data, tmp_path, caplog):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    with caplog.at_level("INFO", logger="absl"):
        fine_tune(fine_tuning_options(data, whole, **STOPPING))
    assert "the training ends at step 6, because no evaluation of the last 1 was better" in (
        caplog.text
    )
    assert steps(whole) == [0, 2, 3, 4, 6]
    assert list(scores(whole)) == [0, 3, 6]
    assert metrics(whole)["best"]["step"] == 6
    for step in (4, 6):
        with small.killed_at(step) as on_row:
            fine_tune(fine_tuning_options(data, parts, **STOPPING), on_row=on_row)
    fine_tune(fine_tuning_options(data, parts, **STOPPING))
    assert timeless(parts) == timeless(whole)
    small.assert_same(arrays(parts / "model.ckpt-6"), arrays(whole / "model.ckpt-6"))
    caplog.clear()
    with caplog.at_level("INFO", logger="absl"):
        fine_tune(fine_tuning_options(data, parts, **STOPPING))
    assert "the training ends at step 6" in caplog.text
    fine_tune(fine_tuning_options(data, parts, **{**STOPPING, "early_stopping": None}))
    assert "--early_stopping is None (it was 1)" in caplog.text
    assert max(steps(parts)) == 12


def test_evaluations_that_no_flag_asks_for_are_named(data, tmp_path):
    for name in ("eval_steps", "early_stopping"):
        with pytest.raises(ValueError, match=f"--{name} needs the evaluations of --do_eval=True"):
            fine_tuning_options(data, tmp_path, **{name: 2})


def test_best_that_nothing_notes_is_kept_by_a_resumption_without_evaluation(data, tmp_path):
    with small.killed_at(7) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path, **VALIDATED), on_row=on_row)
    rows = history(tmp_path)
    for row in rows:
        if "validation_accuracy" in row:
            row["validation_accuracy"] = 2.0 if row["step"] == 2 else 0.1
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "best_checkpoint.json").unlink()
    blind = {**VALIDATED, "do_eval": False, "keep_checkpoint_max": 1}
    fine_tune(fine_tuning_options(data, tmp_path, **blind))
    assert steps(tmp_path) == [2, 12]
    assert best(tmp_path)["checkpoint"] == "model.ckpt-2"


def test_newest_in_place_of_a_best_that_nothing_notes_is_said(data, validated, tmp_path, caplog):
    out = shutil.copytree(validated, tmp_path / "out")
    (out / "best_checkpoint.json").unlink()
    fine_tune(fine_tuning_options(data, out, **PREDICT))
    assert "no best_checkpoint.json, so the newest checkpoint, model.ckpt-12, is used" in (
        caplog.text
    )


def test_best_checkpoint_that_is_gone_is_said_and_the_second_best_kept(
    data, validated, tmp_path, caplog
):
    out = shutil.copytree(validated, tmp_path / "out")
    note = {**best(out), "checkpoint": "model.ckpt-4", "eval_accuracy": 2.0}
    (out / "best_checkpoint.json").write_text(json.dumps(note))
    raised = {4: 2.0, 10: 1.5}  # so that the second best is neither the noted nor the newest one
    rows = history(out)
    for row in rows:
        if "validation_accuracy" in row:
            row["validation_accuracy"] = raised.get(row["step"], row["validation_accuracy"])
    (out / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    longer = {**VALIDATED, "num_train_epochs": 2, "keep_checkpoint_max": 1}
    fine_tune(fine_tuning_options(data, out, **longer))
    assert "the best checkpoint, model.ckpt-4, does not exist any more" in caplog.text
    assert "model.ckpt-4 was better, accuracy 2.0000, and does not exist any more" in caplog.text
    assert steps(out) == [10, 16]


def test_evaluation_alone_keeps_all_checkpoints(data, tmp_path):
    settings = {"save_checkpoints_steps": 1, "keep_checkpoint_max": 0}
    fine_tune(fine_tuning_options(data, tmp_path, **settings))
    fine_tune(fine_tuning_options(data, tmp_path, do_train=False, do_eval=True))
    assert steps(tmp_path) == list(range(9))


def test_checkpoints_deleted_without_a_score_are_said(data, tmp_path, caplog):
    settings = {**VALIDATED, "do_eval": False, "keep_checkpoint_max": 2}
    fine_tune(fine_tuning_options(data, tmp_path, **settings))
    fine_tune(fine_tuning_options(data, tmp_path, do_train=False, do_eval=True))
    assert "5 of the 7 checkpoints of this training, such as model.ckpt-8, were deleted" in (
        caplog.text
    )


def test_resumed_run_scores_what_it_would_otherwise_delete(data, tmp_path):
    settings = {**VALIDATED, "keep_checkpoint_max": 2}
    fine_tune(fine_tuning_options(data, tmp_path, **{**settings, "do_eval": False}))
    fine_tune(fine_tuning_options(data, tmp_path, **{**settings, "num_train_epochs": 2.0}))
    text = (tmp_path / "eval_results_albert_zh.txt").read_text()
    assert "model.ckpt-12 *****" in text
    assert list(scores(tmp_path)) == [10, 12, 14, 16]


@pytest.mark.parametrize("is_killed_again", [False, True])
def test_scores_of_checkpoints_before_a_resumption_are_not_forgotten(
    is_killed_again, data, tmp_path, caplog
):
    settings = {**VALIDATED, "keep_checkpoint_max": 2}
    with small.killed_at(7) as on_row:
        unscored = fine_tuning_options(data, tmp_path, **{**settings, "do_eval": False})
        fine_tune(unscored, on_row=on_row)
    assert steps(tmp_path) == [4, 6]
    if is_killed_again:
        with small.killed_at(11) as on_row:
            fine_tune(fine_tuning_options(data, tmp_path, **settings), on_row=on_row)
    caplog.clear()
    fine_tune(fine_tuning_options(data, tmp_path, **settings))
    assert list(scores(tmp_path)) == [4, 6, 8, 10, 12]
    rows = [row["step"] for row in history(tmp_path)]
    assert rows == sorted(rows)
    assert "2 of the 7 checkpoints of this training, such as model.ckpt-2, were deleted" in (
        caplog.text
    )
    text = (tmp_path / "eval_results_albert_zh.txt").read_text()
    assert "model.ckpt-4 *****" in text


def test_best_checkpoint_that_nothing_notes_is_kept(data, tmp_path, caplog):
    with small.killed_at(11) as on_row:
        killed = fine_tuning_options(data, tmp_path, **VALIDATED, keep_checkpoint_max=2)
        fine_tune(killed, on_row=on_row)
    rows = history(tmp_path)
    for row in rows:
        if row["step"] == 8 and "validation_accuracy" in row:
            row["validation_accuracy"] = 2.0
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "best_checkpoint.json").unlink()
    fine_tune(killed)
    assert set(steps(tmp_path)) == {8, 10, 12}
    # The evaluation at the end finds the true scores.
    true = {row["step"]: row["scores"]["accuracy"] for row in metrics(tmp_path)["checkpoints"]}
    chosen = max((8, 10, 12), key=lambda step: (true[step], step))
    assert best(tmp_path)["checkpoint"] == f"model.ckpt-{chosen}"
    assert "model.ckpt-8 is the best checkpoint, and it is noted again" in caplog.text


def test_another_validation_set_starts_the_choice_anew(data, validated, tmp_path, caplog):
    out = shutil.copytree(validated, tmp_path / "out")
    other = shutil.copytree(data, tmp_path / "other")
    shutil.copy(other / "test.txt", other / "dev.txt")
    longer = {**VALIDATED, "num_train_epochs": 2.0, "data_dir": str(other)}
    fine_tune(fine_tuning_options(data, out, **longer))
    assert best(out)["validation_data"] != best(validated)["validation_data"]
    assert "was the best on another validation set" in caplog.text
    kept = out / "earlier_evaluations" / "1"
    moved = ("metrics.json", "errors.tsv", "labels.tsv", "labels.png", "confusion_matrix.tsv")
    for name in ("best_checkpoint.json", "eval_results_albert_zh.txt", *moved):
        assert (kept / name).read_bytes() == (validated / name).read_bytes()


def test_predictions_can_be_read_by_themselves(data, validated, tmp_path, caplog):
    out = shutil.copytree(validated, tmp_path / "out")
    with caplog.at_level("INFO", logger="absl"):
        fine_tune(fine_tuning_options(data, out, **PREDICT))
    objects = [json.loads(line) for line in (out / "test.predictions.jsonl").open()]
    rows = [line.split("\t") for line in (out / "test.predictions.tsv").read_text().splitlines()]
    header = ["id", "text_a", "text_b", "label", "prediction", "probability_0", "probability_1"]
    assert rows[0] == header
    test_rows = [line.split("\t") for line in (data / "test.txt").read_text().splitlines()]
    assert [row[1:4] for row in rows[1:]] == test_rows
    probabilities = np.loadtxt(out / "test_results.tsv", delimiter="\t")
    np.testing.assert_array_equal(np.float64([row[5:] for row in rows[1:]]), probabilities)
    assert objects[3] == {
        **dict(zip(header[:5], rows[4][:5], strict=True)),
        "probabilities": {"0": float(rows[4][5]), "1": float(rows[4][6])},
    }
    labels = np.int32([row[2] for row in test_rows])
    facts = json.loads((out / "predictions.json").read_text())
    assert facts["scores"]["accuracy"] == np.mean(probabilities.argmax(axis=1) == labels)
    assert (facts["checkpoint"], facts["labelled_examples"]) == (best(out)["checkpoint"], 16)
    assert ": accuracy " in caplog.text


@pytest.fixture
def write_test(data, tmp_path):
    """Makes a copy of the task with another test file."""

    def written(name: str, content: str) -> str:
        directory = tmp_path / name
        shutil.copytree(data, directory)
        (directory / "test.txt").write_text(content, encoding="utf-8")
        return str(directory)

    return written


def test_unlabelled_and_partly_labelled_test_files_are_predicted(
    data, validated, tmp_path, write_test
):
    out = shutil.copytree(validated, tmp_path / "out")
    without = write_test("without", "q7\t京冷\t热\nq8\t汉远\t贵\n")
    fine_tune(fine_tuning_options(data, out, **PREDICT, data_dir=without))
    facts = json.loads((out / "predictions.json").read_text())
    assert (facts["examples"], facts["labelled_examples"]) == (2, 0)
    assert "scores" not in facts
    assert [line[:2] for line in (out / "submit_results.tsv").read_text().splitlines()] == [
        "q7",
        "q8",
    ]
    partly = write_test("partly", "京冷\t热\t1\n汉远\t贵\t-1\n")
    fine_tune(fine_tuning_options(data, out, **PREDICT, data_dir=partly))
    facts = json.loads((out / "predictions.json").read_text())
    assert facts["labelled_examples"] == 1
    assert facts["scores"]["accuracy"] in (0.0, 1.0)


def names(directory) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_predictions_of_other_data_are_kept(data, validated, tmp_path, write_test, caplog):
    out = shutil.copytree(validated, tmp_path / "out")
    fine_tune(fine_tuning_options(data, out, **PREDICT))
    fine_tune(fine_tuning_options(data, out, **PREDICT))
    assert not (out / "earlier_predictions").exists(), "the same once more replaces itself"
    first = (out / "test.predictions.tsv").read_bytes()
    new = tmp_path / "new.tsv"
    new.write_text("京冷\t热\n", encoding="utf-8")
    fine_tune(fine_tuning_options(data, out, **PREDICT, input_file=str(new)))
    published = ["predictions.json", "submit_results.tsv", "test_results.tsv"]
    assert names(out / "earlier_predictions" / "1") == published
    assert (out / "test.predictions.tsv").read_bytes() == first, "its name is that of its data"
    assert len((out / "new.predictions.tsv").read_text().splitlines()) == 2
    facts = json.loads((out / "new.predictions.json").read_text())
    assert facts["files"] == ["new.predictions.tsv", "new.predictions.jsonl"]
    assert facts["data"] == str(new)
    other = write_test("other", "京冷\t热\n")
    fine_tune(fine_tuning_options(data, out, **PREDICT, data_dir=other))
    kept = out / "earlier_predictions" / "2"
    assert (kept / "test.predictions.tsv").read_bytes() == first
    assert names(kept) == [f"test.predictions.{ending}" for ending in ("json", "jsonl", "tsv")]
    assert f"moved the earlier predictions, of {best(out)['checkpoint']} for {data}" in caplog.text
    (out / "predictions.json").write_text("{")
    fine_tune(fine_tuning_options(data, out, **PREDICT))
    assert names(out / "earlier_predictions" / "4") == published


def test_run_directory_knows_model_and_task(data, validated, tmp_path, caplog):
    expected = shutil.copytree(validated, tmp_path / "expected")
    fine_tune(fine_tuning_options(data, expected, **PREDICT))
    moved = shutil.copytree(validated, tmp_path / "moved")
    least = ClassifierOptions(
        data_dir=str(data), output_dir=str(moved), do_predict=True, do_eval=True
    )
    elsewhere = ClassifierOptions(
        data_dir=str(data),
        output_dir=str(tmp_path / "elsewhere"),
        init_checkpoint=str(moved / best(moved)["checkpoint"]),
        do_predict=True,
    )
    fine_tune(elsewhere)
    with caplog.at_level("INFO", logger="absl"):
        least.check()
        fine_tune(least)
    assert (moved / "test.predictions.tsv").read_bytes() == (
        expected / "test.predictions.tsv"
    ).read_bytes()
    assert (tmp_path / "elsewhere" / "test.predictions.tsv").read_bytes() == (
        (moved / "test.predictions.tsv").read_bytes()
    )
    assert f"--vocab_file={moved}/vocab.txt" in caplog.text
    assert "--max_seq_length=16" in caplog.text


def predict(**flags) -> ClassifierOptions:
    options = ClassifierOptions(do_predict=True, **flags)
    options.check()
    fine_tune(options)
    return options


def predictions(path) -> list[str]:
    return path.read_text().splitlines()[1:]


def test_model_and_a_file_are_enough_to_predict(data, validated, tmp_path):
    out = shutil.copytree(validated, tmp_path / "out")
    new = tmp_path / "new.txt"
    new.write_text("京冷\t热\n汉远\t贵\n", encoding="utf-8")
    options = predict(model=str(out), input_file=str(new))
    assert options.output_dir == str(out)
    best_one = predictions(out / "new.predictions.tsv")
    assert len(best_one) == 2
    other = min(set(steps(out)) - {int(best(out)["checkpoint"].split("-")[1])})
    predict(model=str(out / f"model.ckpt-{other}.index"), input_file=str(new))
    facts = json.loads((out / "new.predictions.json").read_text())
    assert facts["checkpoint"] == f"model.ckpt-{other}"
    assert predictions(out / "earlier_predictions" / "1" / "new.predictions.tsv") == best_one
    elsewhere = tmp_path / "elsewhere"
    predict(model=str(out), input_file=str(new), output_dir=str(elsewhere))
    assert predictions(elsewhere / "new.predictions.tsv") == best_one
    predict(
        model=str(out / best(out)["checkpoint"]), input_file=str(new), output_dir=str(elsewhere)
    )
    assert not (elsewhere / "earlier_predictions").exists(), "the same checkpoint, named itself"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "give --output_dir; --help"),
        ({"model": "{run}", "do_train": True}, "--model is a finished model"),
        ({"model": "{run}", "init_checkpoint": "x"}, "--model is a finished model"),
        ({"model": "{run}x"}, "--model=.*validated0x: there is no such run; did you mean .*d0"),
        ({"model": "{run}/model.ckpt-99"}, "--model: there is no checkpoint .*/model.ckpt-99"),
        ({"model": "{run}", "output_dir": "{other}"}, "holds a run of its own; leave it out"),
        (
            {"model": "{run}/model.ckpt-12", "do_eval": True},
            "--do_eval scores all checkpoints of .*; name that with --model, or another",
        ),
    ],
)
def test_model_that_is_not_clear_is_named(validated, tmp_path, flags, message):
    other = shutil.copytree(validated, tmp_path / "other")
    for name, value in flags.items():
        if isinstance(value, str):
            flags = {**flags, name: value.format(run=validated, other=other)}
    with pytest.raises((ValueError, OSError), match=message):
        ClassifierOptions(do_predict=True, **flags).check()


def test_resumed_run_needs_only_the_flags_of_the_training(data, validated, tmp_path):
    out = shutil.copytree(validated, tmp_path / "out")
    names = ("bert_config_file", "vocab_file", "task_name", "max_seq_length")
    longer = {**VALIDATED, "num_train_epochs": 2.0}
    fine_tune(fine_tuning_options(data, out, **longer, **dict.fromkeys(names)))
    assert max(steps(out)) == 16


def test_flag_that_is_left_out_of_a_resumption_is_said_to_change(data, tmp_path, caplog):
    with small.killed_at(5) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path), on_row=on_row)
    default = ClassifierOptions.learning_rate
    fine_tune(fine_tuning_options(data, tmp_path, learning_rate=default, num_train_epochs=1))
    assert "from step 4 on, --learning_rate is 5e-05 (it was 0.01); to go on as before, give" in (
        caplog.text
    )


def test_new_run_names_the_flags_that_no_run_knows(data, tmp_path):
    new = ClassifierOptions(data_dir=str(data), output_dir=str(tmp_path / "new"), do_train=True)
    message = r"give --task_name, --bert_config_file: neither a run in .*new nor"
    with pytest.raises(ValueError, match=message):
        new.check()
    (tmp_path / "vocab.txt").write_text("x")
    assert new.known()[1] == {}, "what lies beside a new directory is no part of its run"
    filled = fine_tuning_options(data, tmp_path / "new", max_seq_length=None).completed()
    assert filled.max_seq_length == 128
    assert filled.do_lower_case
    assert filled.use_pooled_output


def test_damaged_note_of_the_flags_is_named(data, validated, tmp_path):
    out = shutil.copytree(validated, tmp_path / "out")
    (out / "options.json").write_text("{")
    with pytest.raises(ValueError, match=r"options\.json is damaged .* give --task_name"):
        ClassifierOptions(data_dir=str(data), output_dir=str(out), do_predict=True).check()


def test_checkpoints_tell_pairs_from_single_texts_and_earlier_ones_are_resumed(
    data, validated, tmp_path
):
    out = shutil.copytree(validated, tmp_path / "out")
    for path in out.glob("*.meta.json"):
        meta = json.loads(path.read_text())
        assert meta["task"].pop("num_texts") == 2
        path.write_text(json.dumps(meta))
    fine_tune(fine_tuning_options(data, out, **{**VALIDATED, "num_train_epochs": 1.75}))
    assert json.loads((out / "model.ckpt-14.meta.json").read_text())["task"]["num_texts"] == 2


def test_validation_that_a_stop_prevented_is_made_up_for(data, validated, tmp_path, caplog):
    def stop_at_validation(row) -> None:
        # The next validation is that of step 8, right after this row.
        if row["step"] == 8 and "steps" in row:
            threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
            time.sleep(0.5)

    with caplog.at_level("INFO", logger="absl"):
        fine_tune(fine_tuning_options(data, tmp_path, **VALIDATED), on_row=stop_at_validation)
    assert max(steps(tmp_path)) == 8
    assert max(scores(tmp_path)) == 6
    fine_tune(fine_tuning_options(data, tmp_path, **VALIDATED))
    assert scores(tmp_path) == scores(validated)


def test_validation_stops_between_two_batches(data, tmp_path, monkeypatch, caplog):
    asked = []

    def score(evaluator, step, should_stop=lambda: False):
        asked.append(step)
        in_training = len(asked) < 4
        return original(evaluator, step, lambda: in_training and step == 4)

    original = Evaluator.score
    monkeypatch.setattr(Evaluator, "score", score)
    with caplog.at_level("INFO", logger="absl"):
        fine_tune(fine_tuning_options(data, tmp_path, do_eval=True))
    assert asked == [0, 4, 8, 4]
    assert "the validation at step 4 was stopped" in caplog.text
    assert list(scores(tmp_path)) == [0, 8]


def test_metrics_of_a_run_tell_scores_data_seed_and_versions(data, validated, tmp_path):
    found = metrics(validated)
    assert (found["task"], found["kind"], found["metric"]) == (
        *("lcqmc", "classification", "accuracy"),
    )
    by_step = {row["step"]: row["scores"] for row in found["checkpoints"]}
    assert {step: row["accuracy"] for step, row in by_step.items()} == scores(validated)
    assert found["best"]["checkpoint"] == best(validated)["checkpoint"]
    assert found["best"]["scores"] == by_step[found["best"]["step"]]
    assert {name: each["rows"] for name, each in found["data"].items()} == {"train": 64, "dev": 16}
    assert found["data"]["dev"]["path"] == str(data / "dev.txt")
    assert found["random_seed"] == 12345
    assert found["training_seconds"] == pytest.approx(
        sum(row.get("seconds", 0) for row in history(validated)), abs=0.001
    )
    assert found["versions"]["tensorflow"] == tf.__version__
    wrong = len((validated / "errors.tsv").read_text().splitlines()) - 1
    assert 1 - wrong / 16 == found["best"]["scores"]["accuracy"]
    assert (validated / "curves.png").exists()
    out = shutil.copytree(validated, tmp_path / "out")
    alone = {**VALIDATED, "do_train": False, "random_seed": 1}
    fine_tune(fine_tuning_options(data, out, **alone))
    again = metrics(out)
    assert again["data"]["train"] == {"sha256": found["data"]["train"]["sha256"]}
    assert {**again, "data": None} == {**found, "data": None}


def test_scores_of_another_checkpoint_in_the_same_place_are_kept(data, validated, tmp_path, caplog):
    evaluate = {"do_train": False, "do_eval": True}
    for step in (10, 12):
        prefix = str(validated / f"model.ckpt-{step}")
        fine_tune(fine_tuning_options(data, tmp_path, init_checkpoint=prefix, **evaluate))
    kept = tmp_path / "earlier_evaluations" / "1"
    assert metrics(kept)["best"]["checkpoint"] == str(validated / "model.ckpt-10")
    assert metrics(tmp_path)["best"]["checkpoint"] == str(validated / "model.ckpt-12")
    assert (kept / "errors.tsv").exists()
    assert "or of other checkpoints, were moved to" in caplog.text
