"""Training aids in steps on any devices, and in whole runs."""

import concurrent.futures
import dataclasses
import json
import os

import numpy as np
import pytest
import small
import tensorflow as tf
from goldens import golden_case
from processes import PROCESSES
from small import arrays, fine_tuning_options

import albert_zh
from albert_zh.aids.composition import aided
from albert_zh.aids.distillation import Teacher
from albert_zh.aids.options import AidOptions
from albert_zh.checkpoint.files import read_meta
from albert_zh.checkpoint.names import UNAVERAGED, is_weight
from albert_zh.config import Pooling
from albert_zh.finetuning.run import fine_tune
from albert_zh.model.heads.sequence import Classifier
from albert_zh.objectives.classification import classification_objective
from albert_zh.train.averaging import AveragingOptimizer
from albert_zh.train.batch_plan import BatchPlan
from albert_zh.train.loss_scale import LossScale
from albert_zh.train.metrics import Outcome, mean_of
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.precision import Precision
from albert_zh.train.rules.table import ADAMW, RULES, Rule
from albert_zh.train.step import Trainer
from albert_zh.train.strategy import distribute_batches

STEP_AIDS = AidOptions(
    fgm_epsilon=0.3,
    r_drop_alpha=1.0,
    label_smoothing=0.1,
    teacher_model="teacher",
    hidden_weight=2.0,
)


class Student:
    """A classifier with all aids; without dropout, so that the division of a batch is no matter."""

    def __init__(self, strategy=None, *, precision=Precision.FLOAT32, **trainer):
        strategy = strategy or tf.distribute.get_strategy()
        config = golden_case("google").config
        config = dataclasses.replace(
            config, num_hidden_layers=1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
        wider = dataclasses.replace(config, hidden_size=2 * config.hidden_size, num_hidden_layers=2)
        with strategy.scope():
            dtype = tf.as_dtype(precision.value)
            self.model = Classifier(config, 2, pooling=Pooling.MEAN, seed=5, dtype=dtype)
            teacher = Classifier(wider, 2, pooling=Pooling.MEAN, seed=6, dtype=dtype)
            self.optimizer = AveragingOptimizer(
                Optimizer(
                    self.model.trainable_variables, OptimizerOptions(ADAMW), {"output_bias": 3.0}
                ),
                0.9,
            )

        def objective(model):  # The head's own dropout, too, is left out.
            return lambda batch, seed: classification_objective(model, batch, None)

        self.trainer = Trainer(
            objective=aided(
                objective(self.model),
                self.model,
                STEP_AIDS,
                class_weights=[1.0, 2.0],
                teachers=[Teacher(objective(teacher), teacher.albert)],
            ),
            optimizer=self.optimizer,
            schedule=lambda step: tf.constant(0.01),
            seed=0,
            strategy=strategy,
            precision=precision,
            **trainer,
        )
        self.strategy = strategy

    def train(self, steps: int = 3) -> dict[str, np.ndarray]:
        """Losses of the steps, one metric, and an average."""
        random = np.random.default_rng(7)
        rows = {
            "input_ids": random.integers(1, 50, [steps, 16, 10], np.int32),
            "input_mask": np.int32(np.arange(10) < random.integers(4, 11, [steps, 16, 1])),
            "segment_ids": np.zeros([steps, 16, 10], np.int32),
            "label_ids": random.integers(0, 2, [steps, 16], np.int32),
        }
        batches = iter(distribute_batches(self.strategy, tf.data.Dataset.from_tensor_slices(rows)))
        reports = [self.trainer.run(batches, 1) for _ in range(steps)]
        assert not any(int(report.skipped) or int(report.overflowed) for report in reports)
        average = self.optimizer.averages[0].read_value().numpy()
        adversarial = [float(report.metrics["adversarial_loss"].result()) for report in reports]
        losses = [float(report.loss) for report in reports]
        return {"losses": np.array(losses), "adversarial": adversarial, "average": average}


def _on_two_devices() -> dict[str, np.ndarray]:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for rule in RULES.values():
        _check_copies(strategy, rule)
    return Student(strategy, plan=BatchPlan.make(16, num_replicas=2)).train()


def _check_copies(strategy: tf.distribute.Strategy, rule: Rule) -> None:
    """Weights, their averages and the count are the same on both devices, and as on one."""
    (one_weights, one_losses), (weights, losses) = (
        _regress(each, rule) for each in (tf.distribute.get_strategy(), strategy)
    )
    np.testing.assert_allclose(losses, one_losses, rtol=1e-5)
    for variable, expected in zip(weights, one_weights, strict=True):
        for copy in strategy.experimental_local_results(variable):
            np.testing.assert_allclose(copy, expected, rtol=1e-4, atol=1e-6)


def _regress(strategy: tf.distribute.Strategy, rule: Rule) -> tuple[list, list[float]]:
    with strategy.scope():
        kernel = tf.Variable([[1.0, 2.0], [0.5, -1.0]], name="a/kernel")
        bias = tf.Variable([1.0, 3.0], name="b/bias")
        inner = Optimizer([kernel, bias], OptimizerOptions(rule), {"b/bias": 3.0})
        optimizer = AveragingOptimizer(inner, 0.9)

    def objective(batch, seed) -> Outcome:
        errors = tf.reduce_sum(tf.square(tf.matmul(batch["x"], kernel) + bias), axis=1)
        loss = {"loss": mean_of(errors)}
        return Outcome(loss, loss)

    trainer = Trainer(
        objective=objective,
        optimizer=optimizer,
        schedule=lambda step: tf.constant(0.05),
        seed=0,
        strategy=strategy,
        plan=BatchPlan.make(4, num_replicas=strategy.num_replicas_in_sync, micro_batch=2),
    )
    rows = np.float32(np.random.default_rng(0).normal(size=[4, 4, 2]))
    dataset = tf.data.Dataset.from_tensor_slices({"x": rows})
    batches = iter(distribute_batches(strategy, dataset))
    losses = [float(trainer.run(batches, 1).loss) for _ in range(len(rows))]
    return [kernel, bias, *optimizer.averages, optimizer.steps], losses


def _two_virtual_processors() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


def test_devices_micro_batches_and_xla_change_no_loss():
    """All aids at once: none of them depends on the division of a batch."""
    with concurrent.futures.ProcessPoolExecutor(
        1, mp_context=PROCESSES, initializer=_two_virtual_processors
    ) as pool:
        future = pool.submit(_on_two_devices)
        # One device at once clips by another norm, see `clip_by_global_norm`.
        plain, compiled = Student().train(), Student(xla=True).train()
        plan = BatchPlan.make(16, num_replicas=1, micro_batch=4)
        parted = Student(plan=plan).train()
        two = future.result()
    _assert_close(compiled, plain, "1 x 16, XLA")
    _assert_close(two, parted, "2 x 8")
    np.testing.assert_allclose(parted["losses"][0], plain["losses"][0], rtol=1e-5)


def _assert_close(run, expected, name):
    for key, values in run.items():
        np.testing.assert_allclose(
            values, expected[key], rtol=1e-3, atol=1e-4, err_msg=f"{name}: {key}"
        )


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.FLOAT16])
def test_half_precision_follows_single_precision(precision, monkeypatch):
    # The gradients of this student overflow at the usual start, and a step would be left out.
    monkeypatch.setattr(LossScale, "START", 2.0**9)
    losses = Student(precision=precision).train()["losses"]
    np.testing.assert_allclose(losses, Student().train()["losses"], rtol=0.05)


# Whole runs


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("aids")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


@pytest.fixture(scope="module")
def teacher(data, tmp_path_factory) -> str:
    """Output directory of a deeper and wider model that knows the task."""
    directory = str(tmp_path_factory.mktemp("teacher"))
    config = small.write_config(data, name="wide.json", hidden_size=32, num_hidden_layers=4)
    fine_tune(
        fine_tuning_options(
            data,
            directory,
            bert_config_file=config,
            do_eval=True,
            num_train_epochs=8.0,
            learning_rate=0.003,
            use_pooled_output=False,
            save_checkpoints_steps=64,
        )
    )
    return directory


ALL = {
    "fgm_epsilon": 0.3,
    "r_drop_alpha": 1.0,
    "ema_decay": 0.9,
    "layerwise_lr_decay": 0.8,
    "head_lr_factor": 2.0,
    "label_smoothing": 0.1,
    "class_weights": "inverse_frequency",
}


@pytest.mark.usefixtures("eager")
def test_killed_run_with_all_aids_ends_with_the_same_bits(data, teacher, tmp_path):
    changes = {
        **ALL,
        "teacher_model": teacher,
        "hidden_weight": 1.0,
        "do_eval": True,
        "num_train_epochs": 0.5,
        "save_checkpoints_steps": 2,
        "micro_batch_size": 4,
    }
    fine_tune(fine_tuning_options(data, tmp_path / "whole", **changes))
    with small.killed_at(4) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes), on_row=on_row)
    fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes))
    ends = (arrays(tmp_path / name / "model.ckpt-4") for name in ("parts", "whole"))
    small.assert_same(*ends)
    scores = [_rows(tmp_path / name, "validation_loss") for name in ("parts", "whole")]
    assert scores[0] == scores[1]
    # What was on is told.
    with open(tmp_path / "whole" / "run.json") as file:
        on = json.load(file)["training_aids"]
    assert on == {
        **ALL,
        "teacher_model": teacher,
        "distillation_weight": 0.5,
        "distillation_temperature": 2.0,
        "hidden_weight": 1.0,
    }
    shown = ["adversarial_loss", "r_drop_loss", "distillation_loss", "hidden_loss"]
    for name in shown:
        assert len(_rows(tmp_path / "whole", name)) == 4


def _rows(directory, key) -> list[float]:
    with open(directory / "history.jsonl") as file:
        rows = [json.loads(line) for line in file]
    return [row[key] for row in rows if key in row]


@pytest.fixture(scope="module")
def averaged(data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("averaged")
    changes = {"ema_decay": 0.9, "do_eval": True, "do_predict": True}
    fine_tune(fine_tuning_options(data, directory, **changes))
    return directory


def test_checkpoint_holds_averages_and_the_weights_themselves(data, averaged, tmp_path):
    stored = arrays(averaged / "model.ckpt-8")
    plain = tmp_path / "plain"
    fine_tune(fine_tuning_options(data, plain))
    expected = arrays(plain / "model.ckpt-8")
    for name, value in expected.items():
        raw = stored.get(f"{name}/{UNAVERAGED}", stored[name])
        np.testing.assert_array_equal(raw, value, err_msg=name)  # Averaging changes no step.
    kernel = "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel"
    assert np.abs(stored[kernel] - expected[kernel]).max() > 0
    # Names of weights are as ever, so whatever loads weights gets the averages.
    assert set(filter(is_weight, stored)) == set(filter(is_weight, expected))


def test_averages_are_scored_and_used(data, averaged):
    """The scores of the training are those of the files, which the predictor reads."""
    during = _rows(averaged, "validation_loss")
    fine_tune(fine_tuning_options(data, averaged, do_train=False, do_eval=True))
    with open(averaged / "metrics.json") as file:
        after = json.dumps(json.load(file))
    for loss in during:
        assert f"{loss:.6g}"[:7] in after
    model = albert_zh.load(str(averaged))
    assert model.predict([("京冷", "热")])[0].label in "01"


def test_average_is_the_one_of_the_formula(averaged):
    """From step 4 to step 8 the average lies between its old value and the weights."""
    before, after = (arrays(averaged / f"model.ckpt-{step}") for step in (0, 8))
    name = "bert/pooler/dense/kernel"
    raw = f"{name}/{UNAVERAGED}"
    np.testing.assert_array_equal(before[name], before[raw])
    assert np.linalg.norm(after[raw] - after[name]) < np.linalg.norm(after[raw] - before[name])
    assert int(after["averaged_steps"]) == 8


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        ({"fgm_epsilon": 0.3}, {}, "training_aids: fgm_epsilon is 0.3, this one's is None"),
        ({}, {"ema_decay": 0.9}, "training_aids: ema_decay is None, this one's is 0.9"),
        ({"r_drop_alpha": 1.0}, {"r_drop_alpha": 2.0}, "r_drop_alpha is 1.0, this one's is 2.0"),
    ],
)
def test_aids_stay_the_same_in_a_run(data, tmp_path, first, then, message):
    fine_tune(fine_tuning_options(data, tmp_path / "out", num_train_epochs=0.25, **first))
    with pytest.raises(ValueError, match=message):
        fine_tune(fine_tuning_options(data, tmp_path / "out", num_train_epochs=2.0, **then))


@pytest.mark.usefixtures("eager")
def test_run_without_aids_of_an_earlier_version_goes_on(data, tmp_path):
    options = fine_tuning_options(data, tmp_path / "out", num_train_epochs=0.25)
    fine_tune(options)
    prefix = str(tmp_path / "out" / "model.ckpt-2")
    meta = read_meta(prefix)
    del meta["training_aids"]
    with open(f"{prefix}.meta.json", "w") as file:
        json.dump(meta, file)
    fine_tune(dataclasses.replace(options, num_train_epochs=0.5))
    assert os.path.exists(tmp_path / "out" / "model.ckpt-4.index")


@pytest.mark.usefixtures("eager")
def test_learning_rates_of_levels_move_levels_differently(data, tmp_path):
    frozen = {"layerwise_lr_decay": 1e-6, "num_train_epochs": 0.25}
    fine_tune(fine_tuning_options(data, tmp_path / "out", **frozen))
    start, end = (arrays(tmp_path / "out" / f"model.ckpt-{step}") for step in (0, 2))
    moved = {name: np.abs(end[name] - start[name]).max() for name in filter(is_weight, end)}
    assert moved["output_weights"] > 1e-3
    assert moved["bert/embeddings/word_embeddings"] < 1e-6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("no", "yes")}, "its labels are 0, 1, those of this task"),
        ({"vocabulary": True}, "splits texts into other tokens: its vocabulary"),
        ({"lower": False}, "splits texts into other tokens"),
        ({"missing": True}, "--teacher_model: there is no checkpoint .*nowhere"),
    ],
)
def test_teacher_that_does_not_fit(data, teacher, tmp_path, changes, message):
    options = {"teacher_model": teacher, "train_batch_size": 8}
    if labels := changes.get("labels"):
        rows = "京冷,热,no\n沪冷,热,yes\n" * 8
        (tmp_path / "mine.csv").write_text(f"a,b,label\n{rows}", encoding="utf-8")
        options |= {"task_name": "custom", "train_file": str(tmp_path / "mine.csv")}
        options |= {"text_columns": "a,b", "data_dir": None}
        assert labels == ("no", "yes")
    if "vocabulary" in changes:
        path = tmp_path / "vocab.txt"
        path.write_text("\n".join([*small.VOCABULARY[:-2], "。", "雨"]) + "\n", encoding="utf-8")
        options["vocab_file"] = str(path)
    if "lower" in changes:
        options["do_lower_case"] = False
    if "missing" in changes:
        options["teacher_model"] = str(tmp_path / "nowhere")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        fine_tune(fine_tuning_options(data, tmp_path / "out", **options))


def test_student_learns_from_its_teacher_alone(data, teacher, tmp_path):
    """With --distillation_weight=1, labels are not even looked at."""
    rows = (data / "train.txt").read_text(encoding="utf-8").splitlines()
    folder = tmp_path / "data"
    folder.mkdir()
    wrong = [row[:-1] + str(number % 2) for number, row in enumerate(rows)]
    (folder / "train.txt").write_text("\n".join(wrong) + "\n", encoding="utf-8")
    for name in ("dev.txt", "vocab.txt"):
        (folder / name).write_bytes((data / name).read_bytes())
    changes = {
        "num_train_epochs": 12.0,
        "learning_rate": 0.003,
        "use_pooled_output": False,
        "do_eval": True,
        "save_checkpoints_steps": 96,
    }
    for name, more in (
        ("alone", {}),
        ("taught", {"teacher_model": teacher, "distillation_weight": 1.0}),
    ):
        fine_tune(fine_tuning_options(folder, tmp_path / name, **changes, **more))
    scores = {
        name: _rows(tmp_path / name, "validation_accuracy")[-1] for name in ("alone", "taught")
    }
    assert scores["taught"] > 0.9 > scores["alone"]
